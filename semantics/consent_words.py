"""What the name of a field asks about being reached, and what the name of an event says.

A name is taken apart into known words (`emailOptOut` is `email` and `optout`). For a grant one unknown word, and it
says nothing. A withdrawal that is not understood is a mail that must not be sent: a name that clearly is about not
being contacted counts among unknown words too, unless one of them says that it is about somebody or something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from contracts.values import ConsentChannel
from semantics.consent_lexicon import APART, FOREIGN, LONGEST_WORD, WORDS
from semantics.consent_meanings import Word

Channels = tuple[ConsentChannel, ...]

_LONGEST_NAME: Final = 100
_EMAIL, _ANY = (ConsentChannel.EMAIL,), (ConsentChannel.ANY,)


@dataclass(frozen=True, slots=True)
class FieldQuestion:
    """By which channels somebody may be reached when the field is set (`grants`), or may not any more (`withdraws`); by
    which not when a program says no in it (`refuses`); and by which not when the value itself says so (`speaks`).
    """

    grants: Channels = ()
    withdraws: Channels = ()
    refuses: Channels = ()
    speaks: Channels = ()


_CHANNELS: Final = {
    Word.EMAIL: ConsentChannel.EMAIL,
    Word.PHONE: ConsentChannel.PHONE,
    Word.POST: ConsentChannel.POST,
}
_WAYS: Final = frozenset((Word.EMAIL, Word.MAIL, Word.PHONE, Word.POST, Word.MARKETING, Word.NEWSLETTER))
_OBJECTS: Final = _WAYS | {Word.NEWS, Word.CONTACT, Word.CONSENT, Word.SUBSCRIBE, Word.NOTIFICATION}
_GIVEN: Final = frozenset((Word.CONSENT, Word.ASSENT, Word.MARKETING, Word.NEWSLETTER, Word.EMAIL, Word.PHONE))
_PARTS: Final = re.compile(r"[^\W\d_]+")
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAINLY: Final = re.compile(
    r"(?<![^_])(opt(ed|s)?_?outs?|un_?sub(scri[a-z]+)?|do_?(not|nt)_?(bulk_?)?(e_?)?(mail|call|contact|phone|market|solicit)"
    r"|dnc|dnd|no_?(marketing|e_?mails?|newsletters?|contact|calls)|keinen?_?(werbung|e?_?mails?|newsletter|anrufe)"
    r"|black_?listed|suppressed|abgemeldet|abbestell[a-z]+|des_?inscri[a-z]+|des_?abonn[a-z]+|baja|dis_?iscri[a-z]+"
    r"|uitgeschreven|afgemeld|marked_(as|email_as)_spam|spam_?(complaint|report)s?|complained)(?![^_])"
)


@lru_cache(maxsize=4096)
def asked_by(name: str, *, is_box: bool) -> FieldQuestion:
    """What a field of this name asks.

    `is_box`: it belongs to a form's consent fields; otherwise it is one trait among any others. Parts of a path are
    parted by dots.
    """
    words = words_of(name)
    if words is None or Word.HAPPENED in words:
        return FieldQuestion(withdraws=_plainly_withdrawn(name))
    if Word.TRACKING in words:
        return FieldQuestion()
    named = _named(words)
    if words & {Word.OUT, Word.UNSUBSCRIBE, Word.DO_NOT, Word.REVOKED, Word.SPAM, Word.COMPLAINT}:
        withdrawn = withdrawn_in(words)
        if Word.OPT_IN in words:  # one field for both: only the value tells
            return FieldQuestion(speaks=withdrawn)
        return FieldQuestion(withdraws=withdrawn, speaks=withdrawn)
    grants = _granted(words, named, is_box=is_box)
    is_elsewhere = not named and Word.ELSEWHERE in words
    is_legal = Word.LEGAL in words and not words & {Word.MARKETING, Word.CONSENT, Word.SUBSCRIBE, *_CHANNELS}
    speaks = () if is_elsewhere or is_legal else named or (_EMAIL if Word.NEWSLETTER in words else grants or _ANY)
    return FieldQuestion(grants, (), () if is_elsewhere else grants or _refused(words, named), speaks)


def channels_in(value: Any) -> Channels | None:
    """The channels that a value names, of boxes such as `name="consent" value="email"`; None when it says anything else
    too, none when they are none of ours.
    """
    found: dict[ConsentChannel, None] = {}
    for one in value if isinstance(value, list | tuple) else [value]:
        words = words_of(one) if isinstance(one, str) else None
        if words is None or not words <= {*_CHANNELS, Word.MAIL, Word.ELSEWHERE, Word.FILLER} or words == {Word.FILLER}:
            return None
        found |= dict.fromkeys(_named(words))
    return tuple(found)


def withdrawn_by_event(event_name: str) -> Channels:
    """The channels by which somebody must not be reached any more, once an event of this name happened; mostly none."""
    words = words_of(event_name)
    if words is None or words & {Word.OPT_IN, Word.TRACKING, Word.LEGAL, Word.ASSENT, Word.PREFERENCE}:
        return ()
    if Word.COMPLAINT in words and not words & {Word.SPAM, Word.EMAIL, Word.MAIL, Word.MARKETING, Word.NEWSLETTER}:
        return _EMAIL if len(words) == 1 else ()  # more words, and it may be about a product
    return withdrawn_in(words)


def is_about_consent(event_name: str) -> bool:
    """Whether an event tells what somebody chose about being contacted, so that a no in it is their word."""
    words = words_of(event_name)
    return words is not None and bool(words & {Word.CONSENT, Word.PREFERENCE, Word.SUBSCRIBE, Word.NEWSLETTER})


def says_plainly(text: str) -> bool:
    """Whether among these words some are plainly about not being contacted."""
    return Word.UNSUBSCRIBE in (words_of(text) or ()) or _PLAINLY.search("_".join(_parts(text))) is not None


def stands_apart(path: str) -> bool:
    """Whether what stands under this name is about somebody else, or not about being reached by us."""
    parts = _parts(path)
    return not (FOREIGN.isdisjoint(parts) and APART.isdisjoint(parts))


@lru_cache(maxsize=4096)
def words_of(name: str) -> frozenset[Word] | None:
    """The meanings of all words of `name`, which may be written as one; None when it cannot be read as known words from
    end to end.
    """
    letters = re.sub(r"\d", "", squash(name)) if len(name) <= _LONGEST_NAME else ""
    return _read(letters, 0, {len(letters): frozenset()}) or None


def _read(letters: str, start: int, read: dict[int, frozenset[Word] | None]) -> frozenset[Word] | None:
    """How `letters` read from `start` on, the longest words first; None when they cannot be read to the end.

    `read` is what is known already, by where it starts.
    """
    if start not in read:
        read[start] = None
        for end in range(min(start + LONGEST_WORD, len(letters)), start, -1):
            meaning = WORDS.get(letters[start:end])
            rest = None if meaning is None else _read(letters, end, read)
            if meaning is not None and rest is not None:
                read[start] = rest | meaning
                break
    return read[start]


def _named(words: frozenset[Word]) -> Channels:
    return tuple(channel for word, channel in _CHANNELS.items() if word in words)


def _granted(words: frozenset[Word], named: Channels, *, is_box: bool) -> Channels:
    if words & {Word.MAIL, Word.NEWSLETTER}:
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named)))
    is_subscription = Word.SUBSCRIBE in words and (is_box or bool(named))
    is_advertised = bool(words & {Word.MARKETING, Word.NEWS})
    if not named and (Word.ELSEWHERE in words or (Word.LEGAL in words and not is_subscription and not is_advertised)):
        return ()
    is_assent = Word.ASSENT in words and (bool(named) or is_advertised)
    is_asked = (
        bool(words & {Word.CONSENT, Word.NEWSLETTER}) or is_subscription or is_assent or (is_box and is_advertised)
    )
    if not is_asked:
        return ()
    return named or (_EMAIL if is_subscription else _ANY)


def _refused(words: frozenset[Word], named: Channels) -> Channels:
    """What a program's no is about in a name that grants nothing: `marketing_emails`, `subscribed`, `contactable`."""
    if Word.REACHABLE in words or Word.MARKETING in words:
        return named or (_EMAIL if Word.MAIL in words else _ANY)
    if Word.SUBSCRIBED in words:
        return named or _EMAIL
    if words & {Word.NOTIFICATION, Word.PREFERENCE, Word.ASSENT, Word.CONTACT} and words & _WAYS:
        return named or _EMAIL
    return _ANY if {Word.ASSENT, Word.CONTACT} <= words else ()


def withdrawn_in(words: frozenset[Word]) -> Channels:
    """What is withdrawn, if these words say that anything is."""
    is_said = (
        bool(words & {Word.OUT, Word.UNSUBSCRIBE, Word.SPAM, Word.COMPLAINT})
        or (Word.DO_NOT in words and bool(words & _OBJECTS))
        or (Word.REVOKED in words and bool(words & _GIVEN))
    )
    if not is_said:
        return ()
    named = _named(words)
    if Word.NEWSLETTER in words:
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named)))
    if Word.MAIL in words:  # of either kind: what may be meant is respected
        named = tuple(dict.fromkeys((ConsentChannel.EMAIL, *named, ConsentChannel.POST)))
    if named or Word.ELSEWHERE in words:
        return named
    is_mailed = bool(words & {Word.UNSUBSCRIBE, Word.SPAM, Word.COMPLAINT, Word.SUBSCRIBE, Word.NOTIFICATION})
    return _EMAIL if is_mailed else _ANY


def _plainly_withdrawn(name: str) -> Channels:
    """What a name withdraws that holds unknown words, and plainly is about not being contacted all the same."""
    plain = "_".join(_parts(name.rpartition(".")[2] or name))
    found = _PLAINLY.search(plain) if len(name) <= _LONGEST_NAME and not stands_apart(name.rpartition(".")[0]) else None
    if found is None:
        return ()
    parts = [part for part in (plain[: found.start()] + plain[found.end() :]).split("_") if part]
    if not APART.isdisjoint(parts) or not FOREIGN.isdisjoint(parts):
        return ()
    beside = {word for part in parts for word in WORDS.get(part, ())}
    return withdrawn_in((words_of(found[0]) or frozenset()) | beside | {Word.OUT})


@lru_cache(maxsize=4096)
def _parts(name: str) -> Sequence[str]:
    """The words of a name as its writer parted them, folded."""
    return tuple(_fold(part) for part in _PARTS.findall(_HUMPS.sub("_", name[:_LONGEST_NAME])))


def squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", _fold(text))


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
