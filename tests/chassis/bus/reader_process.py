"""A service of one consumer in a process of its own, to be killed: `python -m tests.chassis.bus.reader_process URL`.

Writes the number of each message it applies on a line of its own. HANG is never finished.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer
from chassis.message import Received
from tests.chassis.bus.builders import HANG, Unremembered, number_of
from tests.chassis.bus.readers import SMALL


async def apply(batch: Sequence[Received]) -> None:
    for message in batch:
        if message.body == HANG.body:
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            await asyncio.Event().wait()
        sys.stdout.write(f"{number_of(message)}\n")
    sys.stdout.flush()


async def main(url: str) -> None:
    broker = await Broker.connect(url, "reader")
    await Consumer(broker, SMALL, Unremembered(apply, SMALL)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
