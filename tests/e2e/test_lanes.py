"""With several lanes the same stories come out the same: what is about one person may travel in several, each in order
for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import test_merge_and_split as regrouping
from tests.e2e import test_real_clients as clients
from tests.support.suite import Suite, running_suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]


@pytest.fixture(scope="module")
def laned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with running_suite(tmp_path_factory.mktemp("lanes"), "--lanes", "4") as suite:
        yield suite


async def test_merge_and_split_leave_no_trace(laned: Suite) -> None:
    await regrouping.test_merge_and_split_leave_no_trace_in_identity_or_scores(laned)


@pytest.mark.skipif(not clients.CAPTURES.exists(), reason="../shared/data/sdk_captures is not beside this checkout")
async def test_recorded_sdks_become_one_scored_person_once(laned: Suite) -> None:
    await clients.test_recorded_sdks_become_one_scored_person(laned)
    await clients.test_every_recorded_event_is_in_the_timeline_once(laned)
