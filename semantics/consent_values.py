"""What the value in a field answers about being reached, whatever was asked."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from typing import Any, Final

from contracts.values import ConsentChannel
from semantics.consent_meanings import Word
from semantics.consent_words import Channels, says_plainly, squash, withdrawn_in, words_of

_LONGEST_VALUE: Final = 100
_EMAIL: Final = (ConsentChannel.EMAIL,)
_LOW: Final = frozenset(("baja", "bajas", "dnd", "opposition"))  # words of other things too, where nothing asks


class FieldValue(Enum):
    """What a value says, whatever was asked."""

    TICKED = auto()  # yes, on, 1
    GRANTED = auto()  # the value itself says it: opted_in
    WITHDRAWN = auto()  # opted_out
    NO = auto()  # no, false, 0
    OTHER = auto()  # something else was filled in
    NOTHING = auto()  # blank, or a word for it


_VALUES: Final = {
    word: answered
    for answered, words in {
        FieldValue.TICKED: (
            "true t 1 on yes y checked ticked x ok agree agreed iagree accept accepted iaccept iconsent ja oui si"
            " sim tak wahr vrai verdadero vero waar"
        ),
        FieldValue.GRANTED: "granted optin optedin subscribe subscribed given confirmed",
        FieldValue.WITHDRAWN: (
            "withdrawn revoked denied refused declined rejected cancelled canceled stop stopped remove removed disabled"
            " inactive blocked widerrufen abgelehnt refuse rifiutato rechazado geweigerd"
        ),
        FieldValue.NO: (
            "false f 0 off no n unchecked nein non nee nej nie falsch faux falso notgranted notsubscribed notoptedout"
            " notunsubscribed nothanks nothankyou neindanke nonmerci nogracias nograzie neebedankt"
        ),
        FieldValue.NOTHING: (
            "none null nil undefined unknown na pending notset never notyet neversubscribed jamais nunca mai nooit"
        ),
    }.items()
    for word in words.split()
}
_NUMBER: Final = re.compile(r"[-+]?\d{1,20}(\.\d{1,20})?$")
_ZEROS: Final = re.compile(r"[0\W_tTzZ]*0[0\W_tTzZ]*$")  # also as a date of nothing
_ADDRESS: Final = re.compile(r"\s*<?(https?|mailto):", re.IGNORECASE)
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
    return _answered_in_words(value[:_LONGEST_VALUE])


def withdrawn_by(value: Any, *, is_named: bool = True) -> Channels:
    """The channels that a value withdraws all by itself, as `unsubscribed` or `do not call` do; mostly none.

    `is_named`: the field names a channel; else a complaint, or spam, may be about anything.
    """
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(channel for one in value[:10] for channel in withdrawn_by(one, is_named=is_named)))
    if isinstance(value, str) and squash(value[:_LONGEST_VALUE]) == "complained":  # as senders of mail report it
        return _EMAIL
    words = words_of(value) if isinstance(value, str) else None
    if words is None or Word.OPT_IN in words or words & {Word.TRACKING, Word.LEGAL}:
        return ()
    if not is_named and not {Word.SPAM, Word.COMPLAINT} <= words:
        words -= {Word.SPAM, Word.COMPLAINT}
    return () if Word.REVOKED in words else withdrawn_in(words)


def written_off(value: Any) -> Channels:
    """What somebody withdraws by what they write where anything may be written: `Please unsubscribe me`."""
    if not isinstance(value, str) or len(value) > _LONGEST_VALUE or squash(value) in _LOW or not says_plainly(value):
        return ()
    return withdrawn_by(value, is_named=False)


def agrees(text: str) -> bool:
    """Whether a whole sentence in a box, which is sent when the box is ticked, agrees to be reached (and not to terms
    alone).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    if _REFUSES.search(folded) or not _AGREES.search(folded):
        return False
    return not _LEGALESE.search(folded) or _ADVERTISES.search(folded) is not None


def _answered_in_words(text: str) -> FieldValue:
    squashed = squash(text)
    if not squashed or _ADDRESS.match(text):  # an address where to unsubscribe is no wish to
        return FieldValue.NOTHING
    if _ZEROS.match(text):
        return FieldValue.NO
    if _NUMBER.match(text.strip()) and float(text) == 1:
        return FieldValue.TICKED
    known = _VALUES.get(squashed)
    return known or (FieldValue.WITHDRAWN if withdrawn_by(text) else FieldValue.OTHER)
