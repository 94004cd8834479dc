"""A whole suite on a platform that believes its probes, and a look into its stores and onto its bus: for what must be
counted.

`rows` asks a service's store, `change` writes to it as only an operator or an older version would,
`decided` is what may not change by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.store.database import Database
from contracts.events.scoring import ScoreChanged
from deployment.nats_accounts import OBSERVER
from deployment.nats_config import BUS_USERS, OPERATOR
from embedded.plan import SERVICES
from tests.support.actors import said_on
from tests.support.disk import SmallDisk
from tests.support.eventually import eventually
from tests.support.sender import Sender
from tests.support.suite import Suite
from tests.support.supervisor import Supervisor

Row = tuple[Any, ...]
Decided = tuple[Counter[str], dict[str, list[Row]]]
"""How many events of each kind were said, dead letters included; and the answers to `_COUNTED`."""

_COUNTED: Mapping[str, Sequence[str]] = {
    "scoring": ("SELECT count(*) FROM fact", "SELECT count(*), sum(points_e4) FROM receipt"),
    "lifecycle": (
        "SELECT count(*) FROM move",
        "SELECT count(*) FROM receipt",
        "SELECT sum(points_e4) FROM current_stage",
    ),
    "nurture": ("SELECT count(*) FROM selection", "SELECT count(*) FROM receipt"),
    "routing": (
        "SELECT state, count(*) FROM referral GROUP BY 1 ORDER BY 1",
        "SELECT count(*) FROM offer",
        "SELECT count(*) FROM receipt",
        "SELECT rep_id, number FROM rep_load ORDER BY 1",
    ),
    "metrics": ("SELECT count(*) FROM stage_told", "SELECT count(*) FROM touch"),
}
_SCORE = ScoreChanged.wire_name.rpartition(".v1")[0]
_STREAMS = ("CAPTURE", "ALERTS", "DEAD", *(name.upper() for name in SERVICES))


@dataclass
class Installation:
    """A running suite.

    `stores` says where they are that the plan puts elsewhere; `disk` is the one it stands on, if that can be filled.
    """

    platform: Supervisor
    stores: Mapping[str, str]
    disk: SmallDisk | None = None
    newcomers: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)  # what readiness goes on to tell of, once it was
    broken_by: str = ""

    @property
    def suite(self) -> Suite:
        plan = self.platform.plan
        return Suite(
            plan.var,
            plan.url,
            plan.secrets.write_key,
            plan.secrets.api_key,
            plan.nats_url(OBSERVER),
            plan.nats_url(OPERATOR),
        )

    @property
    def write_key(self) -> tuple[str, str]:
        """What a web site shows at the door."""
        return (self.platform.plan.secrets.write_key, "")

    def client(self) -> httpx.AsyncClient:
        """Somebody with an API key."""
        return self.suite.client()

    def store(self, service: str) -> str:
        """The address of a service's store."""
        name = f"{service.upper()}_DATABASE_URL"
        return self.stores.get(name) or self.platform.plan.environment(service)[name]

    async def rows(self, service: str, question: str, **values: object) -> list[Row]:
        async with Database(self.store(service)) as database, database.read() as session:
            return [tuple(row) for row in await session.execute(text(question), values)]

    async def change(self, service: str, statement: str, **values: object) -> None:
        async with Database(self.store(service)) as database, database.begin() as session:
            await session.execute(text(statement), values)

    @asynccontextmanager
    async def bus(self, user: str) -> AsyncIterator[Broker]:
        """The bus as `user` may use it."""
        inbox = next((each.inbox for each in BUS_USERS if each.name == user), "_INBOX")
        broker = await Broker.connect(
            self.platform.plan.nats_url(user), "outside", inbox_prefix=inbox, answer_seconds=1.0
        )
        try:
            yield broker
        finally:
            await broker.close()

    async def asks_for_a_demo(self, name: str, traits: Mapping[str, object] | None = None) -> None:
        """Somebody new whom a rep has to hear of; `is_referred_once` says whether one did."""
        said = {
            "email": f"{name}@{name}.example",
            "title": "VP Operations",
            "company": {"name": f"{name} Ltd", "employees": 900},
        }
        event = {
            "userId": name,
            "event": "Demo Requested",
            "messageId": f"demo-{name}",
            "context": {"traits": said | dict(traits or {})},
        }
        async with httpx.AsyncClient(base_url=self.platform.plan.url, timeout=120) as client:
            answer = await client.post("/v1/track", json=event, auth=self.write_key)
        assert answer.status_code == 200, answer.text
        self.newcomers.append(name)

    async def everybody_is_referred_once(self) -> None:
        """Of each newcomer there is one fact, its points once, one referral, and one alert that offers it."""

        async def all_are() -> None:
            points = (
                "SELECT f.user_id, r.points_e4 FROM fact f JOIN receipt r ON r.cause_id = f.interaction_id WHERE r.rule"
                " = 'demo_requested'"
            )
            assert Counter(name for name, _ in await self.rows("scoring", points)) == Counter(self.newcomers)
            facts = await self.rows(
                "scoring", "SELECT user_id, count(*) FROM fact WHERE name = 'Demo Requested' GROUP BY 1"
            )
            assert dict(facts) == dict(Counter(self.newcomers))
            referrals = [referral for (referral,) in await self.rows("routing", "SELECT referral_id FROM referral")]
            assert len(referrals) == len(self.newcomers)
            offered = Counter(
                body["referral_id"] for _, body in await said_on(self.suite, "ROUTING") if body.get("kind") == "offered"
            )
            assert offered == Counter(referrals)

        await eventually(all_are, within=30)

    @asynccontextmanager
    async def others(self, name: str, forms_a_second: float = 1) -> AsyncIterator[Sender]:
        """Somebody else sends all the time inside the block, and at its end still is served; all that was acknowledged
        is there, once.
        """
        sender = Sender(self.platform, name)
        async with sender.sending(captures_a_second=20, forms_a_second=forms_a_second):
            yield sender
            stored = len(sender.captures)
            await eventually(lambda: len(sender.captures) > stored, within=40)
        await self.arrived_once(sender)

    async def arrived_once(self, sender: Sender) -> None:
        """Each acknowledged message is in the person's timeline, and none is in it twice."""

        async def all_there() -> None:
            seen = Counter(await self.timeline(sender.user_id))
            assert set(sender.acknowledged) - set(seen) == set()
            assert [message for message, times in seen.items() if times > 1] == []

        await eventually(all_there, within=30)

    async def timeline(self, user_id: str) -> list[str]:
        """The message ids of all that a person did."""
        found: list[str] = []
        async with self.client() as client:
            person_id = await self.person(client, user_id)
            cursor: str | None = ""
            while cursor is not None:
                page = await client.get(
                    f"/v1/people/{person_id}/timeline", params={"limit": "200"} | ({"cursor": cursor} if cursor else {})
                )
                assert page.status_code == 200, page.text
                found += [item["message_id"] for item in page.json()["items"]]
                cursor = page.json()["next_cursor"]
        return found

    async def person(self, client: httpx.AsyncClient, user_id: str) -> str:
        """The one person with this user id."""
        [found] = (await client.get("/v1/people", params={"user_id": user_id})).json()["items"] or [None]
        assert found is not None, f"nobody has the user id {user_id} yet"
        return str(found["person_id"])

    async def settled(self) -> Decided:
        """What was said and decided, once it does not change any more; without the scores that fade by themselves,
        whenever it is their time.
        """
        last: list[Counter[str]] = []
        async with self.bus(OBSERVER) as bus:

            async def is_still() -> None:
                last.append(Counter({"moving": len(last)}))
                await self._is_quiet(bus)
                last[-1] = await _said(bus)
                assert last[-3:] == 3 * [last[-1]], "more is said"

            await eventually(is_still, within=60)
            said = last[-1]
            scores = [one async for one in messages(bus, "SCORING", subject=f"{ScoreChanged.wire_name}.>")]
            said[_SCORE] -= sum(one.headers.get("correlation", "").startswith("tmr_") for one in scores)
        return said, {
            f"{name}: {each}": await self.rows(name, each) for name, questions in _COUNTED.items() for each in questions
        }

    async def is_still(self, before: Decided, because: object = "") -> None:
        """Nothing was said or decided beside what was there `before`."""
        (said, decided), (said_before, decided_before) = await self.settled(), before
        more = {
            kind: (said_before[kind], said[kind]) for kind in {*said, *said_before} if said[kind] != said_before[kind]
        }
        other = {
            question: (decided_before[question], rows)
            for question, rows in decided.items()
            if rows != decided_before[question]
        }
        assert (more, other) == ({}, {}), f"{because}: {more} {other}"

    async def _is_quiet(self, bus: Broker) -> None:
        """Each lane has applied what its stream holds, and nothing waits to be relayed."""
        for stream in (name for name in _STREAMS if name != "ALERTS"):  # reps read when they like
            for one in (await bus.request(f"CONSUMER.LIST.{stream}"))["consumers"]:
                waits = one["num_pending"], one["num_ack_pending"]
                assert not any(waits), f"{stream}: {one['name']} has {waits} before it"
        waiting = [name for name in SERVICES if await self.rows(name, "SELECT 1 FROM outbox LIMIT 1")]
        assert not waiting, f"{waiting} have something to say"


async def _said(bus: Broker) -> Counter[str]:
    found: Counter[str] = Counter()
    for stream in _STREAMS:
        subjects = (await bus.request(f"STREAM.INFO.{stream}", {"subjects_filter": ">"}))["state"].get("subjects") or {}
        for subject, count in subjects.items():
            if not subject.startswith("probe."):  # gone after a second
                found[subject.rpartition(".v1.")[0] or subject] += count
    return found
