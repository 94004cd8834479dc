"""Waiting until every service has heard everything."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from nats.js import JetStreamContext

from bench.pipeline import pending

LOOKS = 3  # in a row: what a service says next shows up at the next one's consumer
_PAUSE_SECONDS = 0.1
_SHORT_PAUSE_SECONDS = 0.02  # near the end, which is to be seen when it comes
_LITTLE = 500  # messages


@dataclass(frozen=True)
class Quiescence:
    """`at`: when the first of the quiet looks was taken (perf_counter).

    `left`: messages that were still to be heard when patience ended.
    """

    at: float
    left: int


async def until_heard(jetstream: JetStreamContext, patience: float) -> Quiescence:
    deadline = time.perf_counter() + patience
    quiet, at, left = 0, 0.0, 0
    while quiet < LOOKS:
        looked = time.perf_counter()
        left = await pending(jetstream)
        at = at if quiet and not left else looked
        quiet = 0 if left else quiet + 1
        if looked > deadline:
            break
        await asyncio.sleep(_SHORT_PAUSE_SECONDS if 0 < left <= _LITTLE else _PAUSE_SECONDS)
    return Quiescence(at, left)
