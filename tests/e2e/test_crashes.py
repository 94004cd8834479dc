"""What `make up` and `make down` meet after a crash: a killed supervisor, everything killed, stale and torn files."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from chassis.store.database import Database
from embedded.files import is_open
from embedded.lock import is_held
from embedded.processes import SUPERVISOR, holders
from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite, running_suite

pytestmark = pytest.mark.slow


def make(module: str, var: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make up` or `make down`, to its end."""
    command = [sys.executable, "-m", f"embedded.{module}", "--var", str(var), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110, env=os.environ | environment
    )


@contextmanager
def in_terminal(var: Path, shown: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`make up` as somebody has it before their eyes."""
    command = [sys.executable, "-m", "embedded.up", "--port", "0", "--var", str(var)]
    with shown.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=100)


def kill_supervisor(var: Path) -> None:
    pid = next(one.pid for one in holders(var) if one.name == SUPERVISOR)
    os.kill(pid, signal.SIGKILL)
    while pid in {one.pid for one in holders(var)}:  # one that is ending holds its files for a moment longer
        time.sleep(0.02)


def turned_away(door: str, user: str) -> bytes:
    """What NATS says to a wrong password."""
    host, _, port = door.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"CONNECT " + json.dumps({"user": user, "pass": "wrong"}).encode() + b"\r\nPING\r\n")
        return b"".join(iter(lambda: connection.recv(4096), b""))


def is_alive(pid: int) -> bool:
    """Whether it still runs; one that waits to be reaped does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


class Visitor:
    """Sends captures, each by somebody else, until told to stop, and keeps account of what was acknowledged."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.acknowledged: list[str] = []
        self._is_leaving = False

    def leave(self) -> None:
        self._is_leaving = True

    async def send(self) -> None:
        async with httpx.AsyncClient(base_url=self._suite.url, auth=(self._suite.write_key, ""), timeout=30) as client:
            for number in itertools.count():
                if self._is_leaving:
                    return
                await self._one(client, f"crash-{number}")

    async def _one(self, client: httpx.AsyncClient, name: str) -> None:
        event = {"userId": name, "messageId": name, "event": "Crash Met"}
        try:
            answer = await client.post("/v1/track", json=event)
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
        else:
            if answer.status_code == 200:
                self.acknowledged.append(name)


async def recorded(var: Path) -> Counter[str]:
    async with Database(f"sqlite:///{var / 'scoring.db'}") as database, database.read() as session:
        question = text("SELECT user_id, count(*) AS number FROM fact WHERE name = 'Crash Met' GROUP BY 1")
        return Counter({row.user_id: row.number for row in await session.execute(question)})


async def test_captures_of_a_suite_whose_supervisor_was_killed_are_there_exactly_once(own_suite: Suite) -> None:
    var, visitor = own_suite.var, Visitor(own_suite)
    sending = asyncio.create_task(visitor.send())
    await eventually(lambda: len(visitor.acknowledged) >= 50, within=30)
    kill_supervisor(var)
    orphaned = len(visitor.acknowledged)
    await eventually(lambda: len(visitor.acknowledged) >= orphaned + 50, within=30)
    again = await asyncio.to_thread(make, "up", var, "--port", "0", "--detach")
    assert again.returncode == 0, again.stdout
    assert "its supervisor" not in again.stdout
    assert "ended in order first: nats" in again.stdout
    assert own_suite.url in again.stdout, "nobody has to learn another port"
    restarted = len(visitor.acknowledged)
    await eventually(lambda: len(visitor.acknowledged) >= restarted + 20, within=30)
    visitor.leave()
    await sending

    async def all_are_recorded() -> None:
        assert set(visitor.acknowledged) <= set(await recorded(var))

    await eventually(all_are_recorded, within=60)
    found = await recorded(var)
    assert {name: number for name, number in found.items() if number != 1} == {}


async def test_with_nobody_to_read_what_they_say_nats_and_services_go_on(own_suite: Suite) -> None:
    """Their standard output is a pipe whose reader was killed: what is logged may be lost, work may not."""
    kill_supervisor(own_suite.var)
    before = {one.name: one.pid for one in holders(own_suite.var)}
    door = own_suite.operator_nats_url.rpartition("@")[2]
    for user in ("operator", "nobody"):  # NATS logs the one, routing the other as well
        for _ in range(5):
            assert b"Authorization Violation" in await asyncio.to_thread(turned_away, door, user)
    async with own_suite.client() as client:
        assert (await client.get("/v1/status")).status_code == 200
    visitor = Visitor(own_suite)
    sending = asyncio.create_task(visitor.send())
    await eventually(lambda: len(visitor.acknowledged) >= 20, within=30)
    visitor.leave()
    await sending

    async def all_are_recorded() -> None:
        assert set(visitor.acknowledged) <= set(await recorded(own_suite.var))

    await eventually(all_are_recorded, within=30)
    assert {one.name: one.pid for one in holders(own_suite.var)} == before, "nobody ended"
    assert own_suite.log("nats").count("authentication error") >= 5, "NATS writes its log itself"


def test_down_ends_what_a_killed_supervisor_left(own_suite: Suite) -> None:
    kill_supervisor(own_suite.var)
    left = {one.pid for one in holders(own_suite.var)}
    assert len(left) >= 9
    ended = make("down", own_suite.var)
    assert (ended.returncode, ended.stdout.startswith("stopped; the supervisor had been killed")) == (0, True)
    assert not is_held(own_suite.var)
    assert [pid for pid in left if is_alive(pid)] == []
    assert make("down", own_suite.var).stdout == "nothing is running.\n"


async def test_a_suite_in_a_terminal_can_be_stopped_from_another_one(tmp_path: Path) -> None:
    shown, var = tmp_path / "shown.txt", tmp_path / "var"
    with in_terminal(var, shown) as process:
        await eventually(lambda: "Rapport is ready" in shown.read_text(), within=90)
        ended = await asyncio.to_thread(make, "down", var)
        assert (ended.returncode, ended.stdout) == (0, "stopped.\n")
        assert await asyncio.to_thread(process.wait, 20) == 0, shown.read_text()
        assert not is_held(var)


async def test_who_waits_in_a_terminal_ends_what_its_killed_supervisor_left(tmp_path: Path) -> None:
    shown, var = tmp_path / "shown.txt", tmp_path / "var"
    with in_terminal(var, shown) as process:
        await eventually(lambda: "Rapport is ready" in shown.read_text(), within=90)
        kill_supervisor(var)
        assert await asyncio.to_thread(process.wait, 60) == 1
        assert "its supervisor was killed" in shown.read_text()
        assert not is_held(var)


def test_up_after_everything_was_killed_with_stale_and_torn_files(own_suite: Suite) -> None:
    var = own_suite.var
    kill_supervisor(var)
    for one in holders(var):
        os.kill(one.pid, signal.SIGKILL)
    # process ids are used again: these are of a program that has nothing to do with it
    (var / "supervisord.pid").write_text(str(os.getpid()))
    (var / "nats.pid").write_text(str(os.getpid()))
    (var / "ports.json").write_text('{"nats": 4')
    (var / "nats.conf").write_text("accounts {")
    (var / "lock").write_text('{"process": ')
    (var / "log" / "identity.log").chmod(0o644)
    var.chmod(0o755)
    port = own_suite.url.rpartition(":")[2]
    again = make("up", var, "--port", port, "--detach")
    assert again.returncode == 0, again.stdout
    assert [path for path in (var, *var.rglob("*")) if is_open(path)] == []


def test_what_cannot_start_is_named_with_its_last_words_and_nothing_is_left(tmp_path: Path) -> None:
    ended = make("up", tmp_path, "--port", "0", "--detach", ROUTING_LOG_LEVEL="loud")
    assert ended.returncode == 1
    assert "routing has given up: " in ended.stdout
    assert "ROUTING_LOG_LEVEL: Input should be 'debug'" in ended.stdout
    assert not is_held(tmp_path)


def test_secrets_that_cannot_be_read_are_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"token_private_key": "abc')
    ended = make("up", tmp_path, "--port", "0", "--detach")
    assert ended.returncode == 1
    assert "secrets.json cannot be read" in ended.stdout


def test_on_postgres_by_one_word_everything_runs_and_the_next_start_needs_no_word(
    tmp_path: Path, postgres_admin_url: str
) -> None:
    server = postgres_admin_url.replace("/postgres", f"/{tmp_path.name.replace('-', '_')}_{{service}}", 1)
    for environment in ({"RAPPORT_DATABASE": server}, {}):
        with running_suite(tmp_path, environment=environment) as suite:
            answer = httpx.post(
                f"{suite.url}/v1/identify",
                json={"userId": "pg", "messageId": f"pg-{len(environment)}", "traits": {"email": "pg@pg.example"}},
                auth=(suite.write_key, ""),
            )
            assert answer.status_code == 200
    assert not list(tmp_path.glob("*.db"))


def test_a_start_in_which_nothing_moves_ends_and_says_what_is_waited_for(tmp_path: Path) -> None:
    ended = make(
        "up", tmp_path, "--port", "0", "--detach",
        IDENTITY_DATABASE_URL="postgresql://nobody:hush@127.0.0.1:1/identity", RAPPORT_PATIENCE_SECONDS="6",
    )  # fmt: skip
    assert ended.returncode == 1
    assert "nothing has moved for" in ended.stdout
    assert "identity: store it does not answer" in ended.stdout
    assert "hush" not in ended.stdout
    assert not is_held(tmp_path)
