"""Where the stores are: chosen once, kept, and never changed by accident."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from deployment.catalogue import PROCESSES
from embedded.secrets import Secrets, load_or_make
from embedded.stores import StoresRefused, chosen_stores, known_stores, shown
from embedded.up import prepare
from tests.support.postgres import PostgresServer


def made(var: Path) -> Secrets:
    var.mkdir(parents=True, exist_ok=True)
    return load_or_make(var / "secrets.json", [])


def started(var: Path) -> None:
    (var / "nats" / "jetstream").mkdir(parents=True)


def test_by_default_they_are_files_in_the_folder_and_go_where_it_goes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert chosen_stores(first, {}, made(first))["identity"] == f"sqlite:///{first}/identity.db"
    shutil.copytree(first, second)
    assert chosen_stores(second, {}, made(second))["identity"] == f"sqlite:///{second}/identity.db"


def test_a_template_has_the_name_of_each_service(tmp_path: Path) -> None:
    stores = chosen_stores(tmp_path, {"DATABASE": f"sqlite:///{tmp_path}/x/{{service}}.db"}, made(tmp_path))
    assert stores == {one.name: f"sqlite:///{tmp_path}/x/{one.name}.db" for one in PROCESSES}


def test_the_choice_is_kept_and_another_one_is_refused_once_there_are_streams(tmp_path: Path) -> None:
    chosen = chosen_stores(tmp_path, {"RAPPORT_DATABASE": f"sqlite:///{tmp_path}/x/{{service}}.db"}, made(tmp_path))
    started(tmp_path)
    assert chosen_stores(tmp_path, {}, made(tmp_path)) == known_stores(tmp_path) == chosen
    with pytest.raises(StoresRefused, match="VAR="):
        chosen_stores(tmp_path, {"DATABASE": f"sqlite:///{tmp_path}/y/{{service}}.db"}, made(tmp_path))
    assert (tmp_path / "stores.json").stat().st_mode & 0o077 == 0


def test_a_suite_on_files_is_not_moved_to_postgres_by_a_word(tmp_path: Path) -> None:
    chosen_stores(tmp_path, {}, made(tmp_path))
    started(tmp_path)
    with pytest.raises(StoresRefused, match="rapport backup"):
        chosen_stores(tmp_path, {"IDENTITY_DATABASE_URL": "postgresql://u:hush@host/b"}, made(tmp_path))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("mysql://host/", "postgresql://"),
        ("production", "postgresql://"),
        ("postgresql://host/rapport", "leave the name out"),
        ("postgresql://u:hush@127.0.0.1:1/", "lets nobody in"),
        ("postgresql://u:hush@127.0.0.1:1/x_{service}", "lets nobody in"),
    ],
)
def test_what_cannot_be_is_refused_without_its_password(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(StoresRefused, match=word) as refusal:
        chosen_stores(tmp_path, {"DATABASE": text}, made(tmp_path))
    assert "hush" not in str(refusal.value)


def test_both_names_at_once_have_to_agree(tmp_path: Path) -> None:
    with pytest.raises(StoresRefused, match="unset one"):
        chosen_stores(tmp_path, {"DATABASE": "sqlite:///a{service}", "RAPPORT_DATABASE": "b"}, made(tmp_path))


def test_a_file_that_cannot_be_read_is_no_reason_to_begin_with_empty_stores(tmp_path: Path) -> None:
    (tmp_path / "stores.json").write_text('{"identity": "postg')
    with pytest.raises(StoresRefused, match=r"stores\.json"):
        chosen_stores(tmp_path, {}, made(tmp_path))


def test_an_address_is_shown_without_who_logs_in() -> None:
    assert shown("postgresql://u:hush@host:5432/x") == "postgresql://host:5432/x"


async def test_a_server_gets_a_database_and_a_role_for_each(tmp_path: Path, postgres_server: PostgresServer) -> None:
    server = postgres_server.url.replace("/postgres?", "/?")
    stores = await in_thread(tmp_path, server)
    assert stores["identity"].startswith("postgresql://rapport_identity:")
    with pytest.raises(StoresRefused, match="belongs to another installation"):
        await in_thread(tmp_path / "other", server)
    assert await in_thread(tmp_path, server) == stores
    connection = await asyncpg.connect(stores["identity"])
    assert await connection.fetchval("SELECT current_user || ' ' || current_database()") == (
        "rapport_identity rapport_identity"
    )
    await connection.execute("CREATE TABLE mine (x int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE ROLE intruder")
    await connection.close()


async def test_a_role_that_may_make_nothing_says_what_an_administrator_has_to(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    admin = await asyncpg.connect(postgres_server.url)
    await admin.execute("CREATE ROLE humble LOGIN")
    server = postgres_server.url.replace("rapport@/postgres?", "humble@/?")
    with pytest.raises(StoresRefused, match=r"ALTER ROLE .humble. CREATEDB"):
        await in_thread(tmp_path, server)
    for process in PROCESSES:
        await admin.execute(f'CREATE DATABASE "rapport_{process.name}" OWNER humble')
    assert (await in_thread(tmp_path, server))["metrics"] == server.replace("/?", "/rapport_metrics?")
    with pytest.raises(StoresRefused, match="belongs to another"):
        await in_thread(tmp_path / "other", server)
    await admin.close()


async def test_databases_of_a_template_are_made(tmp_path: Path, postgres_server: PostgresServer) -> None:
    template = postgres_server.url.replace("/postgres?", "/mine_{service}?")
    stores = await in_thread(tmp_path, template)
    connection = await asyncpg.connect(stores["routing"])
    assert await connection.fetchval("SELECT current_database()") == "mine_routing"
    await connection.close()


async def in_thread(var: Path, database: str) -> dict[str, str]:
    """As `make up` does it: outside an event loop."""
    return await asyncio.to_thread(chosen_stores, var, {"DATABASE": database}, made(var))


@pytest.mark.parametrize("password", ["p@ss", "a/b", "what?", "no#1", "a@b/c"])
def test_a_password_whose_signs_are_the_addresss_is_told_how_it_is_written(tmp_path: Path, password: str) -> None:
    for environment in (
        {"DATABASE": f"postgresql://admin:{password}@db.test/"},
        {"IDENTITY_DATABASE_URL": f"postgresql://admin:{password}@db.test/identity"},
    ):
        with pytest.raises(StoresRefused, match="@ is written %40") as refusal:
            prepare(tmp_path, 0, detached=True, environment=environment)
        assert password not in str(refusal.value)
