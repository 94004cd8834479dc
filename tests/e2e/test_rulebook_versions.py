"""Rulebooks that a later release cannot compile any more: drafts harm nobody, the active one makes the service wait,
older ones are stood in for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.settings import ServiceSettings
from chassis.store.database import Database
from services.lifecycle.main import create_service as create_lifecycle
from services.lifecycle.settings import LifecycleSettings
from services.nurture.main import create_service as create_nurture
from services.nurture.settings import NurtureSettings
from services.routing.main import create_service as create_routing
from services.routing.settings import RoutingSettings
from services.scoring.main import create_service as create_scoring
from services.scoring.settings import ScoringSettings
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.people import per
from tests.support.service import PUBLIC_KEY, RunningService, running, tell
from tests.unit.scoring.builders import identified, recognized
from tests.unit.scoring.service_words import recorded, view

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
VP = {"title": "VP Marketing", "email": "ada@acme.example"}


@dataclass(frozen=True)
class Deciding:
    """One of the services that decide."""

    name: str
    settings: type[ServiceSettings]
    create: Callable[[Any], Service]

    def service(self, store_url: str, nats_url: str) -> Service:
        return self.create(self.settings(database_url=store_url, nats_url=nats_url, token_public_key=PUBLIC_KEY))

    @property
    def default(self) -> str:
        return (ROOT / f"services/{self.name}/rulebooks/default.yaml").read_text()


SCORING = Deciding("scoring", ScoringSettings, create_scoring)
ALL = [
    SCORING,
    Deciding("lifecycle", LifecycleSettings, create_lifecycle),
    Deciding("nurture", NurtureSettings, create_nurture),
    Deciding("routing", RoutingSettings, create_routing),
]
everywhere = pytest.mark.parametrize("people_kernel", ALL, ids=lambda one: one.name)


def of_old(document: str) -> str:
    """The rulebook as somebody wrote it for a release that had one more fact."""
    return re.sub(r"when: .*", "when: person.rank_of_old == 'vp'", document, count=1)


def place_of_old(document: str) -> str:
    before, _, _ = of_old(document).partition("person.rank_of_old")
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def retitled(document: str, title: str) -> str:
    """The same rules under another title, which makes another version of them."""
    return re.sub(r"title: .*", f"title: {title}", document, count=1)


async def rewrite(url: str, version: int, document: str) -> None:
    """The text of a version as an older release let it in."""
    async with Database(url) as database, database.begin() as session:
        values = {"document": document, "digest": secrets.token_hex(8), "version": version}
        await session.execute(
            text("UPDATE rulebook SET document = :document, digest = :digest WHERE version = :version"), values
        )


async def add_draft(url: str, version: int, document: str) -> None:
    async with Database(url) as database, database.begin() as session:
        await session.execute(
            text(
                "INSERT INTO rulebook (version, digest, state, document, created_at, created_by) "
                "SELECT :version, :digest, 'draft', :document, created_at, created_by FROM rulebook WHERE version = 1"
            ),
            {"version": version, "digest": secrets.token_hex(8), "document": document},
        )


async def ready(service: RunningService) -> dict[str, Any]:
    answer = await service.client.get("/readyz")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def unready(service: RunningService) -> dict[str, Any]:
    answer = await service.client.get("/readyz")
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, [error["field"] for error in body.get("errors", ())]) == (503, ["rulebook"]), (
        answer.text
    )
    return body


async def activate_corrected(client: httpx.AsyncClient, people_kernel: Deciding) -> None:
    """As somebody in marketing would: send the corrected text, then put it in force."""
    draft = await client.post(
        f"/v1/rulebooks/{people_kernel.name}",
        content=retitled(people_kernel.default, "Corrected"),
        headers={"content-type": "text/yaml"},
    )
    assert draft.status_code == 201, draft.text
    activated = await client.post(f"/v1/rulebooks/{people_kernel.name}/{draft.json()['version']}:activate")
    assert activated.status_code == 200, activated.text


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "identity")
    await broker.ensure_streams(["IDENTITY", "SCORING", "DEAD"])
    yield broker
    await broker.close()


@everywhere
async def test_a_draft_that_no_longer_compiles_harms_nobody_and_cannot_be_activated(
    people_kernel: Deciding, store_url: str, nats_server: NatsServer
) -> None:
    async with running(people_kernel.service(store_url, nats_server.url)):
        pass
    await add_draft(store_url, 2, of_old(people_kernel.default))
    async with running(people_kernel.service(store_url, nats_server.url)) as service:
        assert "notes" not in await eventually(lambda: ready(service))
        refused = await service.client.post(f"/v1/rulebooks/{people_kernel.name}/2:activate")
        assert (refused.status_code, place_of_old(people_kernel.default) in refused.text) == (422, True), refused.text
        listed = (await service.client.get(f"/v1/rulebooks/{people_kernel.name}")).json()["items"]
        assert [(one["version"], one["state"]) for one in listed] == [(2, "draft"), (1, "active")]


async def test_scoring_scores_beside_a_draft_that_no_longer_compiles(
    store_url: str, nats_server: NatsServer, broker: Broker
) -> None:
    async with running(SCORING.service(store_url, nats_server.url)):
        pass
    await add_draft(store_url, 2, of_old(SCORING.default))
    async with running(SCORING.service(store_url, nats_server.url)) as scoring:
        await tell(broker, recognized(identified(VP, when=NOW, number=1)))
        await recorded(scoring, 1)
        assert (await view(scoring.client, per(1)))["scores"]["cell"] == "B4"
        assert await stored(broker, "DEAD") == []


@everywhere
async def test_an_active_version_that_no_longer_compiles_is_named_until_another_is_activated(
    people_kernel: Deciding, store_url: str, nats_server: NatsServer
) -> None:
    async with running(people_kernel.service(store_url, nats_server.url)):
        pass
    await rewrite(store_url, 1, of_old(people_kernel.default))
    async with running(people_kernel.service(store_url, nats_server.url)) as service:
        (error,) = (await eventually(lambda: unready(service)))["errors"]
        assert f"{people_kernel.name}@1" in error["reason"]
        assert place_of_old(people_kernel.default) in error["reason"]
        assert "person.rank_of_old" in error["reason"]
        assert "ctivate" in error["remedy"]
        assert (await service.client.get("/healthz")).status_code == 200
        await activate_corrected(service.client, people_kernel)
        await eventually(lambda: ready(service))


async def test_what_is_heard_meanwhile_waits_and_is_applied_once(
    store_url: str, nats_server: NatsServer, broker: Broker
) -> None:
    async with running(SCORING.service(store_url, nats_server.url)):
        pass
    await rewrite(store_url, 1, of_old(SCORING.default))
    async with running(SCORING.service(store_url, nats_server.url)) as scoring:
        await tell(broker, recognized(identified(VP, when=NOW, number=1)))
        (consumer,) = scoring.runtime.consumers
        # a message at fault would be dead after four
        await eventually(lambda: failed_tries(scoring.client, 5), within=15)
        assert "RulebookUncompiled" in consumer.progress.last_error
        answer = await scoring.client.get(f"/v1/scoring/people/{per(1)}")
        assert answer.status_code in (404, 503)
        await activate_corrected(scoring.client, SCORING)
        await recorded(scoring, 1)
        person = await eventually(lambda: view(scoring.client, per(1)))
        assert person["scores"]["cell"] == "B4"
        receipts = (await scoring.client.get(f"/v1/scoring/people/{per(1)}/receipts")).json()["items"]
        assert {receipt["rulebook"] for receipt in receipts} == {"scoring@2"}
        assert consumer.progress.last_error == ""
        assert await stored(broker, "DEAD") == []


async def failed_tries(client: httpx.AsyncClient, least: int) -> bool:
    lines = [
        line
        for line in (await client.get("/metrics")).text.splitlines()
        if line.startswith("rapport_batch_failures_total{")
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines) >= least


async def test_what_an_older_version_judged_is_judged_as_the_active_one_would(
    store_url: str, nats_server: NatsServer, broker: Broker
) -> None:
    async with running(SCORING.service(store_url, nats_server.url)) as scoring:
        await tell(broker, recognized(identified(VP, when=NOW, number=1)))
        await recorded(scoring, 1)
        await activate_corrected(scoring.client, SCORING)
    await rewrite(store_url, 1, of_old(SCORING.default))
    async with running(SCORING.service(store_url, nats_server.url)) as scoring:
        assert "notes" not in await eventually(lambda: ready(scoring))
        late = identified({"company": {"name": "Acme", "employees": 800}}, when=NOW - timedelta(days=1), number=2)
        await tell(broker, recognized(late))
        await recorded(scoring, 2)
        assert (await view(scoring.client, per(1)))["scores"]["cell"] == "A4"
        (note,) = (await ready(scoring))["notes"]
        assert "scoring@1 does not compile" in note["reason"]
        assert "scoring@2" in note["remedy"]
        assert await stored(broker, "DEAD") == []
