"""How often who may send: what is refused says which limit it was and when to come again, and hits nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from contracts.values import SourceKind
from gateway.admission import Admission, Arriving, Numbers, TooManyOfAddress, names_of
from gateway.domain.addresses import UNREADABLE, counted_as, network_of
from gateway.domain.capture import CaptureSource
from gateway.rates import NameRate, Rate
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, gateway_settings, open_door
from tests.unit.gateway.served import post, served

SERVER_KEY = "test_server_key_of_a_shop"


@asynccontextmanager
async def a_door(nats_server: NatsServer, folder: Path, **numbers: Any) -> AsyncIterator[Door]:
    given = {"trusted_proxies": 1, "sample_ratio": 0.0} | numbers
    async with open_door(gateway_settings(nats_server.url, folder / "gateway.db", **given)) as opened:
        made = await opened.api("POST", "/v1/sources", json={"name": "shop", "kind": "server", "write_key": SERVER_KEY})
        assert made.status_code == 201
        yield opened


def an_event(who: str) -> dict[str, str]:
    return {"anonymousId": who, "event": "Looked", "type": "track"}


async def send(door: Door, who: str, address: str = "192.0.2.1", **options: Any) -> httpx.Response:
    return await door.send("/v1/track", an_event(who), headers={"x-forwarded-for": address}, **options)


def a_kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def test_a_source_has_its_number_and_says_how_it_stands(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, events_a_minute=3) as door:
        taken = [await send(door, f"visitor {number}") for number in range(3)]
        assert [one.status_code for one in taken] == [200] * 3
        assert taken[0].headers["ratelimit-policy"] == '"source";q=3;w=60'
        assert taken[0].headers["ratelimit"] == '"source";r=2;t=20'
        refused = await send(door, "visitor 4")
        assert (refused.status_code, a_kind(refused)) == (429, "too-many-events-of-source")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit"].startswith('"source";r=0;t=')
        assert "retry-after" in refused.headers["access-control-expose-headers"]
        assert "PATCH /v1/sources/{source_id}" in refused.json()["remedy"]
        # another source, and the same source's forms, have their own
        assert (await send(door, "a customer", auth=(SERVER_KEY, ""))).status_code == 200
        form = await door.client.post("/v1/forms/default", json={"email": "lea@lead.example"})
        assert form.status_code == 200
        assert len(await door.captured()) == 5


async def test_a_batch_counts_its_events_and_one_that_is_larger_than_the_number_is_taken_once_all_is_free(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with a_door(nats_server, tmp_path, events_a_minute=3) as door:
        batch = {"batch": [an_event(f"visitor {number}") for number in range(5)]}
        taken = await door.send("/v1/batch", batch)
        assert (taken.status_code, taken.headers["ratelimit"]) == (200, '"source";r=0;t=60')
        assert (await door.send("/v1/batch", batch)).status_code == 429
        assert len(await door.captured()) == 5  # whole or not at all


async def test_the_number_of_a_source_is_changed_while_it_sends(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, events_a_minute=1) as door:
        assert [(await send(door, "a")).status_code for _ in range(2)] == [200, 429]
        changed = await door.api("PATCH", "/v1/sources/src_default", json={"events_a_minute": 0})
        assert (changed.status_code, changed.json()["events_a_minute"]) == (200, 0)
        unlimited = [await send(door, "a") for _ in range(5)]
        assert [one.status_code for one in unlimited] == [200] * 5
        assert "ratelimit" not in unlimited[0].headers


async def test_an_address_has_its_number_whatever_it_writes_before_the_proxy_s_word(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with a_door(nats_server, tmp_path, address_events_a_minute=2) as door:
        lies = [f"198.51.100.{number}, 192.0.2.1" for number in range(3)]
        answers = [await send(door, str(number), address) for number, address in enumerate(lies)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert a_kind(answers[2]) == "too-many-events-of-address"
        assert (await send(door, "next door", "192.0.2.2")).status_code == 200
        assert (await send(door, "our own proxy", "10.1.2.3")).status_code == 200
        assert (await send(door, "a customer", auth=(SERVER_KEY, ""))).status_code == 200
        lead, here = {"email": "lea@lead.example"}, {"x-forwarded-for": "192.0.2.1"}
        assert (await door.client.post("/v1/forms/default", json=lead, headers=here)).status_code == 429
        asked = {"writeKey": "test_write_key_web", "anonymous_id": "a"}
        shown = await door.client.post(
            "/v1/treatments:select", content=orjson.dumps(asked), headers={"x-forwarded-for": "192.0.2.1"}
        )
        assert shown.status_code == 429


async def test_one_name_has_its_number_and_others_of_its_source_have_theirs(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with a_door(nats_server, tmp_path, person_events_a_minute=4) as door:
        statuses = [(await send(door, "hot", f"192.0.2.{number}")).status_code for number in range(8)]
        assert statuses.index(429) in (4, 5)  # up to a quarter is not looked into
        assert a_kind(await send(door, "hot", "192.0.2.99")) == "too-many-events-of-person"
        assert (await send(door, "somebody else")).status_code == 200
        assert (await send(door, "hot", "10.1.2.3")).status_code == 200  # from a machine of our own
        hot = an_event("hot")
        assert (await door.send("/v1/track", hot, auth=(SERVER_KEY, ""))).status_code == 200  # a server's is not closed


async def test_a_hot_address_in_forms_is_refused_as_well(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, person_events_a_minute=2) as door:
        posts = [
            await door.client.post(
                "/v1/forms/default",
                json={"email": "lea@lead.example", "message": str(number)},
                headers={"x-forwarded-for": "192.0.2.1"},
            )
            for number in range(5)
        ]
        assert posts[0].status_code == 200
        assert posts[-1].status_code == 429
        assert a_kind(posts[-1]) == "too-many-events-of-person"


async def test_the_express_lane_refuses_in_the_same_words_and_goes_on(nats_server: NatsServer, tmp_path: Path) -> None:
    body = orjson.dumps({**an_event("a"), "writeKey": "test_write_key_web"})
    async with a_door(nats_server, tmp_path, events_a_minute=2) as door, served(door) as express:
        async with express.line() as line:
            said = [await line.ask(post("/v1/track", body, "Origin: https://a.example")) for _ in range(3)]
        assert [one.status for one in said] == [200, 200, 429]
        assert said[0].headers["ratelimit"] == '"source";r=1;t=30'
        assert said[2].headers["access-control-allow-origin"] == "https://a.example"
        assert express.ways.total() == 0  # what is refused costs no more than what is taken
        async with served(door, express=False) as long_way:
            other = await long_way.ask(post("/v1/track", body, "Origin: https://a.example"))
        assert other.status == 429
        differing = ("trace_id", "remedy")  # the wait grows shorter while we ask
        words = [{k: v for k, v in orjson.loads(one.body).items() if k not in differing} for one in (other, said[2])]
        assert words[0] == words[1]
        assert set(said[2].headers) - {"date"} == set(other.headers) - {"date"}


async def test_a_beacon_that_reads_no_answer_counts_as_well(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, events_a_minute=2) as door:
        beacon = orjson.dumps({"writeKey": "test_write_key_web", "batch": [an_event("a"), an_event("a")]})
        for _ in range(3):
            await door.client.post("/beacon/v1/batch", content=beacon, headers={"content-type": "text/plain"})
        assert len(await door.captured()) == 2


def test_what_strangers_make_up_takes_no_more_room_than_there_is() -> None:
    admission = Admission(Numbers(address=10, person=10))
    source = CaptureSource("src_web")
    rate = Rate("address", 100)
    for number in range(1_000):
        rate.take(f"192.0.2.{number}", 10, 1)
    assert len(rate._store._backend.get_client()) == 100
    for number in range(10):
        admission.admit(Arriving(source, f"made up {number}" * 100, "", 1, [an_event(f"name {number}")]))
    with pytest.raises(TooManyOfAddress):  # whatever is no address is one and the same
        admission.admit(Arriving(source, "made up otherwise", ""))


def test_a_name_is_counted_by_itself_only_where_many_come() -> None:
    now = [0.0]
    names = NameRate("person", 1_000, 100, clock=lambda: now[0])
    for number in range(20_000):
        assert names.take("src", [(f"visitor {number}", 1)]) is None
    assert len(names._rate._store._backend.get_client()) == 0
    refused = [names.take("src", [("hot", 1)]) for _ in range(200)]
    assert 100 <= refused.index(next(one for one in refused if one is not None)) <= 126
    assert len(names._rate._store._backend.get_client()) == 1
    now[0] += 61
    assert names.take("src", [("hot", 1)]) is None


@pytest.mark.parametrize(("address", "counted"), [
    ("192.0.2.7", "192.0.2.7"), ("192.0.2.7:51234", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
    ("2001:db8:1:2::7%eth0", "2001:db8:1:2::/64"),
    ("unknown", UNREADABLE), ("", UNREADABLE), (None, UNREADABLE), ("x" * 100_000, UNREADABLE),
    ("10.1.2.3", None), ("::1", None),
])  # fmt: skip
def test_an_address_is_counted_as_what_one_customer_has(address: str | None, counted: str | None) -> None:
    assert counted_as(address, (network_of("10.0.0.0/8"), network_of("::1"))) == counted


def test_whoever_is_named_in_whatever_spelling_counts() -> None:
    events = [
        {"anonymousId": "a", "userId": 7, "traits": {"email": " Lea@Lead.example"}},
        {"anonymous_id": "a", "context": {"traits": {"email": "lea@lead.example"}}},
        {"userId": ["no name"], "traits": "none"},
        "no event",
    ]
    assert names_of(events) == {"a": 2, "7": 1, "lea@lead.example": 2}


async def test_a_hot_source_leaves_room_for_others(nats_server: NatsServer, tmp_path: Path) -> None:
    """The hot one has half of the room at most, however much it sends; whoever else comes is taken."""
    async with a_door(nats_server, tmp_path) as door:
        service = door.runtime.service.capture
        service.admission.shares._room = 100
        gate, stored = asyncio.Event(), service.publisher.publish

        class Slow:
            put = service.publisher.put

            async def publish(self, messages: Any) -> None:
                await gate.wait()
                await stored(messages)

        service.publisher = Slow()
        batch = orjson.dumps({"batch": [an_event(f"v{number}") for number in range(10)]})
        flood = [asyncio.create_task(door.send("/v1/batch", batch)) for _ in range(20)]
        await asyncio.sleep(0.2)
        refused = [await one for one in flood if one.done()]
        assert len(refused) == 15
        assert {(one.status_code, a_kind(one), one.headers["retry-after"]) for one in refused} == {
            (429, "share-taken", "1")
        }
        other = [
            asyncio.create_task(door.send("/v1/track", an_event(f"c{number}"), auth=(SERVER_KEY, "")))
            for number in range(20)
        ]
        await asyncio.sleep(0.2)
        gate.set()
        assert [(await one).status_code for one in other] == [200] * 20
        assert [(await one).status_code for one in flood].count(200) == 5
        assert len(await door.captured()) == 70  # what was acknowledged, and nothing else
        assert not service.admission.shares._held
        assert service.admission.shares._total == 0


def test_a_server_s_key_is_not_counted_by_address_or_name() -> None:
    admission = Admission(Numbers(address=1, person=1))
    source = CaptureSource("src_server", SourceKind.SERVER)
    for _ in range(20):
        assert admission.admit(Arriving(source, "192.0.2.1", "", 1, [an_event("a")])) is not None
