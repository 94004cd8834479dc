"""Whoever tries one unknown key after the other from an address is told to wait, longer each time. A key that is known
is served from there all the same: an office shares its address.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.types import Message, Scope, Send

from chassis.errors import WRONG_KEY, TooMany
from chassis.web.problems import MEDIA_TYPE, document
from contracts.rates import ADDRESSES, WRONG_KEYS_SECONDS

_PERIOD_SECONDS: Final = 60


class TooManyWrongKeys(TooMany):
    """Too many keys that nobody has came from this address."""

    slug = "too-many-wrong-keys"


class WrongKeys:
    """Counts them by address. `a_minute` of them are answered as what they are; 0: all are."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._tried: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> not yet forgiven, as of when

    def seconds_to_wait(self, address: str) -> int:
        """Count one more; 0: it is answered as ever. Each one beyond the number makes the wait longer."""
        if not self._a_minute:
            return 0
        now, second = self._clock(), self._a_minute / _PERIOD_SECONDS
        count, at = self._tried.get(address, (0.0, now))
        most = self._a_minute + WRONG_KEYS_SECONDS * second
        count = min(most, max(0.0, count - (now - at) * second) + 1)
        self._tried[address] = (count, now)
        self._tried.move_to_end(address)
        if len(self._tried) > ADDRESSES:
            self._tried.popitem(last=False)
        return math.ceil(max(0.0, count - self._a_minute) / second)

    def watched(self, address: str, scope: Scope, send: Send) -> Send:
        """`send`, by which a 401 for an unknown key is counted, and is a 429 when there were too many.

        Whatever answers the request, it says so in the header that is meant for it (`WRONG_KEY`).
        """
        is_replaced = False

        async def send_watched(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] != "http.response.start":
                if not is_replaced:
                    await send(message)
                return
            wait = self.seconds_to_wait(address) if is_wrong_key(message) else 0
            if not wait:
                await send(message)
                return
            is_replaced = True
            problem = TooManyWrongKeys(
                "Too many unknown keys came from your address within a minute",
                retry_after_seconds=wait,
                remedy=f"Wait {wait} s, then send a key that is known; known ones are served all the time",
            )
            body = document(problem, scope["path"])
            headers = [(name, value) for name, value in message["headers"] if name.startswith((b"access-", b"vary"))]
            headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
            headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": problem.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        return send_watched


def is_wrong_key(message: Message) -> bool:
    """Whether an answer begins that says that a key was sent, and is nobody's."""
    return message["status"] == 401 and any(
        name == b"www-authenticate" and value == WRONG_KEY.encode() for name, value in message["headers"]
    )
