"""What a stranger with the public write key may send, and a human may do about it: everything that the door takes, as
nasty as it takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
NAMED = (
    "title",
    "name",
    "firstName",
    "lastName",
    "company",
    "industry",
    "city",
    "country",
    "phone",
    "budget",
    "need",
    "timing",
    "authority",
    "website",
)
"""Attributes whose names the product knows; rules quote some of them."""
FULL_BYTES = 28_000
PEOPLE = 3
_SALTS = count()


@dataclass(frozen=True)
class Request:
    """One POST of a capture: its path and body."""

    path: str
    body: Json

    @property
    def size(self) -> int:
        return len(json.dumps(self.body, ensure_ascii=False).encode())


@dataclass(frozen=True)
class ByHand:
    """A merge or a split: of whom, by their number."""

    verb: str
    first: int
    second: int


Deed = Request | ByHand


def deeds(run: str) -> st.SearchStrategy[list[list[Deed]]]:
    """Sequences of what comes in at once; ids are those of `run`, so that runs do not meet."""
    person = st.integers(0, PEOPLE - 1)
    one = st.one_of(
        st.builds(lambda who, size: [_view(run, who, "/pricing" if size else "/")], person, st.booleans()),
        st.builds(
            lambda who, wide, times: [_identify(run, who, many_traits(wide)) for _ in range(times)],
            person,
            st.integers(1, 900),
            st.integers(1, 14),
        ),
        st.builds(lambda who, traits: [_identify(run, who, traits)], person, _named_traits()),
        st.builds(lambda who, value: [_identify(run, who, {"deep": value})], person, _values()),
        st.builds(lambda who, text: [_track(run, who, text or "Clicked")], person, _texts(500)),
        st.builds(
            lambda who, size, events: [_batch(run, who, size, events)],
            person,
            st.integers(0, 20_000),
            st.integers(1, 40),
        ),
        st.builds(lambda who, other: [_alias(run, who, other)], person, person),
        st.builds(lambda who, traits: [_group(run, who, traits)], person, _named_traits()),
        st.builds(
            lambda who, other, verb: [ByHand(verb, who, other)], person, person, st.sampled_from(["merge", "split"])
        ),
    )
    return st.lists(one, min_size=1, max_size=6)


def ending(run: str) -> Iterator[Request]:
    """Everybody says who they are and asks for a demo, so that every service speaks of them."""
    for who in range(PEOPLE):
        yield _identify(
            run, who, {"email": email_of(run, who), "title": "VP Sales", "company": {"name": "Bench", "employees": 900}}
        )
        yield _track(run, who, "Demo Requested")


def email_of(run: str, who: int) -> str:
    return f"{run}-{who}@hostile.example"


def many_traits(wide: int) -> Json:
    """As many distinct attributes as one event holds, each `wide` characters: names that were never used before."""
    salt, value = next(_SALTS), "x" * wide
    return {f"t{salt}_{number}": value for number in range(FULL_BYTES // (wide + len(f'"t{salt}_1000":"",')))}


def _view(run: str, who: int, path: str) -> Request:
    page = {"path": path, "url": f"https://www.hostile.example{path}"}
    return Request("/v1/page", _event(run, who) | {"name": path, "properties": page, "context": {"page": page}})


def _identify(run: str, who: int, traits: Json) -> Request:
    return Request("/v1/identify", _event(run, who) | {"traits": traits})


def _track(run: str, who: int, name: str) -> Request:
    return Request("/v1/track", _event(run, who) | {"event": name, "properties": {"said": name}})


def _batch(run: str, who: int, context_bytes: int, events: int) -> Request:
    batch = [{"type": "track", "event": "Clicked", **_event(run, who)} for _ in range(events)]
    return Request("/v1/batch", {"batch": batch, "context": {"app": {"name": "y" * context_bytes}}})


def _alias(run: str, who: int, other: int) -> Request:
    return Request("/v1/alias", _event(run, who) | {"userId": f"{run}-u{who}", "previousId": f"{run}-a{other}"})


def _group(run: str, who: int, traits: Json) -> Request:
    return Request("/v1/group", _event(run, who) | {"groupId": f"{run}-g{who}", "traits": traits})


def _event(run: str, who: int) -> Json:
    return {"anonymousId": f"{run}-a{who}", "messageId": f"{run}-m{next(_SALTS)}"}


def _texts(most: int) -> st.SearchStrategy[str]:
    """Quotes, braces, line breaks, letters of four bytes; short ones, and ones that repeat to `most` characters."""
    letters = st.text(alphabet="aZ 0{}\"'\\\n\t<>%äß語🙂", min_size=1, max_size=12)
    return st.one_of(letters, st.builds(lambda text, times: (text * times)[:most], letters, st.integers(1, most)))


def _named_traits() -> st.SearchStrategy[Json]:
    return st.dictionaries(
        st.sampled_from(NAMED), st.one_of(_texts(1_900), st.integers(), _values()), min_size=1, max_size=8
    )


def _values() -> st.SearchStrategy[Any]:
    """Deep, wide, and of the wrong kind."""
    deep = st.builds(_nested, st.integers(1, 55), _texts(40))
    wide = st.builds(lambda text, times: [text] * times, _texts(20), st.integers(1, 150))
    return st.one_of(deep, wide, st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))


def _nested(levels: int, text: str) -> Any:
    value: Any = text
    for level in range(levels):
        value = {f"level{level}": value} if level % 2 else [value]
    return value
