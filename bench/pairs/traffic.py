"""Invented traffic, the same for every contender of a round but for the names: requests of at most PER_BATCH captures.

`web`: 90 % page views, 8 % track calls, 2 % forms and identify calls (half each), of visitors who come VISITS_EACH
times on average. `new`: first page views of strangers. `returning`: page views, every second one of somebody who has
been here before, the others of strangers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

PER_BATCH = 50
VISITS_EACH = 4
PAGE, TRACK, FORM, IDENTIFY = "page", "track", "form", "identify"
WEB_OF_100 = {PAGE: 90, TRACK: 8, FORM: 1, IDENTIFY: 1}
NAMED_EVERY = 20  # of the people that a store is filled with
_PATHS = ("/", "/product", "/customers", "/blog/how-to", "/pricing", "/about", "/docs/start", "/careers")
_EVENTS = ("Button Clicked", "Video Played", "Article Shared")
_HOT_EVERY = 10  # of the track calls
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

Json = dict[str, Any]


@dataclass(frozen=True)
class TimedRequest:
    """What is posted, encoded before the clock runs, and how many captures it is."""

    path: str
    body: bytes
    content_type: str
    captures: int


def web(name: str, captures: int) -> list[TimedRequest]:
    """Shuffled in the same way every time; a hundred captures have exactly the shares of WEB_OF_100."""
    dice = random.Random(captures)
    kinds = [kind for kind, share in WEB_OF_100.items() for _ in range(share)] * -(-captures // 100)
    dice.shuffle(kinds)
    visitors = max(captures // VISITS_EACH, 1)
    drawn = [(kind, f"{name}-{dice.randrange(visitors)}", number) for number, kind in enumerate(kinds[:captures])]
    return batched(
        [
            (visitor, _call(kind, visitor, number)) if kind != FORM else (visitor, None)
            for kind, visitor, number in drawn
        ]
    )


def new(name: str, captures: int) -> list[TimedRequest]:
    """Each capture is somebody's first."""
    return batched([(f"{name}-{number}", _call(PAGE, f"{name}-{number}", number)) for number in range(captures)])


def returning(name: str, base: str, people: int, captures: int) -> list[TimedRequest]:
    """Half of somebody among the `people` that `filling` called `base`, spread over all of them."""
    dice = random.Random(name)
    who = [f"{base}-{dice.randrange(people)}" if number % 2 else f"{name}-{number}" for number in range(captures)]
    return batched([(visitor, _call(PAGE, visitor, number, mark=name)) for number, visitor in enumerate(who)])


def filling(base: str, people: Sequence[int]) -> Iterator[TimedRequest]:
    """One page view of each of the numbered people, and who every NAMED_EVERY-th is; lazily, because there may be
    many.
    """
    for start in range(0, len(people), PER_BATCH):
        some = people[start : start + PER_BATCH]
        calls = [_call(PAGE, f"{base}-{number}", 0) for number in some]
        calls += [_call(IDENTIFY, f"{base}-{number}", 1) for number in some if number % NAMED_EVERY == 0]
        yield _batch(calls)


def batched(captures: Sequence[tuple[str, Json | None]]) -> list[TimedRequest]:
    """Calls in batches, in order; None stands for a form of that visitor, which is a request of its own, sent where it
    stands.
    """
    requests: list[TimedRequest] = []
    calls: list[Json] = []
    for visitor, call in captures:
        if call is None:
            requests.append(_form(visitor))
            continue
        calls.append(call)
        if len(calls) == PER_BATCH:
            requests.append(_batch(calls))
            calls = []
    return [*requests, _batch(calls)] if calls else requests


def _batch(calls: Sequence[Json]) -> TimedRequest:
    return TimedRequest("/v1/batch", orjson.dumps({"batch": calls}), "application/json", len(calls))


def _form(visitor: str) -> TimedRequest:
    fields = {
        "anonymous_id": visitor,
        "email": f"{visitor}@bench.example",
        "name": f"Bea {visitor}",
        "company": f"Bench {visitor}",
    }
    return TimedRequest("/v1/forms/default", urlencode(fields).encode(), "application/x-www-form-urlencoded", 1)


def _call(kind: str, visitor: str, number: int, *, mark: str = "") -> Json:
    path = _PATHS[number % len(_PATHS)]
    page = {"path": path, "url": f"https://www.bench.example{path}", "title": path[1:].capitalize(), "referrer": ""}
    context: Json = {
        "page": page,
        "userAgent": _AGENT,
        "locale": "en-US",
        "library": {"name": "analytics.js", "version": "2.1"},
    }
    call: Json = {"type": kind, "anonymousId": visitor, "messageId": f"{visitor}-{mark}{number}", "context": context}
    if kind == PAGE:
        return call | {"name": page["title"], "properties": page}
    if kind == TRACK:
        event = "Demo Requested" if number % _HOT_EVERY == 0 else _EVENTS[number % len(_EVENTS)]
        return call | {"event": event, "properties": {"position": number % 7}}
    traits = {
        "email": f"{visitor}@bench.example",
        "title": "Marketing Manager",
        "employees": 120,
        "company": f"Bench {visitor}",
    }
    return call | {"userId": visitor, "traits": traits}
