"""What a batch or a request needs to know before it writes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from chassis.store.batch import rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from people_kernel.people import Placement
from services.metrics.domain.campaigns import Campaign
from services.metrics.domain.workspace import Presence
from services.metrics.store.rows import Fragment, campaign_of
from services.metrics.store.tables import CAMPAIGN, COST, FRAGMENT, TAG

_FRAGMENTS = rows_by(
    FRAGMENT.c.fragment_id,
    FRAGMENT.c.person_id,
    FRAGMENT.c.graph_version,
    *(FRAGMENT.c[name] for name in Presence._fields),
)


async def fragments(session: Session, fragment_ids: Collection[str]) -> dict[str, Fragment]:
    """Those of these that are known."""
    known = {}
    for person_id, graph_version, *values in await session.execute(_FRAGMENTS, {"keys": fragment_ids}):
        presence = Presence._make(values)
        known[presence.fragment_id] = Placement(person_id, graph_version), presence
    return known


async def tag_ids(session: Session, tag_ids: Collection[str]) -> set[str]:
    """Those of these that are known."""
    return set(await session.scalars(rows_by(TAG.c.tag_id, TAG.c.tag_id), {"keys": list(tag_ids)}))


async def campaigns(session: Session) -> list[Campaign]:
    """All of them, the oldest first."""
    rows = await session.execute(select(CAMPAIGN).order_by(CAMPAIGN.c.created_at, CAMPAIGN.c.campaign_id))
    return [campaign_of(row) for row in rows]


async def campaign(session: Session, campaign_id: str) -> Campaign | None:
    row = (await session.execute(select(CAMPAIGN).where(CAMPAIGN.c.campaign_id == campaign_id))).first()
    return None if row is None else campaign_of(row)


async def campaign_by_external_id(session: Session, external_id: str) -> Campaign | None:
    row = (await session.execute(select(CAMPAIGN).where(CAMPAIGN.c.external_id == external_id))).first()
    return None if row is None else campaign_of(row)


async def cost(session: Session, cost_id: str, external_id: str | None) -> Row:
    """The cost that `write.cost` found there, or wrote."""
    condition = COST.c.cost_id == cost_id if external_id is None else COST.c.external_id == external_id
    return (await session.execute(select(COST).where(condition))).one()
