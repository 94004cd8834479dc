"""What is written: all that a batch comes to, in a fixed number of statements, and of that only what is news;
campaigns, costs and rates.

What a batch writes can only add to what is there (a fact, a newer placement, a later moment), so that
readers of several streams may write at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import insert_or_skip, upsert
from chassis.store.session import Session
from contracts.campaigns import CampaignTag
from people_kernel.people import is_newer, placement_in
from services.metrics.domain.campaigns import Campaign, CampaignDirectory
from services.metrics.domain.workspace import (
    ClockFact,
    DealFact,
    Fact,
    MetricsWorkspace,
    Presence,
    ReferralFact,
    StageFact,
    TreatmentFact,
)
from services.metrics.store import load
from services.metrics.store.rows import Fragment, campaign_row, fact_row, fragment_row, tag_of, tag_row
from services.metrics.store.tables import (
    CAMPAIGN,
    CLOCK,
    COST,
    DEAL,
    FRAGMENT,
    HEARD,
    RATE,
    REFERRAL,
    STAGE,
    TAG,
    TOUCH,
    TREATMENT,
)

_TABLES: Mapping[type[Fact], CoreTable] = {
    StageFact: STAGE,
    ClockFact: CLOCK,
    DealFact: DEAL,
    ReferralFact: REFERRAL,
    TreatmentFact: TREATMENT,
}
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('metrics: campaigns'))")


async def workspace(session: Session, told: MetricsWorkspace) -> None:
    """What is news of all that a batch comes to."""
    await _write_news(session, fragments_in(told))
    if told.tags:
        await _write_tags(session, told.tags)
        await insert_or_skip(session, TOUCH, [fact_row(touch) for touch in told.touches.values()])
    for kind, facts in told.facts.items():
        await insert_or_skip(session, _TABLES[kind], [fact_row(fact) for fact in facts.values()])
    heard = [{"owner": owner, "slot": slot, "latest_at": at} for (owner, slot), at in sorted(told.heard.items())]
    await _join(session, HEARD, heard)


def fragments_in(told: MetricsWorkspace) -> dict[str, Fragment]:
    """All that is told of each fragment."""
    named = told.placements.keys() | told.presences.keys()
    return {one: (placement_in(told.placements, one), told.presences.get(one) or Presence(one)) for one in named}


async def _write_news(session: Session, told: Mapping[str, Fragment]) -> None:
    known = await load.fragments(session, list(told))
    await fragments(session, {key: one for key, one in told.items() if _is_news(one, known.get(key))})


def _is_news(told: Fragment, known: Fragment | None) -> bool:
    return known is None or is_newer(known[0], told[0].graph_version) or known[1].joined(told[1]) != known[1]


async def fragments(session: Session, told: Mapping[str, Fragment]) -> None:
    """Whose fragments are and what is known of them.

    What was written meanwhile is joined with it: on PostgreSQL readers of two streams do not see each other.
    """
    await _join(session, FRAGMENT, [fragment_row(one) for _, one in sorted(told.items())])


async def _write_tags(session: Session, told: Mapping[str, CampaignTag]) -> None:
    known = await load.tag_ids(session, told.keys())
    unknown = {tag_id: tag for tag_id, tag in told.items() if tag_id not in known}
    if not unknown:
        return
    await lock_campaigns(session)
    directory = CampaignDirectory(await load.campaigns(session))
    await insert_or_skip(
        session, TAG, [tag_row(tag_id, tag, directory.campaign_of(tag)) for tag_id, tag in unknown.items()]
    )


async def lock_campaigns(session: Session) -> None:
    """Lets one writer at a time say which campaign a tag belongs to, until its transaction ends.

    Needless on SQLite: it has one writer.
    """
    if session.dialect == "postgresql":
        await session.execute(_LOCK)


async def campaign(session: Session, kept: Campaign) -> None:
    """A campaign, new or known; and every tag is given to the campaign it belongs to now: all touches there ever were
    follow.
    """
    await upsert(session, CAMPAIGN, [campaign_row(kept)])
    directory = CampaignDirectory(await load.campaigns(session))
    changed = []
    for row in await session.execute(select(TAG)):
        values = row._asdict()
        campaign_id = directory.campaign_of(tag_of(values))
        if campaign_id != row.campaign_id:
            changed.append({**values, "campaign_id": campaign_id})
    await _join(session, TAG, changed)


async def cost(session: Session, row: dict[str, Any]) -> bool:
    """False when there is one with its external id, or its id, already."""
    keys = ["cost_id"] if row["external_id"] is None else ["external_id"]
    return bool(await insert_or_skip(session, COST, [row], keys=keys))


async def rate(session: Session, currency: str, starts_on: date, value: Decimal, by: tuple[str, datetime]) -> None:
    """From that day on a unit of `currency` is worth `value`; what was said of the same day before is replaced."""
    row = {"currency": currency, "starts_on": starts_on, "rate": value, "set_by": by[0], "set_at": by[1]}
    await upsert(session, RATE, [row])


async def _join(session: Session, table: CoreTable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows; where one with the same key is there, the two become one by the rule of the table.

    Rows come in the order of their keys.
    """
    if rows:
        dialect = "postgresql" if session.dialect == "postgresql" else "sqlite"
        await session.execute(_joining(table, dialect), [dict(row) for row in rows])


@lru_cache(maxsize=16)
def _joining(table: CoreTable, dialect: str) -> Any:
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes, condition = _rule(table, statement.excluded)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes, where=condition)


def _rule(table: CoreTable, new: Any) -> tuple[dict[str, Any], ColumnElement[bool] | None]:
    """What two rows of one key become, and when there is anything to change."""
    old = table.c
    if table is HEARD:
        return {"latest_at": new.latest_at}, new.latest_at > old.latest_at
    if table is TAG:
        return {"campaign_id": new.campaign_id}, None
    changes: dict[str, Any] = {name: or_(old[name], new[name]) for name in ("has_real", "has_test")}
    is_first = or_(
        old.first_told_us.is_(None),
        new.first_told_us < old.first_told_us,
        and_(new.first_told_us == old.first_told_us, new.first_us < old.first_us),
    )
    for names, is_later in (
        (("person_id", "graph_version"), new.graph_version > old.graph_version),
        (("is_marked", "mark_key"), new.mark_key > old.mark_key),
        (("told_test", "told_key"), new.told_key > old.told_key),
        (("first_us", "first_told_us"), and_(new.first_told_us.is_not(None), is_first)),
    ):
        changes |= {name: case((is_later, new[name]), else_=old[name]) for name in names}
    return changes, None
