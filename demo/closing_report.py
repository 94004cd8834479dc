"""The last pages: read from the API when all services have caught up, and printed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.api import Api
from demo.cast.roster import Hired
from demo.play import PlayOutcome
from demo.screen import say
from demo.setup import pages
from demo.show.alert import alert_page, receipts_page
from demo.show.hints import Trail, env_text, hints_page
from demo.show.reports import campaigns_page, funnel_page
from demo.show.tables import wrapped
from demo.suite import DemoTarget

_SAME_FOR = 3  # readings
_BETWEEN_SECONDS = 0.4
_AT_MOST = 50


async def show(api: Api, target: DemoTarget, outcome: PlayOutcome, hired: list[Hired]) -> None:
    """Everything that can be said about this run."""
    funnel, campaigns = await _settled_reports(api)
    first = outcome.first
    process = await api.get("/v1/lifecycle/process")
    stages = [stage["name"] for stage in sorted(process["stages"], key=lambda stage: int(stage["order"]))]
    receipts = [receipt async for receipt in pages(api, f"/v1/people/{first.person_id}/receipts")]
    for line in _summary(outcome):
        say(wrapped(line))
    said = (
        funnel_page(funnel),
        campaigns_page(campaigns),
        alert_page(first.alert, first.rep, first.way),
        receipts_page(receipts, stages),
    )
    for page in said:
        say(page)
    by_nats = next(rep for rep in hired if rep.nats is not None)
    assert by_nats.nats is not None
    env_file = target.var / "demo.env"
    _write_private(env_file, env_text(by_nats.api_key, by_nats.nats))
    say(hints_page(Trail(target.url, target.var, first.person_id, by_nats.seat.name, env_file)))


def _summary(outcome: PlayOutcome) -> Iterator[str]:
    yield f"{outcome.captures} captures in {outcome.seconds:.0f} s. {_deeds(outcome.state.done)}"
    asked, shown = sum(outcome.teasers.values()), _counted(outcome.teasers)
    yield f"The site asked for a treatment {asked} times and showed: {shown}."
    refusals = outcome.state.refusals
    if refusals:
        yield f"{len(refusals)} orders of reps were refused, the first one with {refusals[0]}"


async def _settled_reports(api: Api) -> tuple[Any, Any]:
    """The funnel and the campaigns, once they stay the same: metrics hears of everything a moment later."""
    last: Any = None
    same = 0
    for _ in range(_AT_MOST):
        read = [await api.get("/v1/reports/funnel"), await api.get("/v1/reports/campaigns")]
        figures = [(report["rows"], report["total"]) for report in read]
        same = same + 1 if figures == last else 0
        last = figures
        if same >= _SAME_FOR:
            break
        await asyncio.sleep(_BETWEEN_SECONDS)
    return read[0], read[1]


def _deeds(done: dict[str, int]) -> str:
    words = {
        "accepted": "accepted",
        "returned": "returned",
        "reassigned": "handed over",
        "recycle": "recycled",
        "qualify": "qualified",
    }
    words |= {"open": "deals opened", "win": "won", "lose": "lost"}
    return f"The reps: {', '.join(f'{done[key]} {word}' for key, word in words.items() if done[key])}."


def _counted(shown: dict[str, int]) -> str:
    return (
        ", ".join(f"{name} ({count})" for name, count in sorted(shown.items(), key=lambda each: -each[1])) or "nothing"
    )


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(text)
