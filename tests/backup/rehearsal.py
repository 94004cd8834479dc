"""A suite under load of which all is known, and the questions whose answers must agree after a restore."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from tests.support.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
EVENTS_A_REQUEST = 20
_MEETS_A_REP = 9  # each so manieth person asks for a demo


class Stored(NamedTuple):
    """A message as a stream holds it."""

    subject: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: str

    @property
    def event_id(self) -> str:
        return dict(self.headers)["ce-id"]


@dataclass
class Load:
    """Sends all the time: captures in batches, merges and verdicts over the API."""

    here: Installation
    name: str
    acknowledged: list[str] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    _mark: int | None = None

    @asynccontextmanager
    async def running(self, captures_a_second: float) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._captures(EVENTS_A_REQUEST / captures_a_second)),
            asyncio.create_task(self._office()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            assert isinstance(outcome, asyncio.CancelledError), outcome

    def has_sent_more(self, number: int) -> bool:
        """Since it was first asked, or last said so."""
        if self._mark is None:
            self._mark = len(self.acknowledged)
        if len(self.acknowledged) < self._mark + number:
            return False
        self._mark = None
        return True

    async def _captures(self, pause: float) -> None:
        plan, number = self.here.platform.plan, 0
        async with httpx.AsyncClient(base_url=plan.url, timeout=60, auth=(plan.secrets.write_key, "")) as client:
            while True:
                batch = [self._event(number + each) for each in range(EVENTS_A_REQUEST)]
                number += EVENTS_A_REQUEST
                answer = await client.post("/v1/batch", json={"batch": batch})
                assert answer.status_code == 200, answer.text
                self.acknowledged += [event["messageId"] for event in batch]
                await asyncio.sleep(pause)

    def _event(self, number: int) -> dict[str, Any]:
        person = f"{self.name}-{number // 4}"
        said: dict[str, Any] = {
            "type": "track",
            "userId": person,
            "messageId": f"{person}: {number}",
            "event": "Looked",
        }
        if number % 4 == 3:
            said |= {"event": "Pricing Viewed"}
        if (number // 4) % _MEETS_A_REP == 0 and number % 4 == 2:
            traits = {
                "email": f"{person}@{person}.example",
                "title": "VP Sales",
                "company": {"name": person, "employees": 900},
            }
            said |= {"event": "Demo Requested", "context": {"traits": traits}}
        return said

    async def _office(self) -> None:
        """Merges two of the people who came, and gives up on another, again and again."""
        async with self.here.client() as client:
            number = 0
            while True:
                known = len(self.acknowledged) // 4
                if number + _MEETS_A_REP < known:
                    await self._decide(client, number)
                    number += _MEETS_A_REP
                await asyncio.sleep(0.25)

    async def _decide(self, client: httpx.AsyncClient, number: int) -> None:
        third, first, second = [await self._person(client, f"{self.name}-{number + each}") for each in range(3)]
        if first and second:
            order = {"with_person_id": second, "reason": "the same voice on the phone"}
            merged = await client.post(f"/v1/people/{first}:merge", json=order)
            if merged.status_code == 200:
                self.merged.append((first, second))
        if third:
            given = await client.post(f"/v1/lifecycle/people/{third}:disqualify", json={"reason": "not_a_fit"})
            if given.status_code == 200:
                self.verdicts.append(third)

    async def _person(self, client: httpx.AsyncClient, user_id: str) -> str:
        items = (await client.get("/v1/people", params={"user_id": user_id})).json().get("items") or [{}]
        return str(items[0].get("person_id", ""))


async def command(*words: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`rapport` with these words and --json; what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *words,
        "--json",
        cwd=ROOT,
        env=dict(environment) if environment else None,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await process.communicate()
    assert process.returncode == 0, f"{said.decode()}\n{complaints.decode()}"
    answer: dict[str, Any] = json.loads(said)
    return answer


async def frozen(urls: Mapping[str, str]) -> asyncio.subprocess.Process:
    """A back-up that keeps writers out of these stores, and waits for its end."""
    words = [f"{name}={url}" for name, url in urls.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.backup.frozen", *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"frozen\n"
    return process


async def content(url: str, stream: str, last: int | None = None) -> dict[int, Stored]:
    """What `stream` holds up to `last`, probes left out."""
    broker = await Broker.connect(url, "rehearsal")
    found: dict[int, Stored] = {}
    try:
        async for message in messages(broker, stream):
            if last is not None and message.sequence > last:
                break
            headers = tuple(sorted(message.headers.items()))
            found[message.sequence] = Stored(message.subject, headers, message.body, message.timestamp.isoformat())
    finally:
        await broker.close()
    return found


def said_twice(messages: Mapping[int, Stored]) -> Counter[tuple[str, str]]:
    """What stands more than once in a stream, by id and subject."""
    counted = Counter((one.event_id, one.subject) for one in messages.values())
    return Counter({what: times for what, times in counted.items() if times > 1})


async def all_services_agree(here: Installation) -> None:
    """Who is who, who stands where, how ready they are, and who was referred: the same in every store that knows it."""
    people = {
        name: {fragment: tuple(rest) for fragment, *rest in await here.rows(name, _FRAGMENTS)}
        for name in ("identity", "scoring", "lifecycle", "nurture", "routing", "metrics")
    }
    for name, fragments in people.items():
        differ = {
            fragment: (people["identity"].get(fragment), known)
            for fragment, known in fragments.items()
            if people["identity"].get(fragment) != known
        }
        assert differ == {}, f"{name} and identity differ about {differ}"
    stages: dict[str, str] = dict(await here.rows("lifecycle", _STANDING))
    suggested: dict[str, str] = dict(await here.rows("nurture", _SUGGESTED))
    both = stages.keys() & suggested.keys()
    assert both
    assert {person: stages[person] for person in both} == {person: suggested[person] for person in both}
    cells: dict[str, str] = dict(await here.rows("scoring", "SELECT person_id, said_cell FROM person"))
    cards = {
        person: _read(scores) for person, scores in await here.rows("lifecycle", "SELECT person_id, scores FROM card")
    }
    told = {person: scores["cell"] for person, scores in cards.items() if scores and person in cells}
    assert told
    assert told == {person: cells[person] for person in told}
    offered = {row[0] for row in await here.rows("routing", "SELECT DISTINCT referral_id FROM offer")}
    counted = {
        row[0]
        for row in await here.rows("metrics", "SELECT DISTINCT referral_id FROM referral_told WHERE kind = 'offered'")
    }
    assert offered == counted


_FRAGMENTS = "SELECT fragment_id, person_id, graph_version FROM fragment"
_STANDING = "SELECT person_id, coalesce(stage, 'anonymous') FROM standing WHERE is_present"
_SUGGESTED = "SELECT person_id, stage FROM person WHERE stage IS NOT NULL"


def _read(document: Any) -> Any:
    with suppress(TypeError):
        return json.loads(document)
    return document
