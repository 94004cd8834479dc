"""The words of consent: what the name of a field asks, and what the value in it answers.

What is not understood as a whole means nothing.

A name is taken apart into known words (`emailOptOut` is `email` and `optout`); one unknown word, and
the name asks nothing that we may rely on.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from contracts.values import ConsentChannel

_LONGEST_NAME: Final = 100
_EMAIL, _PHONE, _POST, _ANY = (
    (ConsentChannel.EMAIL,),
    (ConsentChannel.PHONE,),
    (ConsentChannel.POST,),
    (ConsentChannel.ANY,),
)


@dataclass(frozen=True, slots=True)
class FieldQuestion:
    """By which channels somebody may be reached when the field is set (`grants`), or may not any more (`withdraws`)."""

    grants: tuple[ConsentChannel, ...] = ()
    withdraws: tuple[ConsentChannel, ...] = ()


class FieldValue(Enum):
    """What a value says, whatever was asked."""

    TICKED = auto()  # yes, on, 1
    GRANTED = auto()  # the value itself says it: opted_in
    WITHDRAWN = auto()  # opted_out
    NO = auto()  # no, false, 0
    OTHER = auto()  # something else was filled in
    NOTHING = auto()  # blank, or a word for it


class _Word(Enum):
    CONSENT = auto()
    ASSENT = auto()  # means something beside a channel or marketing only
    MARKETING = auto()
    NEWSLETTER = auto()
    SUBSCRIBE = auto()  # of a form: to a newsletter; of a program: perhaps to a product
    OUT = auto()
    UNSUBSCRIBE = auto()
    LEGAL = auto()  # must be accepted to submit: no consent to be written to
    TRACKING = auto()  # about cookies, not about being reached
    ELSEWHERE = auto()  # a channel that is none of ours
    MAIL = auto()
    EMAIL = auto()
    PHONE = auto()
    POST = auto()
    FILLER = auto()


_WORDS: Final = {
    word: meaning
    for meaning, words in {
        _Word.CONSENT: (
            "consent consents consented optin optedin einwilligung zustimmung consentement consentimiento "
            "contactme maycontact maywecontact oktocontact"
        ),
        _Word.ASSENT: (
            "agree agreed agreement accept accepts accepted allow allowed permission permissions may want receive"
            " please yes ok okay"
        ),
        _Word.MARKETING: (
            "marketing promotion promotions promotional promo offers news updates werbung werbe commercial"
        ),
        _Word.NEWSLETTER: "newsletter newsletters mailinglist",
        _Word.SUBSCRIBE: "subscribe subscribed subscription subscriptions",
        _Word.OUT: "optout optedout donot dont nomarketing noemail noemails nocalls nonewsletter keinewerbung",
        _Word.UNSUBSCRIBE: "unsubscribe unsubscribed abmelden abbestellen",
        _Word.LEGAL: (
            "legal privacy policy terms conditions tos gdpr dsgvo datenschutz agb acceptance processing process data"
            " rgpd"
        ),
        _Word.TRACKING: "cookie cookies tracking analytics personalisation personalization profiling",
        _Word.ELSEWHERE: "sms text texts whatsapp fax push messenger",
        _Word.MAIL: "mail mails mailing mailings",
        _Word.EMAIL: "email emails bulkemail",
        _Word.PHONE: "phone phones telephone telefon tel call calls anruf anrufe",
        _Word.POST: "post postal postalmail directmail letter letters",
        _Word.FILLER: (
            "to of by via from for in and or with i we us you me my our your the a has have is be contact contacted"
            " communication communications field checkbox box form type status state all double hs user customer person"
            " lead list signup"
        ),
    }.items()
    for word in words.split()
}
_LONGEST_WORD: Final = max(map(len, _WORDS))
_CHANNELS: Final = {
    _Word.EMAIL: ConsentChannel.EMAIL,
    _Word.PHONE: ConsentChannel.PHONE,
    _Word.POST: ConsentChannel.POST,
}

_VALUES: Final = {
    word: answered
    for answered, words in {
        FieldValue.TICKED: (
            "true 1 on yes y checked ticked x ok agree agreed iagree accept accepted iaccept iconsent ja oui si sí"
        ),
        FieldValue.GRANTED: "granted optin optedin subscribe subscribed given confirmed",
        FieldValue.WITHDRAWN: "withdrawn revoked optout optedout unsubscribe unsubscribed denied refused donotcontact",
        FieldValue.NO: "false 0 off no n unchecked nein non notgranted notsubscribed",
        FieldValue.NOTHING: "none null nil undefined unknown na pending notset",
    }.items()
    for word in words.split()
}
_AGREES: Final = re.compile(
    r"\b(i agree|i consent|i accept|yes|sign me up|subscribe me|i would like|i want|i'd like|please"
    r" (send|contact|call|write)|keep me|you may|"
    r"ich (möchte|will|stimme|willige)|ja|j'accepte|je souhaite|acepto|quiero)\b"
)
_REFUSES = re.compile(
    r"\b(no|not|never|stop|cannot|without|unless|unsubscribe|withdraw|remove|nein|nicht|kein\w*|non|pas|sin)\b|n['’]t\b"
)
_LEGALESE = re.compile(
    r"privacy|terms|policy|conditions|data protection|process|datenschutz|agb|confidentialité|privacidad|cookie"
)
_ADVERTISES = re.compile(
    r"marketing|newsletter|offers?\b|promotion|news\b|updates|e-?mails?|write to me|contact me|call"
    r" me|werbung|angebote|informationen"
)


@lru_cache(maxsize=4096)
def asked_by(name: str, *, is_box: bool) -> FieldQuestion:
    """What a field of this name asks.

    `is_box`: it belongs to a form's consent fields; otherwise it is one trait among any others.
    """
    words = _words_of(name)
    if words is None or _Word.TRACKING in words:
        return FieldQuestion()
    named = tuple(channel for word, channel in _CHANNELS.items() if word in words)
    if words & {_Word.OUT, _Word.UNSUBSCRIBE}:
        return (
            FieldQuestion()
            if words & {_Word.CONSENT, _Word.SUBSCRIBE}
            else FieldQuestion(withdraws=_withdrawn(words, named))
        )
    return FieldQuestion(grants=_granted(words, named, is_box=is_box))


def answered_by(value: Any) -> FieldValue:
    """What the value of one field says; of a field that came several times (a box over a hidden zero), the most that is
    said.
    """
    if isinstance(value, list | tuple):
        said = {answered_by(one) for one in value}
        order = (FieldValue.WITHDRAWN, FieldValue.TICKED, FieldValue.GRANTED, FieldValue.OTHER, FieldValue.NO)
        return next((answered for answered in order if answered in said), FieldValue.NOTHING)
    if isinstance(value, bool | int | float):
        return FieldValue.TICKED if value == 1 else FieldValue.NO if value == 0 else FieldValue.OTHER
    if not isinstance(value, str):
        return FieldValue.NOTHING
    squashed = _squash(value[:_LONGEST_NAME])
    return _VALUES.get(squashed, FieldValue.OTHER) if squashed else FieldValue.NOTHING


def agrees(text: str) -> bool:
    """Whether a whole sentence in a box, which is sent when the box is ticked, agrees to be reached (and not to terms
    alone).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    if _REFUSES.search(folded) or not _AGREES.search(folded):
        return False
    return not _LEGALESE.search(folded) or _ADVERTISES.search(folded) is not None


def channels_in(value: Any) -> tuple[ConsentChannel, ...]:
    """The channels that a value names, of boxes such as `name="consent" value="email"`; none when it says anything else
    too.
    """
    found: dict[ConsentChannel, None] = {}
    for one in value if isinstance(value, list | tuple) else [value]:
        words = _words_of(one) if isinstance(one, str) else None
        if words is None or not words <= {*_CHANNELS, _Word.FILLER}:
            return ()
        found |= dict.fromkeys(channel for word, channel in _CHANNELS.items() if word in words)
    return tuple(found)


def is_unsubscribing(event_name: str) -> bool:
    """Whether an event of this name tells that somebody unsubscribed from mails."""
    return _squash(event_name[:_LONGEST_NAME]) in {
        "unsubscribed",
        "emailunsubscribed",
        "newsletterunsubscribed",
        "unsubscribedfromnewsletter",
    }


def _granted(words: frozenset[_Word], named: tuple[ConsentChannel, ...], *, is_box: bool) -> tuple[ConsentChannel, ...]:
    if words & {_Word.MAIL, _Word.NEWSLETTER}:
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named)))
    is_subscription = _Word.SUBSCRIBE in words and (is_box or bool(named))
    if not named and (
        _Word.ELSEWHERE in words or (_Word.LEGAL in words and not is_subscription and _Word.MARKETING not in words)
    ):
        return ()
    is_assent = _Word.ASSENT in words and (bool(named) or _Word.MARKETING in words)
    is_asked = (
        bool(words & {_Word.CONSENT, _Word.NEWSLETTER})
        or is_subscription
        or is_assent
        or (is_box and _Word.MARKETING in words)
    )
    if not is_asked:
        return ()
    return named or (_EMAIL if is_subscription else _ANY)


def _withdrawn(words: frozenset[_Word], named: tuple[ConsentChannel, ...]) -> tuple[ConsentChannel, ...]:
    if _Word.NEWSLETTER in words:
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named)))
    if _Word.MAIL in words:  # of either kind: what may be meant is respected
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named, ConsentChannel.POST)))
    if named or _Word.ELSEWHERE in words:
        return named
    return _EMAIL if _Word.UNSUBSCRIBE in words else _ANY


def _words_of(name: str) -> frozenset[_Word] | None:
    """The meanings of all words of `name`, which may be written as one; None when it cannot be read as known words from
    end to end.
    """
    letters = re.sub(r"\d", "", _squash(name)) if len(name) <= _LONGEST_NAME else ""
    # how the name reads from each letter on
    read: list[frozenset[_Word] | None] = [*[None] * len(letters), frozenset()]
    for start in reversed(range(len(letters))):
        for end in range(min(start + _LONGEST_WORD, len(letters)), start, -1):
            meaning, rest = _WORDS.get(letters[start:end]), read[end]
            if meaning is not None and rest is not None:
                read[start] = rest | {meaning}
                break
    return read[0] or None


def _squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())
