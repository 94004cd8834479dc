"""The streams of a service: laid when it joins the bus, and laid anew when somebody takes one away while it runs.

Whoever writes a stream owns it and alone may change it. A reader lays what it hears only at its start, where its owner
may come later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused
from chassis.clock import wall_clock
from chassis.errors import Unavailable
from chassis.readiness import Finding

log = structlog.get_logger(__name__)

NOT_LAID = "its streams are not laid yet"
_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 3.0  # one short question a stream; a loss is mended before anybody's patience ends
_STREAM_NOT_FOUND = 10059
_LOST = "What it held comes back from a backup alone (docs/backup.md); this is told until the process starts anew"


@dataclass(frozen=True, slots=True)
class StreamLayout:
    """`own`: written here; `heard`: others'. `laid_anew`: those that were gone, and when that was found."""

    own: Sequence[str]
    heard: Sequence[str]
    replicas: int
    kept_days: Mapping[str, int]
    laid_anew: dict[str, str] = field(default_factory=dict)

    async def losses(self) -> Sequence[Finding]:
        """To be noted: a stream that was made anew is empty."""
        return [
            Finding(f"stream {name}", f"it was gone at {moment}, and was laid anew, empty", _LOST, is_note=True)
            for name, moment in self.laid_anew.items()
        ]


async def lay(broker: Broker, layout: StreamLayout) -> None:
    """Returns when all are there; until then `broker.obstacle` says what is in the way."""
    await broker.connected()
    while True:
        try:
            await broker.ensure_streams(layout.own, replicas=layout.replicas, kept_days=layout.kept_days)
            gone = [name for name in layout.heard if await _is_gone(broker, name)]  # their owner may start later
            await broker.ensure_streams(gone, replicas=layout.replicas)
        except (Unavailable, ApiRefused) as error:
            obstacle = f"{NOT_LAID}: {error}"
            if obstacle != broker.obstacle:
                log.warning("streams.awaited", reason=str(error))
            broker.obstacle = obstacle
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


async def keep_laid(broker: Broker, layout: StreamLayout) -> None:
    """Until cancelled: lay anew what of `own` is gone. Readers find their place in it by themselves."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            if gone := [name for name in layout.own if await _is_gone(broker, name)]:
                await _lay_anew(broker, layout, gone)
        except (Unavailable, ApiRefused):
            continue  # what is amiss with NATS is told by the broker's own watch
        except Exception as error:  # a mistake of ours: the watch may not end
            log.error("streams.unwatched", error=repr(error))


async def _lay_anew(broker: Broker, layout: StreamLayout, gone: Sequence[str]) -> None:
    log.error("streams.gone", streams=gone)
    broker.obstacle = f"{', '.join(gone)}: the stream is gone, and is being laid anew"
    await lay(broker, replace(layout, own=gone, heard=()))
    broker.obstacle = ""
    layout.laid_anew.update(dict.fromkeys(gone, wall_clock().isoformat(timespec="seconds")))
    log.error("streams.laid_anew", streams=gone, remedy=_LOST)


async def _is_gone(broker: Broker, name: str) -> bool:
    try:
        await broker.request(f"STREAM.INFO.{name}")
    except ApiRefused as refusal:
        if refusal.code != _STREAM_NOT_FOUND:
            raise
        return True
    return False
