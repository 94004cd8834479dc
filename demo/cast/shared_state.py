"""What the reps share: the market's fates, its clock, the manager, and what happened so far."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from demo.api import Api
from demo.clock import MarketClock
from demo.market.timeline import Market


@dataclass(frozen=True)
class FirstAlert:
    """The first lead that reached a rep: which, who heard of it how, and how long it took."""

    referral_id: str
    person_id: str
    rep: str
    way: str
    alert: dict[str, Any]
    after_seconds: float


@dataclass
class SharedState:
    """`begun` is the moment (monotonic) the traffic began."""

    market: Market
    clock: MarketClock
    manager: Api
    begun: float = field(default_factory=time.monotonic)
    first_alert: asyncio.Future[FirstAlert] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    owner_of_key_account: str | None = None
    done: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    _passed_on: set[str] = field(default_factory=set)

    def passes_on(self, referral_id: str) -> bool:
        """Whether this referral goes to another rep now; it does so once."""
        is_first = referral_id not in self._passed_on
        self._passed_on.add(referral_id)
        return is_first

    def heard(self, first: FirstAlert) -> None:
        """A rep heard of a lead."""
        if not self.first_alert.done():
            self.first_alert.set_result(first)

    def seconds(self) -> float:
        """Since the traffic began."""
        return time.monotonic() - self.begun
