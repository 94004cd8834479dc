"""Each container's start command with its environment, alone and together: health, the story of a lead, and who may do
what to whose store.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import httpx
import pytest

from deployment.catalogue import INNER_PORT, PORT, PROCESSES, SERVICES
from tests.support.eventually import eventually
from tests.support.lead_story import goes_from_form_to_rep
from tests.support.local_containers import LocalContainers
from tests.support.suite import Suite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.platform,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="session"),
]

NAMES = [process.name for process in PROCESSES]


def as_suite(here: LocalContainers, secrets: Mapping[str, str]) -> Suite:
    nats_at = f"{here.address('nats')}:4222"
    return Suite(
        Path(),
        f"http://{here.address('gateway')}:{PORT}",
        secrets["BOOTSTRAP_WRITE_KEY"],
        secrets["BOOTSTRAP_API_KEY"],
        f"nats://observer:{secrets['OBSERVER_NATS_PASSWORD']}@{nats_at}",
        f"nats://operator:{secrets['OPERATOR_NATS_PASSWORD']}@{nats_at}",
    )


@pytest.mark.parametrize("name", NAMES)
async def test_a_container_passes_its_own_health_check_and_tells_its_figures_on_the_inner_port_alone(
    here: LocalContainers, name: str
) -> None:
    assert await here.check(name) == (0, "")
    async with httpx.AsyncClient() as client:
        inner = await client.get(f"http://{here.address(name)}:{INNER_PORT}/metrics")
        outer = await client.get(f"http://{here.address(name)}:{PORT}/metrics")
    assert (inner.status_code, outer.status_code == 200) == (200, False)


async def test_a_lead_goes_from_the_form_to_the_rep_on_postgresql(
    here: LocalContainers, secrets: Mapping[str, str]
) -> None:
    await goes_from_form_to_rep(as_suite(here, secrets))


@pytest.mark.parametrize("name", NAMES)
async def test_a_process_reads_and_writes_rows_and_nothing_else(
    here: LocalContainers, secrets: Mapping[str, str], name: str
) -> None:
    assert here.postgres is not None
    connection = await here.postgres.connect(name, secrets[f"{name.upper()}_DATABASE_PASSWORD"], name)
    try:
        assert await connection.fetchval("SELECT count(*) FROM version") == 1
        for refused in (
            "CREATE TABLE mine (id int)",
            "DROP TABLE outbox",
            "ALTER TABLE outbox ADD COLUMN mine int",
            "TRUNCATE outbox",
            "CREATE SCHEMA mine",
            "CREATE TEMPORARY TABLE mine (id int)",
            "CREATE ROLE somebody",
            "CREATE DATABASE mine",
            f'GRANT "{name}_owner" TO "{name}"',
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", ["", "_owner"])
async def test_nobody_connects_to_the_database_of_another(
    here: LocalContainers, secrets: Mapping[str, str], kind: str
) -> None:
    assert here.postgres is not None
    for name in NAMES:
        password = secrets[f"{name.upper()}_{'OWNER' if kind else 'DATABASE'}_PASSWORD"]
        for other in {*NAMES, "postgres", "template1"} - {name}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await here.postgres.connect(f"{name}{kind}", password, other)


async def test_wrong_and_usual_passwords_are_refused(here: LocalContainers, secrets: Mapping[str, str]) -> None:
    assert here.postgres is not None
    for role in ("rapport", *NAMES, *(f"{name}_owner" for name in NAMES)):
        for password in ("", "postgres", "password", role, secrets["GATEWAY_NATS_PASSWORD"]):
            with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
                await here.postgres.connect(role, password, "identity" if role == "rapport" else role[:9].strip("_"))
    for user in ("", *NAMES, "observer", "operator", "backup", "cluster", "somebody"):
        for password in ("", user, secrets["POSTGRES_PASSWORD"]):
            answer = await asyncio.to_thread(nats_answer, here.address("nats"), user, password)
            assert "Authorization Violation" in answer or "Authentication Timeout" in answer, user
    assert (
        await asyncio.to_thread(nats_answer, here.address("nats"), "observer", secrets["OBSERVER_NATS_PASSWORD"])
        == "PONG"
    )


def nats_answer(host: str, user: str, password: str) -> str:
    """What the server answers to whoever says that they are `user`."""
    with socket.create_connection((host, 4222), 20) as connection:
        lines = connection.makefile("rb")
        lines.readline()  # who it is
        asked = json.dumps({"user": user, "pass": password, "verbose": False})
        connection.sendall(f"CONNECT {asked}\r\nPING\r\n".encode())
        return lines.readline().decode().strip()


async def test_a_service_asks_for_an_inner_token(here: LocalContainers) -> None:
    async with httpx.AsyncClient() as client:
        for name in SERVICES:
            answer = await client.get(f"http://{here.address(name)}:{PORT}/v1/people")
            assert answer.status_code == 401, name


async def test_passwords_of_the_store_change_by_running_its_script_again(
    here: LocalContainers, secrets: Mapping[str, str]
) -> None:
    assert here.postgres is not None
    here.postgres.initialize(METRICS_OWNER_PASSWORD="Fresh")
    connection = await here.postgres.connect("metrics_owner", "Fresh", "metrics")
    await connection.close()
    here.postgres.initialize()

    server = here.postgres

    async def is_as_before() -> bool:
        connection = await server.connect("metrics_owner", secrets["METRICS_OWNER_PASSWORD"], "metrics")
        await connection.close()
        return True

    await eventually(is_as_before)
