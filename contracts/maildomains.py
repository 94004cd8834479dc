"""What a domain says about the company behind it: nothing, for free mail, internet access providers, relays, disposable
addresses, and the pages of site builders.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from publicsuffixlist import PublicSuffixList


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# brands that run under many country domains (yahoo.co.uk, live.nl): known by the label left of the public suffix
_BRANDS: Final = _words(
    """
    aol fastmail gmail gmx googlemail hey hotmail icloud inbox laposte lycos mailfence mailinator msn outlook posteo
    protonmail rocketmail tutamail tutanota web-mail yahoo yandex ymail zohomail
    """
)

_DOMAINS: Final = _words(
    """
    live.com live.de live.fr live.nl live.co.uk live.it live.ca live.se live.dk live.no live.be live.at live.com.au
    live.com.mx live.com.pt live.cn live.jp live.in live.ie live.co.za passport.com windowslive.com me.com mac.com
    proton.me pm.me tuta.io tuta.com keemail.me mail.com email.com usa.com post.com europe.com consultant.com
    engineer.com mail.de email.de web.de freenet.de t-online.de arcor.de online.de 1und1.de vodafone.de kabelmail.de
    unitybox.de alice.de o2online.de mailbox.org bluewin.ch hispeed.ch sunrise.ch swissonline.ch aon.at chello.at
    a1.net inode.at orange.fr wanadoo.fr free.fr sfr.fr bbox.fr numericable.fr neuf.fr club-internet.fr voila.fr
    aliceadsl.fr libero.it virgilio.it tiscali.it alice.it tin.it tim.it email.it iol.it fastwebnet.it inwind.it
    telefonica.net terra.es ya.com ono.com jazztel.es sapo.pt clix.pt netcabo.pt mail.pt ziggo.nl kpnmail.nl
    planet.nl home.nl xs4all.nl hetnet.nl upcmail.nl chello.nl telenet.be skynet.be proximus.be scarlet.be
    btinternet.com btopenworld.com virginmedia.com sky.com talktalk.net ntlworld.com blueyonder.co.uk tiscali.co.uk
    eircom.net telia.com comhem.se bredband.net spray.se home.se online.no broadpark.no getmail.no mail.dk jubii.dk
    stofanet.dk tdcadsl.dk sonera.fi elisanet.fi luukku.com suomi24.fi kolumbus.fi wp.pl o2.pl onet.pl onet.eu op.pl
    interia.pl poczta.fm tlen.pl gazeta.pl vp.pl seznam.cz email.cz centrum.cz atlas.cz volny.cz post.cz azet.sk
    zoznam.sk centrum.sk freemail.hu citromail.hu t-online.hu indamail.hu abv.bg mail.bg dir.bg otenet.gr
    forthnet.gr in.gr ukr.net i.ua meta.ua bigmir.net mail.ru inbox.ru list.ru bk.ru rambler.ru ya.ru internet.ru
    tut.by mail.kz inbox.lv one.lt mail.ee comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
    charter.net earthlink.net juno.com netzero.net optonline.net frontier.com frontiernet.net windstream.net
    centurylink.net roadrunner.com rr.com mindspring.com pacbell.net ameritech.net prodigy.net cableone.net
    suddenlink.net rogers.com shaw.ca sympatico.ca bell.net videotron.ca telus.net cogeco.ca uol.com.br bol.com.br
    terra.com.br ig.com.br globo.com globomail.com r7.com oi.com.br prodigy.net.mx bigpond.com bigpond.net.au
    optusnet.com.au iinet.net.au tpg.com.au internode.on.net ozemail.com.au xtra.co.nz clear.net.nz slingshot.co.nz
    mweb.co.za telkomsa.net vodamail.co.za webmail.co.za qq.com vip.qq.com foxmail.com 163.com 126.com yeah.net
    sina.com sina.cn sohu.com aliyun.com 139.com 189.cn wo.cn 21cn.com tom.com docomo.ne.jp ezweb.ne.jp
    softbank.ne.jp i.softbank.jp au.com nifty.com biglobe.ne.jp ocn.ne.jp so-net.ne.jp excite.co.jp naver.com
    hanmail.net daum.net nate.com kakao.com rediffmail.com rediff.com indiatimes.com sify.com in.com vsnl.net
    walla.co.il walla.com netvision.net.il mynet.com superonline.com ttmail.com emirates.net.ae maktoob.com zoho.com
    hushmail.com runbox.com startmail.com disroot.org riseup.net duck.com privaterelay.appleid.com mozmail.com
    simplelogin.com anonaddy.com 33mail.com guerrillamail.com guerrillamail.net sharklasers.com grr.la
    10minutemail.com tempmail.com temp-mail.org yopmail.com trashmail.com trash-mail.com wegwerfemail.de
    discard.email getnada.com maildrop.cc throwawaymail.com mintemail.com spamgourmet.com dispostable.com
    guerrillamail.de guerrillamail.org guerrillamail.biz guerrillamailblock.com spam4.me pokemail.net mailnesia.com
    mailcatch.com mailnull.com inboxkitten.com inboxbear.com tempail.com tempr.email tempmailo.com temp-mail.io
    tmpmail.org tmpmail.net minuteinbox.com 10minutemail.net 10minutemail.co.uk 20minutemail.com 1secmail.com
    1secmail.net 1secmail.org emailfake.com email-fake.com fakemail.net fakemailgenerator.com nada.email dropmail.me
    emltmp.com harakirimail.com jetable.org mailexpire.com mailforspam.com mailsac.com mailtemp.info mvrht.com nwytg.net
    owlymail.com spamavert.com spambox.us spamex.com spamfree24.org tempinbox.com tempmail.dev tempmail.plus
    throwam.com trash-mail.de trashmail.de trashmail.net trashmail.me trbvm.com wegwerfmail.de wegwerfmail.net
    wegwerfmail.org yopmail.fr yopmail.net cool.fr.nf jetable.fr.nf zetmail.com linshiyouxiang.net cock.li
    einrot.com armyspy.com cuvox.de dayrep.com fleckens.hu gustr.com jourrapide.com rhyta.com superrito.com teleworm.us
    fakeinbox.com mohmal.com moakt.com emailondeck.com byom.de spam4.me mytemp.email
    """
)


# whoever has a page or an address below one of these is somebody else than its owner
_SHARED: Final = _words(
    """
    onmicrosoft.com marketplace.amazon.com marketplace.amazon.de marketplace.amazon.co.uk guest.booking.com
    guest.airbnb.com reply.airbnb.com reply.craigslist.org members.ebay.com reply.github.com reply.facebook.com
    reply.linkedin.com canva.site zyrosite.com hostingersite.com wpcomstaging.com builderallwppro.com pagedemo.co
    ngrok.io ngrok-free.app trycloudflare.com durable.site mypixieset.com cargo.site format.com pixpa.com
    users.noreply.github.com noreply.github.com privaterelay.appleid.com relay.firefox.com mozmail.com
    simplelogin.co simplelogin.io simplelogin.fr aleeas.com slmails.com slmail.me addy.io anonaddy.me passmail.net
    passinbox.com passfwd.com opayq.com duck.com sneakemail.com erine.email
    wixsite.com editorx.io blogspot.com sites.google.com business.site web.app
    firebaseapp.com linktr.ee github.io gitlab.io pages.dev workers.dev netlify.app vercel.app herokuapp.com
    onrender.com fly.dev azurewebsites.net cloudfront.net amazonaws.com myshopify.com
    weeblysite.com webflow.io framer.website framer.app carrd.co notion.site super.site jimdosite.com jimdofree.com
      godaddysites.com webnode.page site123.me ucraft.site tilda.ws mystrikingly.com
    square.site ghost.io mailchi.mp hubspotpagebuilder.com hs-sites.com
    unbouncepages.com lpages.co bubbleapps.io glitch.me replit.app
    repl.co surge.sh neocities.org angelfire.com tripod.com geocities.com yolasite.com page.tl over-blog.com
    homepage.t-online.de de.tl npage.de beepworld.de ueniweb.com localo.site bio.link beacons.ai
    lnk.bio taplink.cc campsite.bio flow.page msha.ke solo.to
    """
)
# a company of their own, but a link to them is somebody's profile, page or file
_PROFILES: Final = _words(
    """
    atlassian.net sharepoint.com odoo.com zendesk.com freshdesk.com force.com salesforce.com wpengine.com g.co
    durable.co hubspot.com intercom.help readthedocs.io teachable.com thinkific.com kajabi.com podia.com gumroad.com
    linkedin.com lnkd.in facebook.com fb.com fb.me m.me messenger.com instagram.com threads.net twitter.com x.com t.co
    xing.com xing.to youtube.com youtu.be tiktok.com pinterest.com snapchat.com reddit.com tumblr.com medium.com
    quora.com vimeo.com twitch.tv discord.gg discord.com telegram.me t.me wa.me whatsapp.com vk.com ok.ru weibo.com
    weixin.qq.com line.me kakao.com behance.net dribbble.com github.com gitlab.com bitbucket.org stackoverflow.com
    crunchbase.com angel.co wellfound.com glassdoor.com indeed.com kununu.com trustpilot.com yelp.com tripadvisor.com
    g.page goo.gl google.com maps.google.com docs.google.com drive.google.com forms.gle bit.ly tinyurl.com ow.ly
    calendly.com eventbrite.com meetup.com etsy.com amazon.com amazon.de ebay.com ebay.de alibaba.com upwork.com
    fiverr.com malt.com malt.fr patreon.com gofundme.com kickstarter.com wikipedia.org bsky.app mastodon.social
    apple.com apps.apple.com play.google.com viadeo.com skype.com zoom.us dropbox.com notion.so canva.com typeform.com
    squarespace.com weebly.com wordpress.com substack.com beehiiv.com instapage.com clickfunnels.com jimdo.com
    bigcartel.com strikingly.com yell.com webnode.com about.me leadpages.co
    """
)


@lru_cache(maxsize=65_536)
def company_domain(domain: str) -> str | None:
    """What a company registered (acme.co.uk of mail.acme.co.uk); None for a public
    suffix, for free mail, and for what many share. ASCII, lower case.
    """
    registered = _suffixes().privatesuffix(domain)
    return None if registered is None or _is_shared(domain, registered) else str(registered)


def is_providers(host: str) -> bool:
    """Whether it is the domain of a mail provider, a relay or a throw-away service itself."""
    return host in _DOMAINS or (host.partition(".")[0] in _BRANDS and _suffixes().privatesuffix(host) == host)


def is_profile_link(host: str, *, has_path: bool) -> bool:
    """Whether a link leads to somebody's page at a network or a site builder. The bare domain leads to its owner."""
    return any(zone in _PROFILES and (has_path or zone != host) for zone in _zones(host))


def _is_shared(domain: str, registered: str) -> bool:
    if registered.partition(".")[0] in _BRANDS:
        return True
    return any(zone in _DOMAINS or zone in _SHARED for zone in _zones(domain))


def _zones(host: str) -> Iterator[str]:
    """The host and all that it is below."""
    while "." in host:
        yield host
        host = host.partition(".")[2]


def read_suffixes() -> None:
    """Read the list of public suffixes now (54 to 99 ms), instead of at the first domain that is asked for."""
    _suffixes()


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # bundled
