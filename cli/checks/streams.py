"""The streams and durables on NATS beside those of the catalogue: what is missing is missing, however quiet it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused
from chassis.bus.streams import DEAD
from cli.checks.diagnosis import Diagnosis, bad, fine
from deployment.nats_config import BUS_USERS, BusUser

_CHECK = "streams"
_NOT_FOUND = 10059
_LAID_BY = {owner.upper(): user.name for user in BUS_USERS for owner in user.says}


async def look(broker: Broker) -> Diagnosis:
    """Whether all are there. Raises BrokerUnavailable and ApiRefused."""
    found: dict[str, Mapping[str, Mapping[str, Any]] | None] = {}
    for name in (*sorted(_LAID_BY), DEAD):
        found[name] = await _durables(broker, name)
    amiss = [*_missing_streams(found), *_missing_durables(found)]
    if not amiss:
        return fine(_CHECK, f"all {len(found)} are there, and each is read by whom it should be")
    return bad(
        _CHECK,
        "; ".join(amiss),
        "A service that runs lays what it writes and what it reads by within seconds: start the one that is named. A"
        " stream that is laid anew is empty: what it held comes back from a backup alone (docs/backup.md).",
    )


def _missing_streams(found: Mapping[str, object]) -> Iterator[str]:
    for name, durables in found.items():
        if durables is None:
            yield f"the stream {name} is gone ({_LAID_BY.get(name, 'any service')} lays it)"


def _missing_durables(found: Mapping[str, Mapping[str, Mapping[str, Any]] | None]) -> Iterator[str]:
    for user in BUS_USERS:
        for stream in map(str.upper, user.hears):
            if (durables := found.get(stream)) is not None and (missing := _missing_lanes(user, durables)):
                yield f"{user.name} does not read {stream}: no durable {', '.join(missing)}"


def _missing_lanes(user: BusUser, durables: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    own = {name: info for name, info in durables.items() if name.partition("-")[0] == user.name}
    lanes = [(info.get("config", {}).get("metadata") or {}).get("lanes", "1") for info in own.values()]
    wanted = max([int(number) for number in lanes if str(number).isdigit()], default=1)
    names = [user.name] if wanted == 1 else [f"{user.name}-{lane}" for lane in range(wanted)]
    return [name for name in names if name not in own]


async def _durables(broker: Broker, stream: str) -> Mapping[str, Mapping[str, Any]] | None:
    """By name; None: there is no such stream."""
    found: dict[str, Mapping[str, Any]] = {}
    listed = 0
    while True:  # they come in pages
        try:
            page = await broker.request(f"CONSUMER.LIST.{stream}", {"offset": listed})
        except ApiRefused as refusal:
            if refusal.code == _NOT_FOUND:
                return None
            raise
        consumers = page.get("consumers") or []
        found |= {one["name"]: one for one in consumers}
        listed += len(consumers)
        if not consumers or listed >= page["total"]:
            return found
