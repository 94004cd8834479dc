"""NATS as an operator reaches it: once, quietly, and not for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chassis.bus.broker import Broker

CONNECT_SECONDS = 5.0


class BusUnreachable(Exception):
    """NATS does not let us in, or is not there."""


def be_quiet() -> None:
    """What the chassis logs of its tries is for services; a command says once what came of them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


@asynccontextmanager
async def bus(url: str) -> AsyncIterator[Broker]:
    """The bus at `url`. Raises BusUnreachable, which names no address: it may hold a password."""
    be_quiet()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            broker = await Broker.connect(url, "rapport")
    except (TimeoutError, OSError, ValueError):
        raise BusUnreachable(f"NATS does not let us in within {CONNECT_SECONDS:.0f} s") from None
    try:
        yield broker
    finally:
        await broker.close()
