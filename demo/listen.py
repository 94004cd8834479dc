"""A rep's alerts on NATS as they come, by plain nats-py: `python -m demo.listen`, after sourcing what the demo
wrote.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import nats

from demo.screen import say


async def listen() -> None:
    """Print the headline of every alert, until Ctrl-C."""
    known = {name: os.environ[f"DEMO_REP_NATS_{name}"] for name in ("URL", "LIVE_USER", "PASSWORD", "SUBJECT")}
    who = {"user": known["LIVE_USER"], "password": known["PASSWORD"]}
    client = await nats.connect(known["URL"], error_cb=_tell, **who)
    subscription = await client.subscribe(known["SUBJECT"])
    say(f"listening to {known['SUBJECT']}; run `make demo` again elsewhere, and Ctrl-C ends this")
    async for message in subscription.messages:
        alert = json.loads(message.data)
        say(f"{alert['kind']:<9} {alert['headline']}")


async def _tell(error: Exception) -> None:
    say(f"NATS: {error}; trying again")


def main() -> int:
    """Exit code 1: nobody said whose alerts."""
    try:
        asyncio.run(listen())
    except KeyboardInterrupt:
        return 0
    except KeyError as missing:
        say(f"{missing} is not set; source the files that `make demo` names at its end")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
