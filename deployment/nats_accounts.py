"""The accounts of the nats-server beside that of the services: what their users reach of it, and by which doors.

A permission does not cover the reply subject of what is published, and JetStream answers to whatever stands there: a
reader beside the services could have an answer sent to `$JS.API.STREAM.PURGE.CAPTURE`, or onto any stream. Answers to
an account of their own stay in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any, Final

from chassis.bus.streams import ack_subjects
from contracts.limits import GRANTED_BYTES, GRANTED_SUBSCRIPTIONS

HOUSE: Final = "RAPPORT"
REPS: Final = "REPS"
"""Reps who pull their alerts and acknowledge them."""
REPS_LIVE: Final = "REPS_LIVE"
"""Reps who listen to alerts as they come. Nobody can have an answer sent to what they listen to: nobody may publish
there.
"""
OBSERVERS: Final = "OBSERVERS"
SYSTEM: Final = "$SYS"
"""The server's own; it keeps the name that servers of a cluster have filed their state under."""

OBSERVER: Final = "observer"
REVOKER: Final = "revoker"
REVOKER_INBOX: Final = f"_INBOX_{REVOKER}"

LOOKS: Final = (
    "INFO",
    "STREAM.INFO.*",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.MSG.GET.*",
    "CONSUMER.INFO.*.*",
    "CONSUMER.NAMES.*",
    "CONSUMER.LIST.*",
)
"""Questions of JetStream's API that change nothing and bring nothing but their answer."""

_PULL, _INFO = "$JS.API.CONSUMER.MSG.NEXT.ALERTS.*", "$JS.API.CONSUMER.INFO.ALERTS.*"
_ACKS: Final = ack_subjects("ALERTS", "*")
_LIVE = "alerts.rep.>"
_LIMITS: Final = {"max_subscriptions": GRANTED_SUBSCRIPTIONS, "max_payload": GRANTED_BYTES}  # of each connection

Section = dict[str, Any]


def exports(owners: Iterable[str]) -> list[Section]:
    """What the house lets out: to reps pulls, questions about a consumer and acknowledgements; to those who listen,
    alerts; to an observer, everything that is said and every question.
    """
    pulls = {"service": _PULL, "response_type": "stream"}
    to_reps = [{**one, "accounts": [REPS]} for one in (pulls, *({"service": subject} for subject in (_INFO, *_ACKS)))]
    to_observers: list[Section] = [
        *({"service": f"$JS.API.{look}", "accounts": [OBSERVERS]} for look in LOOKS),
        *({"stream": subject, "accounts": [OBSERVERS]} for subject in _said(owners)),
    ]
    return [*to_reps, {"stream": _LIVE, "accounts": [REPS_LIVE]}, *to_observers]


def outer_accounts(owners: Iterable[str], observer: Section, revoker: Section) -> dict[str, Section]:
    """Every account but the house's. Reps come into theirs by the callout."""
    return {
        REPS: {"imports": _imports_of_reps(), "limits": _LIMITS},
        REPS_LIVE: {"imports": [_from_house("stream", _LIVE)], "limits": _LIMITS},
        OBSERVERS: {
            "users": [observer],
            "imports": [
                *(_by_domain(f"$JS.API.{look}") for look in LOOKS),
                *(_from_house("stream", subject) for subject in _said(owners)),
            ],
            # the account would answer for itself what comes without a domain: that it keeps no streams
            "mappings": {f"$JS.API.{look}": _numbered(f"$JS.{HOUSE}.API.{look}") for look in LOOKS},
        },
        SYSTEM: {"users": [revoker]},
    }


def observing() -> tuple[list[str], list[str]]:
    """What an observer may publish and subscribe to: questions; what is said, and the answers."""
    asks = [f"$JS.{domain}API.{look}" for domain in ("", f"{HOUSE}.") for look in LOOKS]
    return asks, [">"]


def revoking() -> tuple[list[str], list[str]]:
    """What the revoker may: list who is connected in the accounts of reps, and end a connection."""
    lists = [f"$SYS.REQ.ACCOUNT.{account}.CONNZ" for account in (REPS, REPS_LIVE)]
    return [*lists, "$SYS.REQ.SERVER.*.KICK"], [f"{REVOKER_INBOX}.>"]


def _said(owners: Iterable[str]) -> list[str]:
    return sorted({f"{owner}.>" for owner in (*owners, "dead", "gateway")})


def _imports_of_reps() -> list[Section]:
    """The house's JetStream is a domain to the reps' clients, because their account answers for itself what comes
    without one, pulls excepted.
    """
    at_home = [_from_house("service", subject) for subject in (_PULL, *_ACKS)]
    return [*at_home, *(_by_domain(subject) for subject in (_PULL, _INFO))]


def _from_house(kind: str, subject: str) -> Section:
    return {kind: {"account": HOUSE, "subject": subject}}


def _by_domain(subject: str) -> Section:
    return _from_house("service", subject) | {"to": subject.replace("$JS.", f"$JS.{HOUSE}.", 1)}


def _numbered(subject: str) -> str:
    """`a.*.b.*` as what a mapping leads to: `a.$1.b.$2`."""
    numbers = count(1)
    return ".".join(f"${next(numbers)}" if part == "*" else part for part in subject.split("."))
