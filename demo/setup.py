"""What must stand before anybody comes: sources, forms, campaigns and their bills."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from demo.api import Api
from demo.market.campaigns import CAMPAIGNS, costs
from demo.market.steps import EntryPoint
from demo.market.timeline import Market

_SITE_OF_RUN = re.compile(r"Demo site \(run (\d+)\)")
_FORMS = {"demo": "Demo request", "whitepaper": "Whitepaper"}


@dataclass(frozen=True)
class Setup:
    """The write key of each source, and the form ids by the market's names for them."""

    write_keys: Mapping[EntryPoint, str]
    forms: Mapping[str, str]


async def next_run(api: Api) -> int:
    """One more than the runs that left a source behind."""
    runs = [
        int(found[1]) async for source in pages(api, "/v1/sources") if (found := _SITE_OF_RUN.fullmatch(source["name"]))
    ]
    return max(runs, default=0) + 1


async def set_up(api: Api, market: Market, run: int) -> Setup:
    """Sources and forms are new in every run; campaigns go on, with new bills."""
    keys, ids = {}, {}
    for door, title, wish in (
        (EntryPoint.SITE, "site", {"kind": "web"}),
        (EntryPoint.SERVER, "product server", {"kind": "server"}),
        (EntryPoint.STAGING, "staging site", {"kind": "web", "is_test": True}),
    ):
        made = await api.post("/v1/sources", {"name": f"Demo {title} (run {run})", **wish})
        keys[door], ids[door] = made["write_key"], made["source_id"]
    forms = {}
    for name, title in _FORMS.items():
        made = await api.post(
            "/v1/forms", {"form_id": f"demo-{run}-{name}", "name": title, "source_id": ids[EntryPoint.SITE]}
        )
        forms[name] = made["form_id"]
    await _book_campaigns(api, market, run)
    return Setup(keys, forms)


async def pages(api: Api, path: str, **query: str) -> AsyncIterator[Any]:
    """All items of a list, page after page."""
    cursor: str | None = None
    while True:
        page = await api.get(path, limit="100", **query, **({"cursor": cursor} if cursor else {}))
        for item in page["items"]:
            yield item
        cursor = page["next_cursor"]
        if cursor is None:
            return


async def _book_campaigns(api: Api, market: Market, run: int) -> None:
    ids = {}
    for campaign in CAMPAIGNS:
        wish = {
            "external_id": f"demo-{campaign.key}",
            "name": campaign.name,
            "channel": campaign.channel,
            "purpose": campaign.purpose,
            "is_direct": campaign.channel == "email",
            "matches": [{"name": campaign.key, "source": campaign.source}],
        }
        ids[campaign.key] = (await api.post("/v1/campaigns", wish))["campaign_id"]
    for cost in costs(market.now, len(market.personas)):
        bill = {
            "external_id": f"demo-{run}-{cost.campaign.key}-{cost.week}",
            "campaign_id": ids[cost.campaign.key],
            "amount": {"amount": str(cost.amount), "currency": "EUR"},
            "incurred_on": cost.incurred_on.isoformat(),
        }
        await api.post("/v1/costs", bill)
