"""One watcher's place on the stream ALERTS: an ephemeral pull consumer, made anew after the
last alert whenever anything happened to it.

Only so many alerts are asked for as the watcher has taken: one that reads slowly
is waited for, and nothing piles up here.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.bus.broker import Broker
from chassis.bus.delivery import read_delivery
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.protocol import Raw
from chassis.bus.streams import ALERTS
from chassis.message import Received

log = structlog.get_logger(__name__)

Place = int | datetime
"""After the alert with this number, or from this moment on."""

_AT_ONCE = 20  # alerts in one pull, about 10 KB each
_GRACE_SECONDS = 2.0  # a pull that has not ended by then got lost
_PAUSE_SECONDS = 1.0
_FORGOTTEN_SECONDS = 60  # the server removes a consumer that nobody pulls from
_OVER = frozenset({"404", "408"})  # a pull that ended as it should


class AlertReader:
    """Reads `alerts.rep.<rep_id>.>` from `place` on. `rep_id` holds nothing that is special in a subject."""

    def __init__(self, broker: Broker, rep_id: str, place: Place, quiet_seconds: float) -> None:
        self.place = place
        self._broker = broker
        self._subject = f"alerts.rep.{rep_id}.>"
        self._quiet_seconds = quiet_seconds
        self._arrivals: asyncio.Queue[Raw | None] = asyncio.Queue()
        self._consumer: str | None = None
        self._turn = 1  # of the next delivery: they are numbered without gaps
        self._open = 0  # alerts that the running pull may still bring
        self._pulls = 0
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._forget: Callable[[], None] | None = None

    async def start(self) -> None:
        """Listen for answers."""
        self._inbox, self._subscription = await self._broker.listen(self._arrivals.put_nowait)
        self._forget = self._broker.when_reconnected(self._reconnected)

    async def stop(self) -> None:
        """Read no more."""
        if self._forget is not None:
            self._forget()
        if self._subscription is not None:
            with contextlib.suppress(NatsError):
                await self._subscription.unsubscribe()
        if self._consumer is not None:
            await self._broker.send(f"$JS.API.CONSUMER.DELETE.{ALERTS}.{self._consumer}")

    async def next(self) -> list[Received]:
        """Alerts in the order of the stream; none after a quiet while, or while NATS is away."""
        try:
            if self._consumer is None:
                await self._begin()
            if self._open == 0:
                await self._pull()
            async with asyncio.timeout(self._quiet_seconds + _GRACE_SECONDS):
                arrived = [await self._arrivals.get()]
        except TimeoutError:
            self._consumer = None
            return []
        except (BrokerUnavailable, ApiRefused) as error:
            log.warning("alerts.awaited", reason=str(error))
            self._consumer = None
            await asyncio.sleep(_PAUSE_SECONDS)
            return []
        while not self._arrivals.empty():
            arrived.append(self._arrivals.get_nowait())
        return [alert for wire in arrived if (alert := self._take(wire)) is not None]

    def _take(self, wire: Raw | None) -> Received | None:
        if wire is None or self._consumer is None:
            self._consumer = None
            return None
        if wire.subject.startswith(self._inbox):
            self._hear_status(wire)
            return None
        if f".{self._consumer}." not in wire.reply:
            return None  # for a consumer that was given up
        delivery = read_delivery(wire)
        if delivery.turn != self._turn:
            self._consumer = None  # one got lost with a connection: begin again after the last that did not
            return None
        self._turn += 1
        self._open -= 1
        self.place = delivery.message.sequence
        return delivery.message

    def _hear_status(self, wire: Raw) -> None:
        if wire.subject.rpartition(".")[2] != str(self._pulls):
            return  # about an older pull
        if wire.status.partition(" ")[0] in _OVER:
            self._open = 0
        else:
            self._consumer = None  # the server gave it up, or knows nothing of it

    async def _begin(self) -> None:
        name = f"gateway-{secrets.token_hex(8)}"
        config = {
            "name": name,
            "filter_subject": self._subject,
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(_FORGOTTEN_SECONDS * 1e9),
            **_from(self.place),
        }
        self._turn, self._open = 1, 0
        await self._broker.request(
            f"CONSUMER.CREATE.{ALERTS}.{name}.{self._subject}",
            {"stream_name": ALERTS, "config": config, "action": "create"},
        )
        self._consumer = name

    async def _pull(self) -> None:
        self._pulls += 1
        self._open = _AT_ONCE
        order = orjson.dumps({"batch": _AT_ONCE, "expires": int(self._quiet_seconds * 1e9)})
        if not await self._broker.send(
            f"$JS.API.CONSUMER.MSG.NEXT.{ALERTS}.{self._consumer}", order, reply=f"{self._inbox}.{self._pulls}"
        ):
            raise BrokerUnavailable("not connected to NATS")

    async def _reconnected(self) -> None:
        await self._arrivals.put(None)


async def newest(broker: Broker) -> int:
    """The number of the last alert there is, whosever it is. Raises BrokerUnavailable."""
    try:
        state: dict[str, Any] = (await broker.request(f"STREAM.INFO.{ALERTS}"))["state"]
    except ApiRefused:
        return 0  # routing has not started yet, and laid no stream
    return int(state["last_seq"])


def _from(place: Place) -> dict[str, Any]:
    if isinstance(place, int):
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": place + 1}
    return {"deliver_policy": "by_start_time", "opt_start_time": place.isoformat()}
