"""What a process of ours is asked for on its command line: with no word it serves, with `migrate` it migrates its store
and ends.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import structlog
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.app import Service
from chassis.logs import configure_logs
from chassis.settings import SettingsRefused, explain
from chassis.store.preparation import MayNotMigrate, NotInTime, prepare
from chassis.store.revisions import UnknownRevision
from chassis.web.server import serve

log = structlog.get_logger(__name__)

_FAILED = 1
_MISUSED = 2


class MigrationSettings(BaseSettings):
    """All that a migration needs to know: no keys, no NATS."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: str = ""
    migration_database_url: str = ""  # with the role that owns the tables; empty: database_url
    migration_wait_seconds: Annotated[float, Field(ge=0)] = 300.0  # for a database that is not there yet
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @property
    def url(self) -> str:
        """The store, as who may change its tables."""
        return self.migration_database_url or self.database_url


def run(package: str, create: Callable[[], Service[Any]]) -> None:
    """Does what `python -m <package>.main` was asked for; `package` is `services.<name>`, or `gateway`.

    Raises SettingsRefused.
    """
    match sys.argv[1:]:
        case []:
            serve(create())
        case ["migrate"]:
            sys.exit(_migrate(package))
        case _:
            sys.stderr.write(f"usage: python -m {package}.main [migrate]\n")
            sys.exit(_MISUSED)


def _migrate(package: str) -> int:
    name = package.rpartition(".")[2]
    settings = _migration_settings(f"{name.upper()}_")
    configure_logs(name, settings.log_level, settings.log_format)
    try:
        asyncio.run(prepare(settings.url, f"{package}.migrations", within=settings.migration_wait_seconds))
    except (NotInTime, MayNotMigrate, UnknownRevision) as refusal:
        log.error("store.refused", reason=str(refusal))
        return _FAILED
    log.info("store.migrated")
    return 0


def _migration_settings(prefix: str) -> MigrationSettings:
    try:
        settings = MigrationSettings(_env_prefix=prefix)
    except ValidationError as refusal:
        raise SettingsRefused(explain(refusal, prefix)) from None
    if not settings.url:
        raise SettingsRefused(f"the environment is incomplete; {prefix}MIGRATION_DATABASE_URL: Field required")
    return settings
