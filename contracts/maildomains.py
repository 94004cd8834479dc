"""What an e-mail domain says about the company behind it: nothing, for free mail, internet
access providers and disposable addresses.
"""

from __future__ import annotations

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
    fakeinbox.com mohmal.com moakt.com emailondeck.com byom.de spam4.me mytemp.email
    """
)


@lru_cache(maxsize=65_536)
def company_domain(domain: str) -> str | None:
    """What a company registered (acme.co.uk of mail.acme.co.uk); None for a public
    suffix and for free mail. ASCII, lower case.
    """
    registered = _suffixes().privatesuffix(domain)
    return None if registered is None or _is_free_mail(registered) else str(registered)


def _is_free_mail(registered: str) -> bool:
    return registered in _DOMAINS or registered.partition(".")[0] in _BRANDS


def read_suffixes() -> None:
    """Read the list of public suffixes now (54 to 99 ms), instead of at the first domain that is asked for."""
    _suffixes()


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # bundled
