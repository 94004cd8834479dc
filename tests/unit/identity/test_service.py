"""Identity with a real NATS and real stores: captures go in, people come out, and humans may step in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.web.auth import Principal
from contracts.envelope import Event
from contracts.events.catalogue import BY_WIRE_NAME
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import (
    CandidateDecided,
    InteractionRecognized,
    PersonCreated,
    PersonMerged,
    PersonSplit,
)
from contracts.values import AccountClaim
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.service import running, token
from tests.unit.identity.world import World, a_capture

ABSENT = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"


async def capture(broker: Broker, *captures: InteractionReceived) -> None:
    await broker.publish_batch([OutMessage(one.subjects(1)[0], one.headers(), one.body()) for one in captures])


async def said(broker: Broker) -> list[Event]:
    """Everything on identity's stream, in order."""
    messages = await stored(broker, "IDENTITY")
    return [BY_WIRE_NAME[one.headers["ce-type"]].from_wire(one.headers, one.body) for one in messages]


async def recognized(broker: Broker, captures: Sequence[InteractionReceived]) -> list[Event]:
    """What was said once all of `captures` are recognized."""

    async def all_of_them() -> list[Event]:
        events = await said(broker)
        found = {event.interaction.interaction_id for event in events if isinstance(event, InteractionRecognized)}
        assert found >= {one.interaction.interaction_id for one in captures}
        return events

    return await eventually(all_of_them, within=10)


async def the_person(client: httpx.AsyncClient, **named: str) -> dict[str, Any]:
    answer = await client.get("/v1/people", params=named)
    assert answer.status_code == 200, answer.text
    (person,) = answer.json()["items"]
    return dict(person)


async def test_each_capture_comes_out_once_and_in_order_however_often_it_comes_in(
    service: Service, broker: Broker
) -> None:
    story = [
        a_capture(number, user_id=f"u{number % 7}", anonymous_id=f"a{number % 11}", email=f"p{number % 5}@acme.com")
        for number in range(60)
    ]
    async with running(service):
        await capture(broker, *story[:40])
        await capture(broker, *story[20:50])  # a retry of the gateway's, under new sequence numbers
        await recognized(broker, story[:50])
    await capture(broker, *story[:5], *story[50:])  # while identity is away
    async with running(service):
        events = await recognized(broker, story)
    names = Counter(event.interaction.interaction_id for event in events if isinstance(event, InteractionRecognized))
    assert names == dict.fromkeys((one.interaction.interaction_id for one in story), 1)
    assert [(event.headers(), event.body()) for event in events] == [
        (event.headers(), event.body()) for event in World().hears(*story).said
    ]


async def test_a_visitor_is_found_by_every_name_once_they_said_it(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [
        a_capture(1, anonymous_id="a1"),
        a_capture(2, anonymous_id="a1", user_id="u1", email="Ann@ACME.com", phone="+49 30 1234567", server=True),
    ]
    await capture(broker, *story)
    await recognized(broker, story)
    person = await the_person(client, email=" ann@acme.com")
    for named in (
        {"user_id": "u1"},
        {"anonymous_id": "a1"},
        {"phone": "+49301234567"},
        {"q": "ACME"},
        {"user_id": "u1", "email": "ann@acme.com"},
    ):
        assert await the_person(client, **named) == person
    assert [(one["kind"], one["value"], one["strength"]) for one in person["identifiers"]] == [
        ("user_id", "u1", "verified"),
        ("email", "ann@acme.com", "verified"),
        ("phone", "+49301234567", "verified"),
        ("anonymous_id", "a1", "verified"),
    ]
    assert (await client.get("/v1/people", params={"user_id": "nobody-else"})).json() == {
        "items": [],
        "next_cursor": None,
    }
    account = (await client.get(f"/v1/accounts/{person['account_id']}")).json()
    assert account["domain"] == "acme.com"
    assert [
        one["person_id"]
        for one in (await client.get("/v1/people", params={"account_id": account["account_id"]})).json()["items"]
    ] == [person["person_id"]]


async def test_pages_follow_each_other_without_gap_or_overlap(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [
        a_capture(number, user_id=f"user-{number}", account=AccountClaim(group_id=f"g{number}")) for number in range(23)
    ]
    await capture(broker, *story)
    await recognized(broker, story)
    for path, key in (("/v1/people", "person_id"), ("/v1/accounts", "account_id")):
        seen: list[str] = []
        cursor: str | None = None
        while cursor or not seen:
            page = (await client.get(path, params={"limit": "5"} | ({"cursor": cursor} if cursor else {}))).json()
            assert len(page["items"]) <= 5
            seen += [one[key] for one in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 23


async def test_a_dry_run_foresees_a_merge_and_changes_nothing(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [a_capture(1, user_id="u0"), a_capture(2, user_id="u1")]
    await capture(broker, *story)
    await recognized(broker, story)
    one, other = await the_person(client, user_id="u0"), await the_person(client, user_id="u1")
    path, order = (
        f"/v1/people/{other['person_id']}:merge",
        {"with_person_id": one["person_id"], "reason": "met at the fair"},
    )
    foreseen = await client.post(path, json=order, params={"dry_run": "true"})
    assert foreseen.json()["people"][0]["person_id"] == one["person_id"]
    assert await the_person(client, user_id="u1") == other
    merged = await client.post(path, json=order)
    assert merged.json()["people"] == foreseen.json()["people"]
    assert (await client.get(f"/v1/people/{other['person_id']}")).json()["person_id"] == one["person_id"]
    answer = await client.post(path, json=order)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/already-one-person")


async def test_a_merge_by_hand_is_undone_without_a_trace(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [a_capture(number, user_id=f"u{number % 2}", anonymous_id=f"a{number % 4}") for number in range(20)]
    await capture(broker, *story[:8])
    await recognized(broker, story[:8])
    one, other = await the_person(client, user_id="u0"), await the_person(client, user_id="u1")
    order = {"with_person_id": one["person_id"], "reason": "met at the fair"}
    merged = (await client.post(f"/v1/people/{other['person_id']}:merge", json=order)).json()
    await capture(broker, *story[8:])
    await recognized(broker, story)
    links = (await client.get(f"/v1/people/{one['person_id']}/links")).json()["links"]
    (manual,) = [link for link in links if link["strength"] == "manual"]
    assert (manual["evidence_id"], manual["reason"], [manual["link_id"]]) == (
        "tester",
        "met at the fair",
        merged["new_link_ids"],
    )
    split = await client.post(
        f"/v1/people/{one['person_id']}:split", json={"link_ids": [manual["link_id"]], "reason": "two people after all"}
    )
    assert split.status_code == 200, split.text
    control = World().hears(*story)
    for name, before in (("u0", one), ("u1", other)):
        person = await the_person(client, user_id=name)
        assert person["person_id"] == before["person_id"] == control.person(user_id=name)
        assert set(person["fragments"]) == {fragment.fragment_id for fragment in control.parts(person["person_id"])}


async def test_a_merge_and_a_split_by_hand_are_said(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [a_capture(1, user_id="u0"), a_capture(2, user_id="u1")]
    await capture(broker, *story)
    await recognized(broker, story)
    one, other = await the_person(client, user_id="u0"), await the_person(client, user_id="u1")
    order = {"with_person_id": other["person_id"], "reason": "met at the fair"}
    merged = (await client.post(f"/v1/people/{one['person_id']}:merge", json=order)).json()
    await client.post(
        f"/v1/people/{one['person_id']}:split",
        json={"link_ids": merged["new_link_ids"], "reason": "two people after all"},
    )

    async def both_said() -> tuple[PersonMerged, PersonSplit]:
        heard = [event for event in await said(broker) if not isinstance(event, InteractionRecognized | PersonCreated)]
        assert [type(event) for event in heard] == [PersonMerged, PersonSplit]
        merge, split = heard
        assert isinstance(merge, PersonMerged)
        assert isinstance(split, PersonSplit)
        return merge, split

    merge, split = await eventually(both_said)
    assert (merge.person_id, merge.absorbed_person_ids, merge.graph_version) == (
        one["person_id"],
        (other["person_id"],),
        2,
    )
    assert [(part.person_id, part.graph_version) for part in split.parts] == [
        (one["person_id"], 3),
        (other["person_id"], 3),
    ]
    assert merge.sentence == "tester merged the two: met at the fair"


async def test_a_device_is_split_off_and_the_past_stays_readable(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [a_capture(1, user_id="u1", anonymous_id="a1"), a_capture(2, user_id="u1", email="ann@acme.com")]
    await capture(broker, *story)
    await recognized(broker, story)
    person = await the_person(client, user_id="u1")
    path = f"/v1/people/{person['person_id']}:split"
    answer = await client.post(
        path, json={"identifiers": [{"kind": "anonymous_id", "value": "a1"}], "reason": "office computer"}
    )
    assert answer.status_code == 200, answer.text
    assert {len(part["fragments"]) for part in answer.json()["people"]} == {1, 2}
    again = [a_capture(3, user_id="u1", anonymous_id="a1")]
    await capture(broker, *again)
    await recognized(broker, again)
    now = await the_person(client, user_id="u1")
    assert [one["value"] for one in now["identifiers"]] == ["u1", "ann@acme.com"]
    links = (await client.get(f"/v1/people/{now['person_id']}/links")).json()
    (cut,) = [link for link in links["links"] if link["cut_at"]]
    assert (cut["cut_by"], cut["cut_reason"]) == ("tester", "office computer")
    assert [one["reason"] for one in links["refusals"]] == ["parted_by_human"]

    then = (await client.get(f"/v1/people/{person['person_id']}", params={"known_at": "2026-03-01T08:00:01Z"})).json()
    assert sorted(one["value"] for one in then["identifiers"]) == ["a1", "u1"]
    before = await client.get(f"/v1/people/{person['person_id']}", params={"known_at": "2026-03-01T08:00:00Z"})
    assert before.status_code == 404


async def test_people_are_looked_up_together_absorbed_ids_included(client: httpx.AsyncClient, broker: Broker) -> None:
    story = [
        a_capture(1, email="ann@acme.com"),
        a_capture(2, user_id="u1"),
        a_capture(3, user_id="u2"),
        a_capture(4, user_id="u1", email="ann@acme.com"),
    ]
    await capture(broker, *story)
    first, absorbed, other = [
        event.person_id for event in await recognized(broker, story) if isinstance(event, PersonCreated)
    ]
    answer = (await client.post("/v1/people:lookup", json={"person_ids": [absorbed, other, ABSENT, "nonsense"]})).json()
    assert answer["current"] == {absorbed: first, other: other}
    assert [one["person_id"] for one in answer["items"]] == [first, other]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        (f"/v1/people/{ABSENT}:merge", {"with_person_id": ABSENT, "reason": "x"}, 404, None),
        ("/v1/people/{u1}:merge", {"with_person_id": ABSENT, "reason": "x"}, 404, None),
        ("/v1/people/{u1}:merge", {"with_person_id": "{u1}", "reason": "x"}, 409, None),
        ("/v1/people/{u1}:merge", {"reason": "x"}, 422, "body.with_person_id"),
        ("/v1/people/{u1}:split", {"link_ids": ["lnk_none"], "reason": "x"}, 422, "body.link_ids.0"),
        ("/v1/people/{u1}:split", {"fragment_ids": ["frg_none"], "reason": "x"}, 422, "body.fragment_ids.0"),
        (
            "/v1/people/{u1}:split",
            {"identifiers": [{"kind": "user_id", "value": "u2"}], "reason": "x"},
            422,
            "body.identifiers.0",
        ),
        (
            "/v1/people/{u1}:split",
            {"identifiers": [{"kind": "email", "value": "nobody"}], "reason": "x"},
            422,
            "body.identifiers.0",
        ),
        (
            "/v1/people/{u1}:split",
            {"identifiers": [{"kind": "user_id", "value": "u1"}], "reason": "x"},
            422,
            "body.identifiers",
        ),
        ("/v1/people/{u1}:split", {"reason": "x"}, 422, "body"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_the_field_is_named(
    client: httpx.AsyncClient, broker: Broker, path: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    story = [a_capture(1, user_id="u1"), a_capture(2, user_id="u2")]
    await capture(broker, *story)
    await recognized(broker, story)
    person_id = (await the_person(client, user_id="u1"))["person_id"]
    filled = {key: person_id if value == "{u1}" else value for key, value in body.items()}
    answer = await client.post(path.replace("{u1}", person_id), json=filled)
    assert answer.status_code == status, answer.text
    assert [one["field"] for one in answer.json().get("errors", [])] == ([field] if field else [])
    assert len([event for event in await said(broker) if isinstance(event, PersonMerged | PersonSplit)]) == 0


async def test_what_is_asked_wrongly_is_explained(client: httpx.AsyncClient) -> None:
    for path, status in (
        ("/v1/people?limit=0", 422),
        ("/v1/people?mail=ann@acme.com", 422),
        (f"/v1/people/{ABSENT}", 404),
        (f"/v1/people/{ABSENT}?known_at=2026-03-01T08:00:00Z", 404),
        (f"/v1/people/{ABSENT}?known_at=yesterday", 422),
        (f"/v1/people/{ABSENT}/links", 404),
        ("/v1/people/frg_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", 404),
        ("/v1/accounts/acc_none", 404),
    ):
        answer = await client.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["email=nobody", "email=gone@acme.com", "phone=n/a", "user_id=never", "q=nothing+like+it"]
)
async def test_looking_for_somebody_who_is_not_there_finds_nobody(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/people?{query}")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})


async def test_an_agent_may_look_and_not_merge(service: Service, broker: Broker) -> None:
    async with running(service) as identity:
        headers = {"authorization": f"Bearer {token(Principal('agent-1', frozenset({'agent'})))}"}
        body = {"with_person_id": ABSENT, "reason": "x"}
        assert (await identity.client.post(f"/v1/people/{ABSENT}:merge", json=body, headers=headers)).status_code == 403
        assert (await identity.client.get("/v1/people", headers=headers)).status_code == 200
        assert (await identity.client.get("/v1/people", headers={"authorization": ""})).status_code == 401


async def test_a_claimed_pair_is_listed_confirmed_undone_and_rejected(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    story = [a_capture(n, user_id=f"u{n}", email=f"u{n}@acme.com", server=True) for n in (1, 2)]
    story += [a_capture(3, user_id="u1", email="u2@acme.com"), a_capture(4, user_id="u2", previous="u1")]
    await capture(broker, *story)
    await recognized(broker, story)
    one, other = await the_person(client, user_id="u1"), await the_person(client, user_id="u2")
    (pair,) = (await client.get("/v1/identity/candidates", params={"person_id": other["person_id"]})).json()["items"]
    assert {side["person_id"] for side in pair["people"]} == {one["person_id"], other["person_id"]}
    assert (pair["reason"], pair["times"], pair["claims"][0]["source_id"]) == ("two_verified_people", 2, "src_web")
    assert pair["claims"][0]["first_evidence_id"] == story[2].meta.event_id
    path, why = f"/v1/identity/candidates/{pair['candidate_id']}", {"reason": "they called"}
    confirmed = (await client.post(f"{path}:confirm", json=why)).json()
    assert (confirmed["status"], confirmed["decision"]["reason"]) == ("confirmed", "they called")
    assert (await the_person(client, user_id="u1"))["person_id"] == (await the_person(client, user_id="u2"))[
        "person_id"
    ]
    assert (await client.post(f"{path}:reject", json=why)).status_code == 409
    cut = {"link_ids": [confirmed["decision"]["link_id"]], "reason": "a mistake"}
    assert (await client.post(f"/v1/people/{one['person_id']}:split", json=cut)).status_code == 200
    assert (await client.get(path)).json()["status"] == "open"
    rejected = (await client.post(f"{path}:reject", json=why)).json()
    assert (rejected["status"], rejected["decision"]["link_id"]) == ("rejected", None)
    again = a_capture(5, user_id="u1", email="u2@acme.com")
    await capture(broker, again)
    await recognized(broker, [again])
    assert (await client.get("/v1/identity/candidates")).json() == {"items": [], "next_cursor": None}
    assert (await client.get(path.replace("cnd_", "cnd_0"))).json()["type"] == "/problems/candidate-not-found"

    async def told() -> None:
        statuses = [event.status for event in await said(broker) if isinstance(event, CandidateDecided)]
        assert statuses == ["confirmed", "rejected"]

    await eventually(told, within=10)
    await same_as_in_memory(client, story)


async def same_as_in_memory(client: httpx.AsyncClient, story: Sequence[InteractionReceived]) -> None:
    """What the store loads is enough to decide as if all were known."""
    for person_id in {World().hears(*story).person(user_id=name) for name in ("u1", "u2")}:
        assert (await client.get(f"/v1/people/{person_id}")).json()["person_id"] == person_id


async def test_claims_of_before_give_way_to_a_server_across_batches_and_restarts(
    service: Service, broker: Broker
) -> None:
    claimed = [
        a_capture(n, user_id=f"u{n % 3}", email=f"p{(n + 1) % 3}@acme.com", anonymous_id=f"a{n}") for n in range(6)
    ]
    vouched = [a_capture(10 + n, user_id=f"u{n}", email=f"p{n}@acme.com", server=True) for n in range(3)]
    for part in (claimed, vouched):
        await capture(broker, *part)
        async with running(service):
            await recognized(broker, part)
    async with running(service):
        events = await said(broker)
    assert [(event.headers(), event.body()) for event in events] == [
        (event.headers(), event.body()) for event in World().hears(*claimed, *vouched).said
    ]
