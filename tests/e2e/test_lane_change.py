"""The number of lanes is changed on a suite that is full of history: what was decided stays as it was, and what comes next is decided once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext

from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite, running_suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SERVICES = ("identity", "scoring", "lifecycle", "nurture", "routing", "metrics")
_COUNTED = {
    "scoring": ("SELECT count(*) FROM fact", "SELECT count(*) FROM receipt"),
    "lifecycle": ("SELECT count(*) FROM move", "SELECT count(*) FROM receipt", "SELECT sum(points_e4) FROM standing"),
    "nurture": ("SELECT count(*) FROM selection", "SELECT count(*) FROM receipt"),
    "routing": (
        "SELECT state, count(*) FROM referral GROUP BY 1 ORDER BY 1",
        "SELECT count(*) FROM offer",
        "SELECT count(*) FROM receipt",
    ),
    "metrics": ("SELECT count(*) FROM stage_told", "SELECT count(*) FROM touch"),
}


def rows(var: Path, service: str, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{var / service}.db?mode=ro", uri=True)) as store:
        return store.execute(question).fetchall()


def decided(var: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the stores hold that must not change by itself."""
    return {f"{service}: {question}": rows(var, service, question) for service, questions in _COUNTED.items() for question in questions}


@contextmanager
def as_if_months_had_gone_by(var: Path) -> Iterator[None]:
    """While nothing runs: the rows of the inboxes are gone, and nothing stands but the floors."""
    yield
    for service in SERVICES:
        with closing(sqlite3.connect(var / f"{service}.db")) as store:
            store.execute("DELETE FROM inbox")
            store.commit()


async def said(stream_manager: JetStreamContext) -> Counter[str]:
    """How many events of each kind there are, dead letters included."""
    found: Counter[str] = Counter()
    for name in (*(service.upper() for service in SERVICES), "CAPTURE", "ALERTS", "DEAD"):
        subjects = (await stream_manager.stream_info(name, subjects_filter=">")).state.subjects or {}
        for subject, count in subjects.items():
            if subject.startswith("probe."):  # gone after a second
                continue
            found[subject.rpartition(".v1.")[0] or subject] += count
    return found


async def all_quiet(suite: Suite, stream_manager: JetStreamContext) -> bool:
    """Nothing waits to be relayed, and each lane has applied what its stream holds."""
    if any(rows(suite.var, service, "SELECT 1 FROM outbox LIMIT 1") for service in SERVICES):
        return False
    infos = [info for stream in (*SERVICES, "capture") for info in await stream_manager.consumers_info(stream.upper())]
    return len(infos) > len(SERVICES) and all(info.num_pending == info.num_ack_pending == 0 for info in infos)


async def settled(suite: Suite) -> tuple[Counter[str], dict[str, list[tuple[object, ...]]]]:
    """What was said and decided, once it does not change any more."""
    client = await nats.connect(suite.nats_url)
    stream_manager = client.jetstream()
    last: list[Counter[str]] = []

    async def is_still() -> bool:
        last.append(await said(stream_manager) if await all_quiet(suite, stream_manager) else Counter({"moving": len(last)}))
        return len(last) > 3 and last[-1] == last[-2] == last[-3]

    await eventually(is_still, within=60)
    await client.close()
    return last[-1], decided(suite.var)


def play(suite: Suite) -> None:
    """A small market: people, referrals, alerts, deals."""
    words = [sys.executable, "-m", "demo", "--var", str(suite.var), "--people", "40", "--rate", "500"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr


async def somebody_comes(suite: Suite, name: str) -> None:
    """A new person is captured, recognized and scored."""
    event = {"userId": name, "traits": {"email": f"{name}@example.com", "title": "VP Sales", "company": "Tidewater"}}
    async with suite.client() as client:
        answer = await client.post("/v1/identify", json=event, headers={"authorization": f"Bearer {suite.write_key}"})
        assert answer.status_code == 200, answer.text

        async def is_scored() -> bool:
            found = (await client.get("/v1/people", params={"q": name})).json()["items"]
            return bool(found) and (await client.get(f"/v1/people/{found[0]['person_id']}")).status_code == 200

        await eventually(is_scored, within=20)


async def test_referrals_alerts_points_and_moves_are_the_same_after_lanes_changed_from_1_to_2_to_4_to_1(tmp_path: Path) -> None:
    with as_if_months_had_gone_by(tmp_path), running_suite(tmp_path) as suite:
        play(suite)
        before = await settled(suite)
    assert before[0]["routing.alert.raised"] > 0
    assert before[1]["routing: " + _COUNTED["routing"][0]]

    for lanes in (2, 4, 1):
        with as_if_months_had_gone_by(tmp_path), running_suite(tmp_path, "--lanes", str(lanes)) as suite:
            assert await settled(suite) == before, lanes
            await somebody_comes(suite, f"newcomer{lanes}")
            before = await settled(suite)
