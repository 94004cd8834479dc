"""Every form of subject that somebody could try on another's things, by what it would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple


class Attempt(NamedTuple):
    """A subject, what publishing to it (or listening there) would be, and to whose thing."""

    deed: str
    thing: str
    subject: str


CONSUMER_CALLS = {
    "look": ("CONSUMER.INFO",),
    "pull": ("CONSUMER.MSG.NEXT",),
    "make": ("CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE"),
    "remove": ("CONSUMER.DELETE",),
    "pause": ("CONSUMER.PAUSE",),
    "take over": ("CONSUMER.UNPIN", "CONSUMER.RESET"),
    "move": ("CONSUMER.LEADER.STEPDOWN",),
}
STREAM_CALLS = {
    "look": ("STREAM.INFO", "CONSUMER.NAMES", "CONSUMER.LIST"),
    "read": ("STREAM.MSG.GET", "DIRECT.GET"),
    "lay": ("STREAM.CREATE", "STREAM.UPDATE"),
    "make unnamed": ("CONSUMER.CREATE",),  # takes a name in its body
    "cut": ("STREAM.MSG.DELETE",),
    "empty": ("STREAM.PURGE",),
    "drop": ("STREAM.DELETE",),
    "copy": ("STREAM.SNAPSHOT",),
    "bring back": ("STREAM.RESTORE",),
    "move": ("STREAM.LEADER.STEPDOWN", "STREAM.PEER.REMOVE", "STREAM.PEER.EVACUATE", "STREAM.CANCEL_MOVE"),
}
PREFIXES = ("$JS.API", "$JS.RAPPORT.API")
FIGURES = "1.1.1.1.0"


def of_consumer(stream: str, consumer: str) -> Iterator[Attempt]:
    """What can be done with a consumer, in each form that the server knows."""
    thing = f"{stream}/{consumer}"
    for deed, calls in CONSUMER_CALLS.items():
        for prefix, call in product(PREFIXES, calls):
            yield Attempt(deed, thing, f"{prefix}.{call}.{stream}.{consumer}")
    yield Attempt("make", thing, f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}.{stream.lower()}.made.v1")
    yield Attempt("acknowledge", thing, f"$JS.ACK.{stream}.{consumer}.{FIGURES}")
    for domain, more in product(("_", "RAPPORT"), ("", ".x", ".x.y")):
        yield Attempt("acknowledge", thing, f"$JS.ACK.{domain}.aBcDeFgH.{stream}.{consumer}.{FIGURES}{more}")


def of_two(victim: tuple[str, str], own: tuple[str, str]) -> Iterator[Attempt]:
    """Acknowledgements that name two consumers: `victim`, which the server hears, and one that a permission might."""
    (stream, consumer), (my_stream, my_consumer) = victim, own
    thing = f"{stream}/{consumer}"
    for subject in (
        f"$JS.ACK.{stream}.{consumer}.{my_stream}.{my_consumer}.1.1.1",
        f"$JS.ACK.{stream}.{consumer}.1.{my_stream}.{my_consumer}.1.1",
        f"$JS.ACK.{my_stream}.{my_consumer}.{stream}.{consumer}.{FIGURES}",
        f"$JS.ACK.{my_stream}.{my_consumer}.{stream}.{consumer}.{FIGURES}.x",
        f"$JS.ACK._.aBcDeFgH.{stream}.{consumer}.{my_stream}.{my_consumer}.1.1.1",
    ):
        yield Attempt("acknowledge", thing, subject)


def of_stream(stream: str) -> Iterator[Attempt]:
    """What can be done with a stream."""
    for deed, calls in STREAM_CALLS.items():
        for prefix, call in product(PREFIXES, calls):
            yield Attempt(deed, stream, f"{prefix}.{call}.{stream}")
    yield Attempt("read", stream, f"$JS.API.DIRECT.GET.{stream}.{stream.lower()}.made.v1")
    yield Attempt("copy", stream, f"$JS.SNAPSHOT.ACK.{stream}.x")
    yield Attempt("bring back", stream, f"$JS.SNAPSHOT.RESTORE.{stream}.x")
    yield Attempt("say", stream, f"{stream.lower()}.made.up.v1.0")
    yield Attempt("try", stream, f"probe.{stream.lower()}")


def of_the_server(users: Sequence[str]) -> Iterator[Attempt]:
    """What can be asked of the server itself, and said to whom it answers."""
    for call in ("INFO", "STREAM.NAMES", "STREAM.LIST"):
        for prefix in PREFIXES:
            yield Attempt("look", "streams", f"{prefix}.{call}")
    for call in ("ACCOUNT.PURGE.RAPPORT", "META.LEADER.STEPDOWN", "SERVER.REMOVE", "SERVER.EVACUATE", "META.RESCUE"):
        yield Attempt("govern", "server", f"$JS.API.{call}")
    for call in ("PING", "PING.CONNZ", "x.CONNZ", "x.VARZ", "x.RELOAD", "x.LDM"):
        yield Attempt("govern", "server", f"$SYS.REQ.SERVER.{call}")
    for account in ("RAPPORT", "REPS", "REPS_LIVE", "OBSERVERS", "$SYS"):
        yield Attempt("list", f"connections of {account}", f"$SYS.REQ.ACCOUNT.{account}.CONNZ")
        yield Attempt("govern", "server", f"$SYS.REQ.ACCOUNT.{account}.INFO")
    yield Attempt("end", "connections", "$SYS.REQ.SERVER.x.KICK")
    yield Attempt("ask", "callout", "$SYS.REQ.USER.AUTH")
    yield Attempt("answer", "callout", "$SYS._INBOX.x.y")
    for user in users:
        yield Attempt("answer", user, f"_INBOX_{user}.x.y")
    yield Attempt("answer", "anybody", "_INBOX.x.y")
    yield Attempt("say", "gateway.rejected", "gateway.rejected.src_x")


def to_hear(streams: Sequence[str], users: Sequence[str], reps: Sequence[str]) -> Iterator[Attempt]:
    """Where somebody might listen."""
    for stream in streams:
        yield Attempt("hear", stream, f"{stream.lower()}.>")
    for rep_id in reps:
        yield Attempt("hear", f"alerts of {rep_id}", f"alerts.rep.{rep_id}.>")
    for user in users:
        yield Attempt("hear", f"answers to {user}", f"_INBOX_{user}.>")
    yield Attempt("hear", "everything", ">")
    yield Attempt("hear", "gateway.rejected", "gateway.rejected.>")
    for subject in ("$JS.>", "$JS.API.>", "$JS.ACK.>", "$JS.RAPPORT.API.>"):
        yield Attempt("hear", "the API", subject)
    yield Attempt("hear", "passwords", "$SYS.REQ.USER.AUTH")
    yield Attempt("hear", "the server", "$SYS.>")
