"""The stores: within reach, migrated, and holding nothing that was set aside; and their clocks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from sqlalchemy import text

from chassis.clock import wall_clock
from chassis.store.database import Database
from chassis.store.revisions import UnknownRevision
from cli.checks.diagnosis import Diagnosis, bad, fine, unknown, warning
from cli.installation import InstallationAccess
from cli.stores import (
    STORE_FAILURES,
    NoStores,
    failure_in_words,
    is_missing,
    lacking,
    set_aside,
    store_addresses,
)
from embedded.stores import StoresRefused, shown

_CLOCK_SECONDS = 2.0
_ANSWER_SECONDS = 10.0


def look(place: InstallationAccess) -> Iterator[Diagnosis]:
    """All of them, at once: servers that do not answer are waited for once."""
    try:
        stores = store_addresses(place)
    except NoStores as error:
        yield unknown("stores", str(error))
        return
    except StoresRefused as error:
        yield bad("stores", str(error), "Bring the file back, or write it anew.")
        return
    yield from asyncio.run(_all(stores))


async def _all(stores: Mapping[str, str]) -> list[Diagnosis]:
    found = await asyncio.gather(*(_store(name, url) for name, url in stores.items()))
    servers = [url for url in stores.values() if not url.startswith("sqlite")]
    return [*found, await _clock(servers[0])] if servers else list(found)


async def _store(name: str, url: str) -> Diagnosis:
    check = f"store of {name}"
    if is_missing(url):
        return warning(check, f"{shown(url)} is not there yet", "The service makes it at its first start.")
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            if missing := await lacking(name, url):
                return warning(check, f"it lacks {len(missing)} migrations", "`rapport migrate`, or start the suite.")
            events, timers = await set_aside(url)
    except UnknownRevision as error:
        return bad(check, str(error), "Run the version that wrote it, or a newer one.")
    except STORE_FAILURES as error:
        says = f"{shown(url)} is out of reach: {failure_in_words(error)}"
        return bad(check, says, "Is the server up, and may we log in?")
    if events or timers:
        says = f"{events} events were refused by NATS, {timers} timers keep failing"
        return bad(check, says, "Mend the cause that `rapport status` names, then `rapport replay`.")
    return fine(check, f"migrated, and nothing is set aside ({shown(url)})")


async def _clock(url: str) -> Diagnosis:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS), Database(url) as database, database.read() as session:
            before = wall_clock().timestamp()
            there = float(await session.scalar(text("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8")))
    except STORE_FAILURES as error:
        return unknown("clock of the stores", failure_in_words(error))
    if abs(there - before) > _CLOCK_SECONDS:
        return bad(
            "clock of the stores",
            f"it is {there - before:+.1f} s from the one here",
            "Keep both by NTP: timers fire by them, and tokens are valid for minutes.",
        )
    return fine("clock of the stores", "it agrees with the one here")
