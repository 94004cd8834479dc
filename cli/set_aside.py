"""All that was set aside, on its way again: dead letters, refused events, failing timers. With NATS's client and the
stores' drivers: those import it that need it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chassis.bus.dead import letters
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from cli.bus import BusUnreachable, be_quiet, bus
from cli.dead_letters import replayed
from cli.installation import installation
from cli.output import fail
from cli.stores import STORE_FAILURES, NoStores, bring_back, failure_in_words, is_missing, set_aside, store_addresses
from embedded.stores import StoresRefused, shown


def replay(var: Path, service: str | None, *, is_dry: bool, as_json: bool) -> dict[str, Any]:
    """What was sent, or with `is_dry` would be; ends the command where it cannot be."""
    be_quiet()
    place = installation(var)
    url = place.need("RAPPORT_OPERATOR_NATS_URL", as_json=as_json)
    try:
        stores = store_addresses(place)
    except (NoStores, StoresRefused) as refusal:
        fail(str(refusal), "`rapport dead replay` sends dead letters, without the stores.", as_json=as_json)
    if service is not None and service not in stores:
        fail(f"there is no service {service}", f"There are {', '.join(stores)}.", as_json=as_json)
    chosen = {name: url for name, url in stores.items() if service in (None, name) and not is_missing(url)}
    try:
        return asyncio.run(_replay(url, chosen, service, is_dry=is_dry))
    except (BusUnreachable, BrokerUnavailable, ApiRefused) as error:
        fail(str(error) or type(error).__name__, "`rapport doctor` looks.", as_json=as_json)
    except _StoreAway as error:
        fail(str(error), "Nothing of it was sent; `rapport doctor` looks.", as_json=as_json)


class _StoreAway(Exception):
    """A store cannot say what it holds."""


async def _of_store(name: str, url: str, *, is_dry: bool) -> tuple[int, int]:
    try:
        return await (set_aside if is_dry else bring_back)(url)
    except STORE_FAILURES as error:
        raise _StoreAway(f"store of {name}: {shown(url)} is out of reach: {failure_in_words(error)}") from None


async def _replay(url: str, stores: dict[str, str], service: str | None, *, is_dry: bool) -> dict[str, Any]:
    # stores first: what they put back may be what a dead letter follows from
    counts = {name: await _of_store(name, store, is_dry=is_dry) for name, store in stores.items()}
    refused: list[dict[str, Any]] = []
    async with bus(url) as broker:
        if is_dry:
            sent = [letter.letter for letter in await letters(broker, service)]
        else:
            sent, refused = await replayed(broker, None, service)
    return {
        "is_done": not is_dry,
        "dead_letters": len(sent),
        "refused": refused,
        "services": {name: {"events": events, "timers": late} for name, (events, late) in counts.items()},
    }
