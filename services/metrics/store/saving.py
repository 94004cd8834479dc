"""The hot path: a harvest is written in a fixed number of statements, and what is known already is not written at all.

Each write can only add to what is there (a fact, a newer placement, a later moment), so that readers of several streams may write at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, case, or_, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import insert_or_skip, one_of
from deciding.people import Placement, newer
from deciding.store.people import load_placements
from services.metrics.domain.campaigns import Directory
from services.metrics.domain.facts import ClockTold, DealTold, Presence, ReferralTold, StageTold, TreatmentTold
from services.metrics.domain.hearing import Fact, Harvest
from services.metrics.domain.tags import Tag
from services.metrics.store.campaigns import load_campaigns
from services.metrics.store.tables import CLOCK, DEAL, FRAGMENT, HEARD, PRESENCE, REFERRAL, STAGE, TAG, TOUCH, TREATMENT

_TABLES: Mapping[type[Fact], CoreTable] = {
    StageTold: STAGE,
    ClockTold: CLOCK,
    DealTold: DEAL,
    ReferralTold: REFERRAL,
    TreatmentTold: TREATMENT,
}


async def save(session: AsyncSession, found: Harvest) -> None:
    """Writes what is new of a harvest."""
    await _place(session, found.placements)
    await _note(session, found.presences)
    if found.tags:
        await _name(session, found.tags)
        await insert_or_skip(session, TOUCH, [_row(touch) for touch in found.touches.values()])
    for kind, facts in found.facts.items():
        await insert_or_skip(session, _TABLES[kind], [_row(fact) for fact in facts.values()])
    heard = [{"owner": owner, "slot": slot, "latest_at": at} for (owner, slot), at in sorted(found.heard.items())]
    await _join(session, HEARD, heard)


async def lock_campaigns(session: AsyncSession) -> None:
    """Lets one writer at a time say which campaign a tag belongs to, until its transaction ends. Needless on SQLite: it has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_LOCK)


async def assign_tags(session: AsyncSession) -> None:
    """Gives every tag to the campaign it belongs to now: all touches there ever were follow."""
    directory = Directory(await load_campaigns(session))
    changed = []
    for row in await session.execute(select(TAG)):
        values = dict(row._mapping)
        tag = Tag(**{part: values[part] for part in _TAG_PARTS}, click_ids=tuple(row.click_ids.split()))
        campaign_id = directory.campaign_of(tag)
        if campaign_id != row.campaign_id:
            changed.append({**values, "campaign_id": campaign_id})
    await _join(session, TAG, changed)


async def write_placements(session: AsyncSession, told: Mapping[str, Placement]) -> None:
    """Writes where fragments belong, unless a newer grouping was written meanwhile: on PostgreSQL readers of two streams do not see each other."""
    rows = [{"fragment_id": fragment_id, "person_id": one.person_id, "graph_version": one.graph_version} for fragment_id, one in sorted(told.items())]
    await _join(session, FRAGMENT, rows)


async def _place(session: AsyncSession, told: Mapping[str, Placement]) -> None:
    news = newer(await load_placements(session, FRAGMENT, list(told)), told)
    rows = [{"fragment_id": fragment_id, "person_id": one.person_id, "graph_version": one.graph_version} for fragment_id, one in sorted(news.items())]
    await _join(session, FRAGMENT, rows)


async def _note(session: AsyncSession, told: Mapping[str, Presence]) -> None:
    known = await _load_presences(session, list(told))
    news = [one for fragment_id, one in sorted(told.items()) if fragment_id not in known or known[fragment_id].joined(one) != known[fragment_id]]
    await _join(session, PRESENCE, [_row(one) for one in news])


async def _load_presences(session: AsyncSession, fragment_ids: Collection[str]) -> dict[str, Presence]:
    rows = await session.execute(select(PRESENCE).where(one_of(session, PRESENCE.c.fragment_id, fragment_ids)))
    return {row.fragment_id: Presence(**row._mapping) for row in rows}


async def _name(session: AsyncSession, told: Mapping[str, Tag]) -> None:
    known = set(await session.scalars(select(TAG.c.tag_id).where(one_of(session, TAG.c.tag_id, list(told)))))
    unknown = {tag_id: tag for tag_id, tag in told.items() if tag_id not in known}
    if not unknown:
        return
    await lock_campaigns(session)
    directory = Directory(await load_campaigns(session))
    rows = [
        {
            "tag_id": tag_id,
            **{part: getattr(tag, part) for part in _TAG_PARTS},
            "click_ids": " ".join(tag.click_ids),
            "campaign_id": directory.campaign_of(tag),
        }
        for tag_id, tag in unknown.items()
    ]
    await insert_or_skip(session, TAG, rows)


async def _join(session: AsyncSession, table: CoreTable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows; where one with the same key is there, the two become one by the rule of the table. Rows come in the order of their keys."""
    if rows:
        dialect = "postgresql" if session.get_bind().dialect.name == "postgresql" else "sqlite"
        await session.execute(_joining(table, dialect), [dict(row) for row in rows])


@lru_cache(maxsize=16)
def _joining(table: CoreTable, dialect: str) -> Any:
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes, condition = _rule(table, statement.excluded)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes, where=condition)


def _rule(table: CoreTable, new: Any) -> tuple[dict[str, Any], ColumnElement[bool] | None]:
    """What two rows of one key become, and when there is anything to change."""
    old = table.c
    if table is FRAGMENT:
        return {"person_id": new.person_id, "graph_version": new.graph_version}, new.graph_version > old.graph_version
    if table is HEARD:
        return {"latest_at": new.latest_at}, new.latest_at > old.latest_at
    if table is TAG:
        return {"campaign_id": new.campaign_id}, None
    changes: dict[str, Any] = {name: or_(old[name], new[name]) for name in ("has_real", "has_test")}
    for flag, key in (("is_marked", "mark_key"), ("told_test", "told_key")):
        is_newer = new[key] > old[key]
        changes[flag] = case((is_newer, new[flag]), else_=old[flag])
        changes[key] = case((is_newer, new[key]), else_=old[key])
    return changes, None


def _row(fact: Any) -> dict[str, Any]:
    return {one.name: getattr(fact, one.name) for one in fields(fact)}


_TAG_PARTS = ("source", "medium", "name", "content", "term", "key")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('metrics: campaigns'))")
