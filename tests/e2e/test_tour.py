"""`docs/tour.md` names the files that one event passes from the door to the rep: in each service in that order.

Of the chassis the order is not asked: its loops run all the time.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from tests.support.file_trace import ROOT, traced
from tests.support.market.suite import SERVICES, MarketSuite, open_suite
from tests.support.nats import NatsServer
from tests.unit.gateway.running import WRITE_KEY, Door, gateway_settings, open_door

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOUR = ROOT / "docs" / "tour.md"
MOST_FILES = 25
VISITOR = "browser-of-mara"
FORM = {
    "email": "mara.lindqvist@tidewater.example",
    "name": "Mara Lindqvist",
    "title": "Head of Marketing",
    "company": "Tidewater Freight",
    "employees": "450",
    "anonymous_id": VISITOR,
}


def stops() -> list[str]:
    """The files of the numbered list, in its order."""
    return re.findall(r"(?m)^\d+\. \[`([^`]+)`\]", TOUR.read_text())


def walks() -> list[str]:
    """The files that answer where something is changed."""
    return re.findall(r"(?m)^\| .* \| \[`([^`]+)`\][^|]*\|", TOUR.read_text())


def test_the_tour_is_short_and_all_that_it_names_is_there() -> None:
    assert len(stops()) <= MOST_FILES
    assert len(walks()) == 5
    assert [path for path in (*stops(), *walks()) if not (ROOT / path).is_file()] == []
    links = re.findall(r"\]\((\.\./[^)#]+)\)", TOUR.read_text())
    assert [link for link in links if not (TOUR.parent / link).exists()] == []


def test_what_is_asked_for_in_five_walks_stands_where_the_tour_says() -> None:
    """The name in the last column is defined in the file that is named."""
    rows = re.findall(r"(?m)^\| .* \| \[`([^`]+)`\][^|]*\| `(\w+)` \|", TOUR.read_text())
    assert len(rows) == 5
    assert [(path, name) for path, name in rows if not re.search(rf"\b{name}\b", (ROOT / path).read_text())] == []


async def test_one_event_passes_the_files_of_the_tour_in_their_order(nats_server: NatsServer, tmp_path: Path) -> None:
    stores = {name: f"sqlite:///{tmp_path / name}.db" for name in SERVICES}
    async with (
        open_suite(nats_server.url, stores, datetime.now(UTC)) as suite,
        open_door(gateway_settings(nats_server.url, tmp_path / "gateway.db")) as door,
    ):
        await a_rep_is_there_and_a_visitor_was_interested(suite, door)
        alerts = asyncio.Queue[dict[str, str]]()
        client = await nats.connect(nats_server.url)

        async def heard(message: Msg) -> None:
            await alerts.put(json.loads(message.data))

        await client.subscribe("alerts.>", cb=heard)
        await client.flush()
        with traced() as trace:
            answer = await door.client.post("/v1/forms/default", data=FORM)
            assert answer.is_success, answer.text
            async with asyncio.timeout(120):
                alert = await alerts.get()
        await client.close()
        await suite.calm()
    assert alert["kind"] == "offered"
    for wing in ("gateway/", "services/identity/", "services/scoring/", "services/lifecycle/", "services/routing/"):
        named = [path for path in stops() if path.startswith(wing)]
        assert [path for path in trace.files if path in named] == named, trace.files
    assert set(stops()) <= set(trace.files)


async def a_rep_is_there_and_a_visitor_was_interested(suite: MarketSuite, door: Door) -> None:
    hired = await suite.ask("routing", "POST", "/v1/reps", json={"name": "Ana Ruiz"})
    assert hired.status_code == 201, hired.text
    batch = [
        {"type": "page", "anonymousId": VISITOR, "messageId": "1", "properties": {"path": "/pricing"}},
        {"type": "track", "anonymousId": VISITOR, "messageId": "2", "event": "Demo Requested"},
    ]
    answer = await door.client.post("/v1/batch", json={"batch": batch}, auth=(WRITE_KEY, ""))
    assert answer.is_success, answer.text
    await suite.calm()
