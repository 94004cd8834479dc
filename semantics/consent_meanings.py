"""What the words of names about being reached can mean."""

from __future__ import annotations

from enum import Enum, auto


class Word(Enum):
    """What a word means in such a name."""

    CONSENT = auto()
    OPT_IN = auto()
    ASSENT = auto()  # means something beside a channel or marketing only
    MARKETING = auto()
    NEWS = auto()  # as marketing, but says nothing by itself: `offers` may be a number
    NEWSLETTER = auto()
    SUBSCRIBE = auto()  # of a form: to a newsletter; of a program: perhaps to a product
    SUBSCRIBED = auto()
    OUT = auto()
    UNSUBSCRIBE = auto()
    DO_NOT = auto()  # with something that is not to be done
    REVOKED = auto()  # with something that was given
    SPAM = auto()  # marked as such
    COMPLAINT = auto()
    LEGAL = auto()  # must be accepted to submit: no consent to be written to
    TRACKING = auto()  # about cookies, not about being reached
    ELSEWHERE = auto()  # a channel that is none of ours
    PREFERENCE = auto()
    NOTIFICATION = auto()
    REACHABLE = auto()
    CONTACT = auto()
    MAIL = auto()
    EMAIL = auto()
    PHONE = auto()
    POST = auto()
    FILLER = auto()
    HAPPENED = auto()  # filler in the name of an event
