"""A back-up that stops in the middle of its freeze: keeps writers out of the stores it is given, says so, and waits.

`python -m tests.backup.frozen NAME=URL ...`
"""

from __future__ import annotations

import asyncio
import sys

from backup.installation import Installation
from deployment.catalogue import PROCESSES


async def main() -> None:
    urls = dict(word.split("=", 1) for word in sys.argv[1:])
    everything = {process.name: urls.get(process.name, "sqlite:////none") for process in PROCESSES}
    stores = [store for store in Installation("", everything, {}).held_stores() if store.name in urls]
    for store in stores:
        await store.open()
    await asyncio.gather(*(store.freeze(4) for store in stores))
    sys.stdout.write("frozen\n")
    sys.stdout.flush()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main())
