"""Mail providers whose addresses say nothing about an employer. Suffix-less names stand for every country's branch of a provider."""

from __future__ import annotations

_LISTED = """
    gmail.com googlemail.com aol.com icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io
    tuta.com mail.com email.com usa.com post.com inbox.com fastmail.com fastmail.fm hushmail.com zoho.com zohomail.com rocketmail.com
    ymail.com gmx.net gmx.de gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de posteo.de mailbox.org 1und1.de bluewin.ch
    hispeed.ch aon.at chello.at orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr numericable.fr skynet.be telenet.be ziggo.nl
    kpnmail.nl planet.nl xs4all.nl libero.it virgilio.it tiscali.it alice.it tin.it email.it terra.com.br uol.com.br bol.com.br ig.com.br
    globo.com terra.es telefonica.net sapo.pt btinternet.com virginmedia.com sky.com talktalk.net ntlworld.com blueyonder.co.uk comcast.net
    verizon.net att.net bellsouth.net sbcglobal.net cox.net charter.net earthlink.net shaw.ca rogers.com sympatico.ca bigpond.com
    optusnet.com.au telia.com tele2.se online.no telenor.dk wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz azet.sk abv.bg mail.bg
    ukr.net i.ua mail.ru bk.ru list.ru inbox.ru rambler.ru yandex.ru yandex.com ya.ru qq.com 163.com 126.com yeah.net sina.com sina.cn
    sohu.com foxmail.com 139.com 189.cn naver.com daum.net hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com
    rediffmail.com indiatimes.com sify.com mailinator.com guerrillamail.com 10minutemail.com yopmail.com trashmail.com tempmail.com
    temp-mail.org sharklasers.com dispostable.com
"""
_DOMAINS = frozenset(_LISTED.split())
_PROVIDERS = ("yahoo.", "hotmail.", "outlook.", "live.", "msn.")


def domain_of(email: object) -> str | None:
    """The domain of an address, lower case; None when it is not one."""
    if not isinstance(email, str):
        return None
    local, at, domain = email.strip().rpartition("@")
    domain = domain.casefold().rstrip(".")
    if not at or not local or "." not in domain or " " in domain:
        return None
    return domain


def is_free(domain: str) -> bool:
    """Whether anybody can have an address there."""
    return domain in _DOMAINS or domain.startswith(_PROVIDERS)
