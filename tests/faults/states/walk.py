"""All states in any order, and what holds after each of them."""

from __future__ import annotations

from collections import Counter

import pytest

from embedded.plan import SERVICES
from tests.faults.states import broker, history, rulebooks, sizes
from tests.faults.states.state import State
from tests.support.installation import Installation
from tests.support.supervisor import READY

EVERYTHING = (*SERVICES, "gateway", "nats")

STATES = [
    State("oversized profile", sizes.an_oversized_profile),
    State("context bomb", sizes.a_context_bomb),
    State("late flood", sizes.a_late_flood),
    State("stale draft", rulebooks.a_stale_draft, unready=("scoring",), restarts=("scoring",)),
    State(
        "stale active rulebook",
        rulebooks.an_active_rulebook_that_no_longer_compiles,
        unready=("scoring",),
        restarts=("scoring",) * 3,
        remains=("scoring: rulebook: scoring@1 does not compile",),
    ),
    State("refused event", broker.an_event_that_the_broker_refuses),
    State("full disk", broker.a_full_disk, unready=EVERYTHING, restarts=("nats",), needs_disk=True),
    State("no nats at the start", broker.no_nats_at_the_start, unready=EVERYTHING, restarts=broker.LATECOMERS),
    State("other lanes", history.other_lanes, unready=EVERYTHING),
    State("replay of everything", history.a_replay_of_everything),
]


async def gets_through(here: Installation, state: State) -> None:
    """Lets it happen, and compares what the platform saw and did with what it may see and do."""
    if state.needs_disk and here.disk is None:
        pytest.skip("only root can mount a small disk")
    if here.broken_by:
        pytest.skip(f"the suite did not get over {here.broken_by}")
    platform, here.broken_by = here.platform, state.name
    await platform.until_ready(within=60)
    seen, restarted = len(platform.timeline), len(platform.restarts)
    await state.happens(here)
    await platform.until_ready(within=60)
    unready = {
        sight.process: sight.why for sight in platform.timeline[seen:] if sight.probe == READY and not sight.is_ready
    }
    assert unready.keys() <= set(state.unready), unready
    assert Counter(each.process for each in platform.restarts[restarted:]) == Counter(state.restarts), (
        platform.restarts[restarted:]
    )
    here.remains += state.remains
    notes = [f"{process}: {note}" for process in platform.processes for note in platform.notes(process)]
    assert [note for note in notes if not note.startswith(tuple(here.remains))] == []
    here.broken_by = ""
