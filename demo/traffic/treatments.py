"""The site asks what to show to a visitor: with its public write key, so that the answer holds catalogue content
only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import httpx

from demo.errors import Trouble
from demo.market.steps import EntryPoint, Step

_EVERY = 8  # pages that have a place for such content


class Teasers:
    """Asks for every eighth page; `shown` counts what was given."""

    def __init__(self, url: str, write_key: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {write_key}"}, timeout=30, transport=transport
        )
        self._pages = 0
        self.shown: Counter[str] = Counter()

    async def look(self, steps: Sequence[Step]) -> None:
        """Some of these steps are pages that ask."""
        for step in steps:
            if step.kind == "page" and step.door is EntryPoint.SITE:
                self._pages += 1
                if self._pages % _EVERY == 0:
                    await self._ask(step)

    async def _ask(self, step: Step) -> None:
        wish = {"anonymous_id": step.anonymous_id, "channel": "web", "context": {"page": step.data["path"]}}
        answer = await self._http.post("/v1/treatments:select", json=wish)
        if not answer.is_success:
            raise Trouble(
                f"The site got no treatment: POST /v1/treatments:select gives {answer.status_code} {answer.text[:200]}"
            )
        treatment = answer.json()["treatment"]
        self.shown[treatment["name"] if treatment else "(nothing fits)"] += 1

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()
