"""A platform that believes the probes gets through whatever state the suite is in: what is broken says so, and nothing
is restarted in vain, lost, or done twice.

One suite walks through all states, in any order: each leaves it as sound as it was. The stores
are SQLite, each on the suite's own disk.
"""

from __future__ import annotations

import pytest

from tests.faults.states.state import State
from tests.faults.states.walk import STATES, gets_through
from tests.support.installation import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(720), pytest.mark.asyncio(loop_scope="module")]

DIALECT = "sqlite"


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name.replace(" ", "_"))
async def test_a_platform_that_believes_the_probes_gets_through(here: Installation, state: State) -> None:
    await gets_through(here, state)
