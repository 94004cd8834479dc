"""Plays a tape in a suite of services: waves of captures, and between them what humans did, each when its moment has
come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.support.market.acts import perform
from tests.support.market.suite import Json, MarketSuite
from tests.support.market.tape import Act, Captured, Item, Tape

WAVE = timedelta(hours=12)
"""Captures so close together are heard at once, when the last one has come, and after what fell due
in between: as if identity had been away.
"""


async def play(suite: MarketSuite, tape: Tape) -> list[str]:
    """Answers what became of the acts. At the end it is `tape.end`."""
    await set_stage(suite, tape.stage)
    outcomes = []
    for wave in waves(tape.items):
        await suite.move_on(wave[-1].at)
        if isinstance(first := wave[0], Act):
            outcomes.append(f"{first.at.isoformat()} {first.verb} {first.who[1]}: {await perform(suite, first)}")
        else:
            await suite.captured([one.message(suite.lanes) for one in wave if isinstance(one, Captured)])
    await suite.move_on(tape.end)
    return outcomes


async def set_stage(suite: MarketSuite, stage: Json) -> None:
    """Reps, campaigns and what these cost."""
    for rep in stage["reps"]:
        await _made(suite, "routing", "/v1/reps", rep)
    campaigns = {
        one["external_id"]: (await _made(suite, "metrics", "/v1/campaigns", one))["campaign_id"]
        for one in stage["campaigns"]
    }
    for cost in stage["costs"]:
        await _made(suite, "metrics", "/v1/costs", {**cost, "campaign_id": campaigns[cost["campaign_id"]]})
    await suite.calm()


def waves(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Runs of captures, each within WAVE of its first one; an act stands alone."""
    begin = 0
    for index, item in enumerate(items):
        if index > begin and (
            isinstance(item, Act) or isinstance(items[begin], Act) or item.at - items[begin].at > WAVE
        ):
            yield items[begin:index]
            begin = index
    if begin < len(items):
        yield items[begin:]


async def _made(suite: MarketSuite, service: str, path: str, wish: Json) -> Json:
    answer = await suite.ask(service, "POST", path, json=wish)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    made: Json = answer.json()
    return made
