"""What is backed up and restored: where the streams and the stores of an installation are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from backup.manifest import Kind
from backup.postgres import PostgresHeld, PostgresRestored
from backup.sqlite import SqliteHeld, SqliteRestored
from backup.store import HeldStore, RestoredStore
from chassis.bus.broker import Broker
from deployment.backup_user import BACKUP_INBOX
from deployment.catalogue import PROCESSES

NATS_URL: Final = "BACKUP_NATS_URL"
_CONNECT_SECONDS: Final = 10.0


class InstallationUnknown(Exception):
    """It is not said where the streams and stores are. The text names what is missing."""


class NatsAway(Exception):
    """There is no server, or it does not let us in."""


@dataclass(frozen=True)
class Installation:
    """`stores` and `owners` are addresses by process; an owner may make tables, which a service may not everywhere."""

    nats_url: str
    stores: Mapping[str, str]
    owners: Mapping[str, str]
    replicas: int | None = None

    def held_stores(self) -> list[HeldStore]:
        """The stores, to be backed up."""
        return [self._held(process.name, process.migrations) for process in PROCESSES]

    def restored_stores(self) -> dict[str, RestoredStore]:
        """The stores, to be restored."""
        return {process.name: self._restored(process.name, process.migrations) for process in PROCESSES}

    def kind(self, name: str) -> Kind:
        """What kind of store a process has."""
        return kind_of(self.stores[name])

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Broker]:
        """The bus, as the user who may take and bring back streams. Raises NatsAway."""
        broker = Broker.open(self.nats_url, "backup", inbox_prefix=BACKUP_INBOX)
        try:
            await _reached(broker)
            yield broker
        finally:
            await broker.close()

    def _held(self, name: str, package: str) -> HeldStore:
        url = self.stores[name]
        if kind_of(url) == "sqlite":
            return SqliteHeld(name, sqlite_path(url), package)
        return PostgresHeld(name, url, package)

    def _restored(self, name: str, package: str) -> RestoredStore:
        url = self.owners.get(name) or self.stores[name]
        return (
            SqliteRestored(name, sqlite_path(url)) if kind_of(url) == "sqlite" else PostgresRestored(name, url, package)
        )


def from_environment(environment: Mapping[str, str]) -> Installation:
    """As the processes themselves are told. Raises InstallationUnknown naming the variables that are missing."""
    names = {process.name: f"{process.prefix}DATABASE_URL" for process in PROCESSES}
    missing = [name for name in (NATS_URL, *names.values()) if not environment.get(name)]
    if missing:
        raise InstallationUnknown(f"not set: {', '.join(missing)}")
    owners = {process.name: f"{process.prefix}MIGRATION_DATABASE_URL" for process in PROCESSES}
    replicas = environment.get("GATEWAY_NATS_REPLICAS")
    return Installation(
        environment[NATS_URL],
        {process: environment[name] for process, name in names.items()},
        {process: environment[name] for process, name in owners.items() if environment.get(name)},
        int(replicas) if replicas else None,
    )


def kind_of(url: str) -> Kind:
    """What kind of store is at `url`."""
    return "sqlite" if make_url(url).get_backend_name() == "sqlite" else "postgresql"


def sqlite_path(url: str) -> Path:
    """The file of a SQLite store."""
    return Path(make_url(url).database or "")


async def _reached(broker: Broker) -> None:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await broker.connected()
            while not broker.is_ready:  # noqa: ASYNC110 - a connection has no event for it
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise NatsAway(broker.why_not_ready) from None
