"""The scoring rulebook over HTTP: which version decides, and who may change that."""

from __future__ import annotations

import httpx

from chassis.bus.broker import Broker
from chassis.web.auth import Principal
from contracts.events.scoring import RulebookActivated
from services.scoring.main import create_service
from services.scoring.settings import ScoringSettings
from tests.support.people import per
from tests.support.service import RunningService, running, tell, token
from tests.unit.scoring.builders import recognized
from tests.unit.scoring.service_words import demo, everything, recorded, said


async def test_a_new_store_starts_with_the_default_rulebook_and_says_so_once(
    settings: ScoringSettings, broker: Broker
) -> None:
    for _ in range(2):
        async with running(create_service(settings)) as scoring:
            (listed,) = (await scoring.client.get("/v1/rulebooks/scoring")).json()["items"]
            assert (listed["version"], listed["state"]) == (1, "active")
    (activated,) = await said(broker, RulebookActivated)
    assert (activated.version, activated.digest) == (1, listed["digest"])


async def test_drafts_are_checked_and_only_those_whose_examples_pass_are_activated(
    client: httpx.AsyncClient, broker: Broker, scoring: RunningService
) -> None:
    default = (await client.get("/v1/rulebooks/scoring/1")).json()["text"]
    refused = await client.post(
        "/v1/rulebooks/scoring", content=default.replace("person.seniority ==", "person.senority ==", 1)
    )
    assert refused.status_code == 422
    assert "line" in refused.json()["errors"][0]["field"]
    assert "senority" in refused.json()["errors"][0]["reason"]
    same = await client.post("/v1/rulebooks/scoring", json={"text": default})
    assert same.json()["version"] == 1
    contradicting = await client.post(
        "/v1/rulebooks/scoring",
        content=default.replace("points: 50, half_life_days: 30", "points: 49, half_life_days: 30"),
    )
    assert (contradicting.status_code, contradicting.json()["version"], contradicting.json()["state"]) == (
        201,
        2,
        "draft",
    )
    assert (await client.post("/v1/rulebooks/scoring/2:activate")).status_code == 422
    better = default.replace("points: 50", "points: 70").replace("reaches: '2'", "reaches: '1'")
    assert (await client.post("/v1/rulebooks/scoring", content=better)).json()["version"] == 3
    answer = await client.post("/v1/rulebooks/scoring/3:activate")
    assert (answer.status_code, answer.json()["state"], answer.json()["activated_by"]) == (200, "active", "tester")
    await tell(broker, recognized(demo(1)))
    await recorded(scoring, 1)
    (receipt,) = await everything(client, f"/v1/scoring/people/{per(1)}/receipts")
    assert (receipt["rulebook"], receipt["contribution"]["points"]) == ("scoring@3", 70)
    assert (await client.post("/v1/rulebooks/scoring/3:activate")).status_code == 409
    assert [row["state"] for row in (await client.get("/v1/rulebooks/scoring")).json()["items"]] == [
        "active",
        "draft",
        "draft",
    ]


async def test_only_marketing_and_operations_may_change_the_rules(client: httpx.AsyncClient) -> None:
    seller = {"authorization": f"Bearer {token(Principal('rep', frozenset({'sales'})))}"}
    assert (await client.post("/v1/rulebooks/scoring/1:activate", headers=seller)).status_code == 403
    assert (await client.post("/v1/rulebooks/scoring", content="name: scoring", headers=seller)).status_code == 403
    assert (await client.get("/v1/rulebooks/scoring", headers={"authorization": "Bearer nonsense"})).status_code == 401
