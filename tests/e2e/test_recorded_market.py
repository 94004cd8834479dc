"""It is the same suite: five weeks of a recorded market come out as they did when they were recorded.

The tape and its golden digest (tests/data) were made at the commit before "everything has a size". A
difference here is a change of behaviour: it is either a mistake, or it is written down in an ADR and the
golden digest is changed by hand, line by line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.market.digest import digest
from tests.support.market.player import play
from tests.support.market.suite import SERVICES, open_suite
from tests.support.market.tape import TAPE, read_tape
from tests.support.nats import NatsServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GOLDEN = TAPE.with_name("market.digest.json")
_MOST_SHOWN = 60


async def test_a_recorded_market_gives_the_same_people_scores_stages_and_reports(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    tape = read_tape()
    stores = {name: f"sqlite:///{tmp_path / name}.db" for name in SERVICES}
    async with open_suite(nats_server.url, stores, tape.begin) as suite:
        came = await digest(suite, tape, await play(suite, tape))
    kept = tmp_path / "market.digest.json"
    kept.write_text(json.dumps(came, ensure_ascii=False, indent=1) + "\n")
    differences = list(_differences(json.loads(GOLDEN.read_text()), came))
    if differences:
        shown = "\n".join(differences[:_MOST_SHOWN])
        pytest.fail(f"{len(differences)} answers of the market are different ({kept}):\n{shown}", pytrace=False)


def _differences(golden: Any, came: Any) -> Iterator[str]:
    """A line for each answer that is another one: where it stands, what it was, what it is."""
    before, after = dict(_leaves(golden)), dict(_leaves(came))
    for place in dict.fromkeys((*before, *after)):
        was, now = before.get(place, "(nothing)"), after.get(place, "(nothing)")
        if was != now:
            yield f"{place}: {was} -> {now}"


def _leaves(told: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every single value with its path; items of a list by what they are, so that one more does not shift all
    others.
    """
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _leaves(value, f"{place}/{key}")
    elif isinstance(told, list) and all(isinstance(item, str) for item in told):
        yield from ((f"{place}/{item}", "there") for item in told)
    elif isinstance(told, list):
        for index, item in enumerate(told):
            yield from _leaves(item, f"{place}/{index}")
    else:
        yield place, json.dumps(told, ensure_ascii=False)
