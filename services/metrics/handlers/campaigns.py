"""Campaigns, costs and rates: told by people, kept as they were told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from chassis.context import Context
from chassis.errors import BadInput, Conflict, NotFound
from chassis.store.statements import Row
from contracts.envelope import Meta
from contracts.events.metrics import CostRecorded
from contracts.ids import derive_id
from contracts.values import Money
from services.metrics.domain.asking import Reporting
from services.metrics.domain.campaigns import Campaign
from services.metrics.domain.money import in_cents, to_e4
from services.metrics.store import campaigns as store
from services.metrics.store.saving import assign_tags, lock_campaigns


class CampaignNotFound(NotFound):
    """There is no such campaign."""


class ExternalIdTaken(Conflict):
    """Another campaign has this external id."""


class CampaignUnknown(BadInput):
    """The cost names a campaign that does not exist."""


class CostDiffers(Conflict):
    """A cost with this external id was recorded with other content."""


class RateOfItself(BadInput):
    """The reporting currency is worth one of itself."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost as it is told."""

    campaign_id: str
    amount: Money
    incurred_on: date
    note: str | None
    external_id: str | None


async def add_campaign(wanted: Campaign, context: Context) -> tuple[Campaign, bool]:
    """Writes a campaign, or what changed of the one with its external id; and whether it is new. All touches there are follow its matches."""
    await lock_campaigns(context.session)
    known = None if wanted.external_id is None else await store.find_campaign(context.session, wanted.external_id)
    if known is None:  # two that are sent at the very same moment are one
        known_twin = await store.load_campaign(context.session, wanted.campaign_id)
        kept, is_new = known_twin or wanted, known_twin is None
    else:
        kept, is_new = _over(known, wanted), False
    await store.save_campaign(context.session, kept)
    await assign_tags(context.session)
    return kept, is_new


async def change_campaign(campaign_id: str, wanted: Campaign, context: Context) -> Campaign:
    """Writes all of it anew. Raises CampaignNotFound, ExternalIdTaken."""
    await lock_campaigns(context.session)
    known = await get_campaign(campaign_id, context)
    namesake = None if wanted.external_id is None else await store.find_campaign(context.session, wanted.external_id)
    if namesake is not None and namesake.campaign_id != campaign_id:
        raise ExternalIdTaken(f"{namesake.campaign_id} has the external id {wanted.external_id}", field="body.external_id", remedy="Choose another")
    kept = _over(known, wanted)
    await store.save_campaign(context.session, kept)
    await assign_tags(context.session)
    return kept


async def get_campaign(campaign_id: str, context: Context) -> Campaign:
    """Raises CampaignNotFound."""
    found = await store.load_campaign(context.session, campaign_id)
    if found is None:
        raise CampaignNotFound(f"There is no campaign {campaign_id}")
    return found


async def record_cost(told: Cost, by: str, context: Context) -> tuple[Row, bool]:
    """Writes a cost and says so; or answers with the one that has its external id. Raises CampaignUnknown, CostDiffers."""
    if await store.load_campaign(context.session, told.campaign_id) is None:
        remedy = "Create it first: POST /v1/campaigns"
        raise CampaignUnknown(f"There is no campaign {told.campaign_id}", field="body.campaign_id", remedy=remedy)
    content = {
        "campaign_id": told.campaign_id,
        "amount_e4": to_e4(told.amount.amount),
        "currency": told.amount.currency,
        "incurred_on": told.incurred_on,
        "note": told.note,
        "external_id": told.external_id,
    }
    cost_id = derive_id("cst", context.now, context.now.isoformat(), by, *map(str, content.values()))
    is_new = await store.add_cost(context.session, {"cost_id": cost_id, **content, "recorded_at": context.now, "recorded_by": by})
    row = await store.find_cost(context.session, cost_id, told.external_id)
    if any(getattr(row, name) != value for name, value in content.items()):
        remedy = "Costs are never rewritten: record the difference, which may be negative, as another cost"
        raise CostDiffers(f"{row.cost_id} has this external id and other content", field="body.external_id", remedy=remedy)
    if is_new:
        event_id = derive_id("evt", context.now, CostRecorded.wire_name, cost_id)
        meta = Meta(event_id=event_id, at=context.now, correlation_id=event_id)
        amount = Money(amount=in_cents(row.amount_e4), currency=row.currency)
        context.say(
            CostRecorded(meta=meta, cost_id=cost_id, campaign_id=told.campaign_id, amount=amount, incurred_on=told.incurred_on, note=told.note)
        )
    return row, is_new


async def set_rate(currency: str, starts_on: date, rate: Decimal, by: str, context: Context[Reporting]) -> None:
    """From that day on a unit of `currency` is worth `rate` units of the reporting currency. Raises RateOfItself."""
    if currency == context.service.currency:
        raise RateOfItself(f"Reports are in {currency} already", field="path.currency", remedy="Send rates of other currencies only")
    await store.set_rate(context.session, currency, starts_on, rate, (by, context.now))


def _over(known: Campaign, wanted: Campaign) -> Campaign:
    return replace(wanted, campaign_id=known.campaign_id, created_at=known.created_at, created_by=known.created_by)
