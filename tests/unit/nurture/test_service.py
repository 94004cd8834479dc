"""Nurture over HTTP: which treatment fits, and what a person's page shows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.values import Consent, ConsentChannel
from services.nurture.main import create_service
from services.nurture.settings import NurtureSettings
from tests.support.nats import NatsServer
from tests.support.people import merged, per, split
from tests.support.service import PUBLIC_KEY, RunningService, running
from tests.unit.nurture.builders import consented, created, profile_said, score_said, scores, stage_entered
from tests.unit.nurture.world import NOW, STORY, Clock, add, ask, hear, receipts, told


@pytest.mark.parametrize(
    "fields", [{}, {"person_id": "per_nobody"}, {"person_id": "somebody"}], ids=["absent", "unknown", "not-an-id"]
)
async def test_a_stranger_is_answered_and_nothing_is_recorded(
    nurture: RunningService, client: httpx.AsyncClient, fields: dict[str, Any]
) -> None:
    answer = await ask(client, None, **fields)
    assert (answer["person_id"], answer["stage"], answer["buying_stage"]) == (None, "anonymous", "awareness")
    assert answer["treatment"]["content"]["headline"] == "New to the subject?"
    assert (answer["receipt"], answer["selection_id"], answer["is_reused"]) == (None, None, False)
    assert await told(nurture) == []


async def test_a_choice_is_answered_recorded_and_said(nurture: RunningService, client: httpx.AsyncClient) -> None:
    await add(client, priority=60, when="company.employees >= 200", campaign_id="cmp_1")
    await hear(nurture, created(1), profile_said(1, NOW, {"employees": 240}), score_said(1, NOW, "A2"))
    answer = await ask(client, context={"page": {"path": "/pricing"}})
    assert (answer["person_id"], answer["stage"], answer["buying_stage"]) == (per(1), "anonymous", "consideration")
    assert answer["treatment"]["name"] == "How a port did it"
    assert [(one["name"], one["rank"], one["why"], one["content"]) for one in answer["alternatives"]] == [
        ("How others did it", 2, "lower priority 50 < 60", None),
        ("A comparison of the ways to do it", 3, "lower priority 40 < 60", None),
    ]
    out = {one["name"]: one["reasons"] for one in answer["why_not"]}
    assert out["A guide for beginners"] == ["is for awareness, not for consideration"]
    assert len(out) == 4
    (said,) = await told(nurture)
    assert (said.selection_id, said.treatment_id, said.campaign_id) == (
        answer["selection_id"],
        answer["treatment"]["treatment_id"],
        "cmp_1",
    )
    receipt = answer["receipt"]
    assert said.receipt.model_dump(mode="json") == receipt
    assert receipt["kind"] == "treatment.choice"
    assert receipt["cause_id"] == answer["selection_id"]
    assert receipt["rulebook"] == f"{answer['treatment']['treatment_id']}@1"
    assert receipt["inputs"]["company.employees"] == 240
    assert receipt["inputs"]["context"] == {"page": {"path": "/pricing"}}
    assert [line.rpartition(": ")[2] for line in receipt["rejected"]] == [
        "lower priority 50 < 60",
        "lower priority 40 < 60",
        "4 do not fit",
    ]
    why_not = (await client.get(f"/v1/nurture/people/{per(1)}/receipts/{receipt['receipt_id']}/why-not")).json()
    told_later = {one["name"]: one["reasons"] for one in why_not["items"] if one["reasons"]}
    assert {name: len(reasons) for name, reasons in told_later.items()} == {
        name: len(reasons) for name, reasons in out.items()
    }
    assert told_later["A guide for beginners"] == out["A guide for beginners"]
    assert {one["name"] for one in why_not["items"] if not one["reasons"]} == {
        "How a port did it",
        *(one["name"] for one in answer["alternatives"]),
    }
    assert (
        await client.get(f"/v1/nurture/people/{per(2)}/receipts/{receipt['receipt_id']}/why-not")
    ).status_code == 404
    assert receipt["sentence"].startswith("Consideration: Highly engaged (A2).")
    assert (await receipts(client))[0] == receipt


async def test_a_page_that_is_loaded_again_gets_the_same_answer_and_says_nothing_new(
    nurture: RunningService, client: httpx.AsyncClient, clock: Clock
) -> None:
    await add(client, limits={"per_person": 1})
    await hear(nurture, created(1))
    first = await ask(client)
    assert first["treatment"]["name"] == "How a port did it"
    clock.forward(minutes=29)
    again = await ask(client, context={"page": {"path": "/other"}})
    assert again == first | {"is_reused": True}
    assert len(await told(nurture)) == 1
    clock.forward(minutes=1)
    later = await ask(client)
    assert later["treatment"]["name"] == "A guide for beginners"
    assert ["was shown 1 of 1 times"] in [one["reasons"] for one in later["why_not"]]
    assert len(await told(nurture)) == 2


@pytest.mark.parametrize("change", ["stage", "catalogue", "consent", "limit", "channel"])
async def test_whatever_changes_the_situation_is_answered_anew(
    nurture: RunningService, client: httpx.AsyncClient, change: str
) -> None:
    mail = await add(client, channel="email", name="A letter", purpose="promotional")
    await hear(nurture, created(1), consented(ConsentChannel.EMAIL, Consent.GRANTED, NOW))
    asked: dict[str, Any] = {"channel": "any"}
    first = await ask(client, **asked)
    assert first["treatment"]["name"] == "A letter"
    match change:
        case "stage":
            await hear(nurture, stage_entered(1, "customer", NOW))
        case "catalogue":
            await client.put(
                f"/v1/treatments/{mail['treatment_id']}", json=STORY | {"name": "A better letter", "channel": "email"}
            )
        case "consent":
            await hear(nurture, consented(ConsentChannel.ANY, Consent.WITHDRAWN, NOW + timedelta(minutes=1)))
        case "limit":
            asked["limit"] = 2
        case "channel":
            asked["channel"] = "web"
    second = await ask(client, **asked)
    assert second["is_reused"] is False
    assert second["selection_id"] != first["selection_id"]
    if change == "consent":
        assert second["treatment"]["name"] == "A guide for beginners"


async def test_a_dry_run_leaves_no_trace(nurture: RunningService, client: httpx.AsyncClient) -> None:
    await add(client, limits={"per_person": 1})
    await hear(nurture, created(1))
    for _ in range(2):
        answer = await ask(client, dry_run=True)
        assert (answer["treatment"]["name"], answer["selection_id"], answer["is_reused"]) == (
            "How a port did it",
            None,
            False,
        )
        assert answer["receipt"]["sentence"]
    assert await told(nurture) == []
    assert await receipts(client) == []


async def test_as_many_treatments_as_asked_for_come_with_content_and_count_as_shown(
    nurture: RunningService, client: httpx.AsyncClient, clock: Clock
) -> None:
    for name in ("One", "Two", "Three"):
        await add(client, name=name, limits={"every_days": 7})
    await hear(nurture, created(1))
    answer = await ask(client, limit=2)
    handed_out = {answer["treatment"]["name"]} | {
        one["name"] for one in answer["alternatives"] if one["content"] is not None
    }
    assert len(handed_out) == 2
    clock.forward(hours=1)
    assert {(await ask(client))["treatment"]["name"]} | handed_out == {"One", "Two", "Three"}
    clock.forward(days=7)
    assert (await ask(client))["treatment"]["name"] in handed_out


async def test_what_was_shown_follows_merges_and_splits(
    nurture: RunningService, client: httpx.AsyncClient, clock: Clock
) -> None:
    await add(client, limits={"per_person": 1})
    await hear(nurture, created(1), created(2))

    async def name_for(number: int) -> str:
        clock.forward(hours=1)
        answer = await ask(client, number, dry_run=True)
        assert answer["person_id"] in (per(1), per(number))
        found: str = answer["treatment"]["name"]
        return found

    assert (await ask(client, 2))["treatment"]["name"] == "How a port did it"
    assert [await name_for(1), await name_for(2)] == ["How a port did it", "A guide for beginners"]
    await hear(nurture, merged((1, 2), 2))
    assert [await name_for(1), await name_for(2)] == ["A guide for beginners", "A guide for beginners"]
    await hear(nurture, split([[1], [2]], 3))
    assert [await name_for(1), await name_for(2)] == ["How a port did it", "A guide for beginners"]


async def test_after_a_merge_the_limit_counts_what_either_saw(
    nurture: RunningService, client: httpx.AsyncClient, clock: Clock
) -> None:
    await add(client, limits={"per_person": 2})
    await hear(nurture, created(1), created(2))
    for number in (1, 2):
        assert (await ask(client, number))["treatment"]["name"] == "How a port did it"
    await hear(nurture, merged((1, 2), 2))
    clock.forward(hours=1)
    assert ["was shown 2 of 2 times"] in [one["reasons"] for one in (await ask(client))["why_not"]]


async def test_an_answer_that_is_given_again_names_the_survivor(
    nurture: RunningService, client: httpx.AsyncClient
) -> None:
    await hear(nurture, created(1), created(2))
    first = await ask(client, 2)
    await hear(nurture, merged((1, 2), 2))
    again = await ask(client, 2)
    assert (again["selection_id"], again["is_reused"]) == (first["selection_id"], True)
    assert again["person_id"] == again["receipt"]["person_id"] == per(1)


async def test_a_test_source_uses_up_nothing_of_a_real_person(
    nurture: RunningService, client: httpx.AsyncClient
) -> None:
    await add(client, limits={"per_person": 1})
    await hear(nurture, created(1))
    assert (await ask(client, is_test=True))["treatment"]["name"] == "How a port did it"
    assert (await ask(client))["treatment"]["name"] == "How a port did it"
    assert [said.is_test for said in await told(nurture)] == [True, False]


async def test_a_test_person_is_limited_by_what_they_saw(
    nurture: RunningService, client: httpx.AsyncClient, clock: Clock
) -> None:
    await add(client, limits={"per_person": 1})
    await hear(nurture, created(1, is_test=True))
    await ask(client)
    clock.forward(hours=1)
    assert (await ask(client))["treatment"]["name"] == "A guide for beginners"
    assert [said.is_test for said in await told(nurture)] == [True, True]


async def test_a_person_s_page_shows_situation_consent_and_choices(
    nurture: RunningService, client: httpx.AsyncClient
) -> None:
    await hear(
        nurture,
        created(1),
        consented(ConsentChannel.EMAIL, Consent.GRANTED, NOW, wording="Send me the letter"),
        score_said(1, NOW, "B3"),
        stage_entered(1, "engaged", NOW, scores=scores("B3", NOW)),
    )
    shown = await ask(client)
    page = (await client.get(f"/v1/nurture/people/{per(1)}")).json()
    assert (page["stage"], page["buying_stage"], page["buying_rule"]) == (
        "engaged",
        "consideration",
        "nurture@1 is_engaged",
    )
    assert page["buying_reason"] == "Comes back and looks around (engaged, B3)."
    assert [(one["channel"], one["consent"], one["wording"]) for one in page["consent"]] == [
        ("email", "granted", "Send me the letter")
    ]
    assert [one["trigger"] for one in page["selections"]] == ["asked", "stage"]
    assert page["treatment"]["selection_id"] == shown["selection_id"]
    assert page["suggestion"]["trigger"] == "stage"
    assert page["suggestion"]["name"] == "How others did it"
    assert page["suggestion"]["is_permitted"] is True
    assert (await client.get("/v1/nurture/people/per_nobody")).status_code == 404


async def test_a_suggestion_that_consent_forbids_since_is_marked(
    nurture: RunningService, client: httpx.AsyncClient
) -> None:
    await hear(nurture, created(1), created(2), consented(ConsentChannel.EMAIL, Consent.GRANTED, NOW))
    await hear(nurture, profile_said(1, NOW, {"email": "ines@harbour.example"}), stage_entered(1, "recycled", NOW))

    async def is_permitted() -> bool:
        suggestion = (await client.get(f"/v1/nurture/people/{per(1)}")).json()["suggestion"]
        assert suggestion["channel"] == "email"
        permitted: bool = suggestion["is_permitted"]
        return permitted

    assert await is_permitted()
    await hear(nurture, consented(ConsentChannel.EMAIL, Consent.WITHDRAWN, NOW, 2))
    assert await is_permitted()
    await hear(nurture, merged((1, 2), 2))
    assert not await is_permitted()


async def test_people_are_looked_up_together(nurture: RunningService, client: httpx.AsyncClient) -> None:
    await hear(nurture, created(1), created(2), created(3), stage_entered(1, "mql", NOW), merged((1, 2), 2))
    answer = (
        await client.post("/v1/nurture/people:lookup", json={"person_ids": [per(2), per(3), "per_nobody"]})
    ).json()
    assert answer["current"] == {per(2): per(1), per(3): per(3)}
    assert [(one["person_id"], one["stage"], one["buying_stage"]) for one in answer["items"]] == [
        (per(1), "mql", "decision"),
        (per(3), "anonymous", "awareness"),
    ]
    assert answer["items"][0]["treatment"]["name"] == "Talk to us"
    assert answer["items"][1]["treatment"] is None
    assert (await client.post("/v1/nurture/people:lookup", json={"person_ids": [per(1)] * 201})).status_code == 422


async def test_another_rulebook_decides_where_people_stand_from_its_activation_on(
    nurture: RunningService, client: httpx.AsyncClient
) -> None:
    await hear(nurture, created(1), stage_entered(1, "mql", NOW))
    book = (await client.get("/v1/rulebooks/nurture/1")).json()["text"]
    calmer = book.replace("buying_stage: decision}", "buying_stage: awareness}")
    draft = await client.post("/v1/rulebooks/nurture", content=calmer, headers={"content-type": "text/yaml"})
    assert draft.status_code == 201, draft.text
    assert (await ask(client, dry_run=True))["buying_stage"] == "decision"
    assert (await client.post("/v1/rulebooks/nurture/2:activate")).status_code == 200
    answer = await ask(client)
    assert answer["buying_stage"] == "awareness"
    assert answer["receipt"]["inputs"]["buying.rule"] == "nurture@2 is_with_sales"
    assert (await client.get(f"/v1/nurture/people/{per(1)}")).json()["buying_stage"] == "awareness"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit": 6}, "body.limit"),
        ({"channel": "fax"}, "body.channel"),
        ({"context": {"text": "x" * 2001}}, "body.context"),
        ({"context": {"number": 2**70}}, "body.context"),
        ({"dry_run": 1}, "body.dry_run"),
    ],
    ids=["limit", "channel", "long", "great", "truth"],
)
async def test_a_question_that_makes_no_sense_is_refused_by_field(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v1/treatments:select", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_no_answer_is_given_again_where_the_installation_does_not_want_it(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    settings = NurtureSettings(
        database_url=f"sqlite:///{tmp_path / 'store.db'}",
        nats_url=nats_server.url,
        token_public_key=PUBLIC_KEY,
        reuse_minutes=0,
    )
    async with running(create_service(settings)) as nurture:
        await hear(nurture, created(1))
        first, second = await ask(nurture.client), await ask(nurture.client)
        assert (first["is_reused"], second["is_reused"]) == (False, False)
        assert first["selection_id"] != second["selection_id"]
