"""Consent and test marks over HTTP: asked by services before they send, recorded by humans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from chassis.web.auth import Principal
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import ConsentChanged, PersonMarked
from contracts.limits import CONSENT_STATEMENTS
from contracts.values import InteractionKind
from services.identity.events import on_interactions_received
from services.identity.main import create_service
from services.identity.settings import IdentitySettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, published, running, token
from tests.unit.identity.world import a_capture

ABSENT = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"


@pytest_asyncio.fixture
async def identity(store_url: str, nats_server: NatsServer) -> AsyncIterator[RunningService]:
    settings = IdentitySettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    async with running(create_service(settings)) as service:
        yield service


async def capture(identity: RunningService, *captures: InteractionReceived) -> None:
    async with identity.runtime.writing() as context:
        await on_interactions_received(captures, context)


async def person(identity: RunningService, **named: str) -> dict[str, Any]:
    (found,) = (await identity.client.get("/v1/people", params=named)).json()["items"]
    return dict(found)


async def said(identity: RunningService, kind: type[ConsentChanged] | type[PersonMarked]) -> list[Any]:
    return [
        kind.from_wire(one.headers, one.body)
        for one in await published(identity, "IDENTITY")
        if one.headers["ce-type"] == kind.wire_name
    ]


def as_(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(Principal('ada', frozenset({role})))}"}


async def test_what_a_form_said_is_seen_with_its_source_and_in_every_view_of_the_person(
    identity: RunningService,
) -> None:
    form = a_capture(1, email="ann@acme.com", context={"consent": {"optin": "I agree to receive offers"}})
    await capture(identity, form, a_capture(2, user_id="u2"))
    ann, other = await person(identity, email="ann@acme.com"), await person(identity, user_id="u2")
    assert (ann["consent"], other["consent"]) == ({"any": "granted"}, {})
    answer = (await identity.client.get(f"/v1/people/{ann['person_id']}/consent")).json()
    told = {
        "channel": "any",
        "consent": "granted",
        "occurred_at": "2026-03-01T08:00:01Z",
        "source_id": "src_web",
        "interaction_id": form.interaction.interaction_id,
        "wording": "I agree to receive offers",
        "fragment_id": ann["fragments"][0],
        "strength": "claimed",
        "by": None,
        "reason": None,
        "evidence": {"kind": "track", "name": "Something Done"},
    }
    why = "Granted by whoever filled in a form or holds a public key; no withdrawal stands."
    assert answer == {
        "person_id": ann["person_id"],
        "items": [told | {"why": why}],
        "pending": [],
        "history": [told],
        "history_kept": 1,
    }
    past = await identity.client.get(f"/v1/people/{ann['person_id']}", params={"known_at": "2026-03-02T00:00:00Z"})
    assert past.json()["consent"] is None


async def test_what_a_human_records_is_said_once_and_looked_up_before_sending(identity: RunningService) -> None:
    await capture(identity, a_capture(1, email="ann@acme.com"), a_capture(2, user_id="u1"), a_capture(3, user_id="u3"))
    ann, absorbed, silent = [
        (await person(identity, **named))["person_id"]
        for named in ({"email": "ann@acme.com"}, {"user_id": "u1"}, {"user_id": "u3"})
    ]
    await identity.client.post(f"/v1/people/{ann}:merge", json={"with_person_id": absorbed, "reason": "the same"})
    body = {"channel": "email", "consent": "withdrawn", "wording": "do not write again"}
    for _ in range(2):
        answer = await identity.client.put(f"/v1/people/{absorbed}/consent", json=body, headers=as_("agent"))
        assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    assert (item["consent"], item["source_id"], item["wording"], item["strength"]) == (
        "withdrawn",
        "api:ada",
        "do not write again",
        "manual",
    )
    (changed,) = await said(identity, ConsentChanged)
    assert (changed.person_id, changed.channel, changed.consent, changed.source_id) == (
        ann,
        "email",
        "withdrawn",
        "api:ada",
    )
    looked_up = await identity.client.post(
        "/v1/people:consent-lookup", json={"person_ids": [ann, absorbed, silent, ABSENT, "nonsense"]}
    )
    assert looked_up.json() == {
        "items": [{"person_id": ann, "consent": {"email": "withdrawn"}}, {"person_id": silent, "consent": {}}],
        "current": {ann: ann, absorbed: ann, silent: silent},
    }


async def test_a_form_of_anybody_lifts_no_withdrawal_and_its_grant_waits_in_sight(identity: RunningService) -> None:
    page = {"page": {"url": "https://acme.com/contact"}, "consent": {"marketing_consent": "yes"}}
    await capture(
        identity,
        a_capture(1, email="ann@acme.com", server=True, traits={"consent": False}),
        a_capture(2, email="ann@acme.com", kind=InteractionKind.FORM, name="Contact us", context=page),
    )
    ann = await person(identity, email="ann@acme.com")
    assert ann["consent"] == {"any": "withdrawn"}
    answer = (await identity.client.get(f"/v1/people/{ann['person_id']}/consent")).json()
    (item,), (waiting,) = answer["items"], answer["pending"]
    assert (item["consent"], item["source_id"], item["strength"]) == ("withdrawn", "src_server", "verified")
    assert item["why"] == (
        "Withdrawn by a server, or a link that they confirmed; that stands until a server, a human with a reason or a"
        " signed link lifts it. A grant that came since waits until it is."
    )
    assert (waiting["consent"], waiting["strength"], waiting["state"]) == ("granted", "claimed", "pending")
    assert waiting["evidence"] == {"kind": "form", "name": "Contact us", "page": "https://acme.com/contact"}
    assert [(one["consent"], one["source_id"]) for one in answer["history"]] == [
        ("granted", "src_web"),
        ("withdrawn", "src_server"),
    ]
    assert [one.consent for one in await said(identity, ConsentChanged)] == ["withdrawn"]


async def test_a_human_lifts_a_withdrawal_with_a_reason_and_not_without(identity: RunningService) -> None:
    await capture(identity, a_capture(1, email="ann@acme.com", name="Unsubscribed"))
    ann = (await person(identity, email="ann@acme.com"))["person_id"]
    path, body = f"/v1/people/{ann}/consent", {"channel": "email", "consent": "granted", "wording": "write again"}
    for channel in ("email", "any"):
        refused = await identity.client.put(path, json=body | {"channel": channel}, headers=as_("sales"))
        assert refused.status_code == 422, refused.text
        told = refused.json()
        assert told["errors"][0]["field"] == "body.reason", told
        assert "`reason`" in told["remedy"]
    other = await identity.client.put(path, json=body | {"channel": "phone"}, headers=as_("sales"))
    assert other.status_code == 200  # nothing stands against that
    lifted = await identity.client.put(path, json=body | {"reason": "Asked at the fair, stand 4"}, headers=as_("sales"))
    assert lifted.status_code == 200, lifted.text
    items = {one["channel"]: one for one in lifted.json()["items"]}
    assert (items["email"]["consent"], items["email"]["reason"], items["email"]["by"]) == (
        "granted",
        "Asked at the fair, stand 4",
        "ada",
    )
    assert [(one["channel"], one["consent"]) for one in lifted.json()["history"]] == [
        ("email", "granted"),
        ("phone", "granted"),
        ("email", "withdrawn"),
    ]


async def test_a_confirmed_link_lifts_a_withdrawal_once_and_not_a_later_one(identity: RunningService) -> None:
    await capture(identity, a_capture(1, email="ann@acme.com", name="Unsubscribed"))
    ann = (await person(identity, email="ann@acme.com"))["person_id"]
    path = f"/v1/people/{ann}:confirm-consent"
    body = {"channel": "email", "consent": "granted", "reference": "cns_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"}
    assert (await identity.client.post(path, json=body, headers=as_("admin"))).status_code == 403
    for _ in range(2):
        answer = await identity.client.post(path, json=body, headers=as_("link"))
        assert answer.status_code == 200, answer.text
        (item,) = answer.json()["items"]
        assert (item["consent"], item["strength"]) == ("granted", "verified")
        assert answer.json()["history_kept"] == 2
    never = {"channel": "email", "consent": "withdrawn"}
    await identity.client.put(f"/v1/people/{ann}/consent", json=never, headers=as_("sales"))
    again = await identity.client.post(path, json=body, headers=as_("link"))
    assert [one["consent"] for one in again.json()["items"]] == ["withdrawn"]
    assert [one.consent for one in await said(identity, ConsentChanged)] == ["withdrawn", "granted", "withdrawn"]


async def test_the_history_of_a_name_is_bounded_and_claims_take_no_room_of_what_is_trusted(
    identity: RunningService,
) -> None:
    claims = [
        a_capture(number, email="ann@acme.com", context={"consent": {"newsletter": "on"}})
        for number in range(2, CONSENT_STATEMENTS + 12)
    ]
    await capture(identity, a_capture(1, email="ann@acme.com", server=True, traits={"newsletter": False}), *claims)
    ann = (await person(identity, email="ann@acme.com"))["person_id"]
    answer = (await identity.client.get(f"/v1/people/{ann}/consent")).json()
    assert answer["history_kept"] == len(answer["history"]) == CONSENT_STATEMENTS + 1
    assert answer["history"][-1]["consent"] == "withdrawn"
    assert answer["history"][0]["interaction_id"] == claims[-1].interaction.interaction_id


async def test_a_mark_shows_and_is_said_once(identity: RunningService) -> None:
    await capture(identity, a_capture(1, user_id="u1"))
    before = await person(identity, user_id="u1")
    path = f"/v1/people/{before['person_id']}:mark"
    for _ in range(2):
        answer = await identity.client.post(path, json={"is_test": True}, headers=as_("marketing"))
        assert answer.status_code == 200, answer.text
        assert answer.json() == before | {"is_test": True}
    assert (await identity.client.post(path, json={"is_test": False}, headers=as_("ops"))).json() == before
    marked = await said(identity, PersonMarked)
    assert [(one.person_id, one.is_test, one.marked_by) for one in marked] == [
        (before["person_id"], True, "ada"),
        (before["person_id"], False, "ada"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "role", "status"),
    [
        ("PUT", "/v1/people/{u1}/consent", {"channel": "email", "consent": "granted"}, "ops", 403),
        ("POST", "/v1/people/{u1}:mark", {"is_test": True}, "sales", 403),
        ("GET", f"/v1/people/{ABSENT}/consent", None, "sales", 404),
        ("PUT", f"/v1/people/{ABSENT}/consent", {"channel": "email", "consent": "granted"}, "sales", 404),
        ("POST", f"/v1/people/{ABSENT}:mark", {"is_test": True}, "ops", 404),
        ("PUT", "/v1/people/{u1}/consent", {"channel": "fax", "consent": "granted"}, "sales", 422),
        ("PUT", "/v1/people/{u1}/consent", {"channel": "email"}, "sales", 422),
        ("PUT", "/v1/people/{u1}/consent", {"channel": "email", "consent": "granted", "by": "me"}, "sales", 422),
        (
            "PUT",
            "/v1/people/{u1}/consent",
            {"channel": "email", "consent": "granted", "wording": "x" * 1001},
            "sales",
            422,
        ),
        ("POST", "/v1/people/{u1}:mark", {"is_test": "yes"}, "ops", 422),
        ("POST", "/v1/people:consent-lookup", {"person_ids": ["per_1"] * 201}, "sales", 422),
    ],
)
async def test_what_cannot_be_done_is_refused_and_nothing_is_said(
    identity: RunningService, method: str, path: str, body: dict[str, Any] | None, role: str, status: int
) -> None:
    await capture(identity, a_capture(1, user_id="u1"))
    person_id = (await person(identity, user_id="u1"))["person_id"]
    answer = await identity.client.request(method, path.replace("{u1}", person_id), json=body, headers=as_(role))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [*await said(identity, ConsentChanged), *await said(identity, PersonMarked)] == []
