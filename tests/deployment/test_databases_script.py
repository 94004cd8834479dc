"""The scripts that make databases and roles, run on a real PostgreSQL that writes every statement down."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from deployment.catalogue import PROCESSES
from deployment.kubernetes.databases import databases_script, passwords
from tests.support.postgres import PostgresServer, installations, start_server
from tests.support.tools import missing

pytestmark = pytest.mark.slow
COMPOSE = Path(__file__).parents[2] / "deployment" / "compose" / "postgres" / "10-databases.sh"
GIVEN = {name: f"s3cret-{name}" for name in passwords()}


def psql_folder() -> Path:
    found = next((folder for folder in installations() if (folder / "psql").exists()), None)
    return found or missing("no psql", "postgres")


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    started = start_server()
    try:
        yield started
    finally:
        started.remove()


@pytest.fixture
def ask(server: PostgresServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """psql, or a program that calls it, as somebody."""

    def asked(*words: str, user: str = "rapport", **told: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{psql_folder()}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": str(make_url(server.url).query["host"]),
            "PGUSER": user,
            "POSTGRES_USER": user,
            **told,
        }
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    return asked


@pytest.mark.parametrize("way", ["compose", "kubernetes"])
def test_a_script_run_twice_writes_no_password_into_the_log_and_lets_nobody_in_elsewhere(
    way: str, server: PostgresServer, ask: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    set_up = ("psql", "--no-psqlrc", "-d", "postgres", "-c")
    assert ask(*set_up, "ALTER SYSTEM SET log_statement = 'all'").returncode == 0
    assert ask(*set_up, "SELECT pg_reload_conf()").returncode == 0
    script = tmp_path / "databases.sql"
    script.write_text(databases_script())
    words = ("sh", str(COMPOSE)) if way == "compose" else (*set_up[:-1], "--quiet", "--file", str(script))
    for _ in range(2):
        done = ask(*words, **GIVEN)
        assert (done.returncode, done.stderr) == (0, "")
    log = (Path(str(make_url(server.url).query["host"])) / "log").read_text()
    assert "REVOKE ALL ON DATABASE template1" in log  # it is written indeed
    assert "s3cret-" not in log
    for process in PROCESSES:
        assert ask("psql", "-d", process.name, "-c", "SELECT 1", user=process.name).returncode == 0
        for other in ("postgres", "template1", *(one.name for one in PROCESSES if one is not process)):
            assert "permission denied for database" in ask("psql", "-d", other, "-c", "", user=process.name).stderr
