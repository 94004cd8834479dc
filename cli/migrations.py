"""Migrating stores. With Alembic and the stores' drivers: those import it that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chassis.store.revisions import UnknownRevision
from cli.bus import be_quiet
from cli.installation import installation
from cli.output import fail
from cli.stores import (
    STORE_FAILURES,
    NoStores,
    bring_up_to_date,
    failure_in_words,
    is_missing,
    lacking,
    store_addresses,
)
from embedded.stores import StoresRefused, shown


@dataclass(frozen=True)
class Migrated:
    """What a store lacked, and whether it has it now."""

    service: str
    lacking: list[str] = field(default_factory=list)
    is_done: bool = False
    error: str = ""

    def in_words(self) -> str:
        if self.error:
            return f"failed: {self.error}"
        if not self.lacking:
            return "up to date"
        number = len(self.lacking)
        return f"{number} applied" if self.is_done else f"{number} lacking: {', '.join(self.lacking)}"


def migrated(var: Path, wanted: Sequence[str], *, is_dry: bool, as_json: bool) -> list[Migrated]:
    """The stores of `wanted`, or of all; ends the command where nobody says which there are."""
    be_quiet()
    try:
        stores = store_addresses(installation(var))
    except (NoStores, StoresRefused) as refusal:
        fail(str(refusal), "Name the folder with --var.", as_json=as_json)
    if unknown := sorted(set(wanted) - set(stores)):
        fail(f"there is no service {', '.join(unknown)}", f"There are {', '.join(stores)}.", as_json=as_json)
    chosen = {name: url for name, url in stores.items() if not wanted or name in wanted}
    return [asyncio.run(_one(name, url, is_dry=is_dry)) for name, url in chosen.items()]  # one by one: they are written


async def _one(name: str, url: str, *, is_dry: bool) -> Migrated:
    if is_missing(url):
        return Migrated(name, error="there is no store yet; the service makes it at its first start")
    found: list[str] = []
    try:
        found = await lacking(name, url)
        if not is_dry:
            await bring_up_to_date(name, url)
    except UnknownRevision as error:
        return Migrated(name, found, error=str(error))
    except STORE_FAILURES as error:
        return Migrated(name, found, error=f"{shown(url)} is out of reach: {failure_in_words(error)}")
    return Migrated(name, found, is_done=not is_dry)
