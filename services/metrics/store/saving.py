"""The hot path: a harvest is written in a fixed number of statements, and what is known already is not written at all.

Each write can only add to what is there (a fact, a newer placement, a later moment), so that readers of several streams may write at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, text
from sqlalchemy import Table as CoreTable
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import insert_or_skip
from chassis.store.membership import rows_by
from chassis.store.session import Session
from people_kernel.placements import Placement, placement_in
from services.metrics.domain.campaigns import Directory
from services.metrics.domain.facts import ClockTold, DealTold, Presence, ReferralTold, StageTold, TreatmentTold
from services.metrics.domain.hearing import Fact, Harvest
from services.metrics.domain.tags import Tag
from services.metrics.store.campaigns import load_campaigns
from services.metrics.store.tables import CLOCK, DEAL, FRAGMENT, HEARD, REFERRAL, STAGE, TAG, TOUCH, TREATMENT

_TABLES: Mapping[type[Fact], CoreTable] = {
    StageTold: STAGE,
    ClockTold: CLOCK,
    DealTold: DEAL,
    ReferralTold: REFERRAL,
    TreatmentTold: TREATMENT,
}


_Fragment = tuple[Placement, Presence]
"""Whose it is, and what is known of it as such."""

_FRAGMENTS = rows_by(FRAGMENT.c.fragment_id, FRAGMENT.c.person_id, FRAGMENT.c.graph_version, *(FRAGMENT.c[name] for name in Presence._fields))


async def save(session: Session, found: Harvest) -> None:
    """Writes what is new of a harvest."""
    await _note(session, found)
    if found.tags:
        await _name(session, found.tags)
        await insert_or_skip(session, TOUCH, [_row(touch) for touch in found.touches.values()])
    for kind, facts in found.facts.items():
        await insert_or_skip(session, _TABLES[kind], [_row(fact) for fact in facts.values()])
    heard = [{"owner": owner, "slot": slot, "latest_at": at} for (owner, slot), at in sorted(found.heard.items())]
    await _join(session, HEARD, heard)


async def lock_campaigns(session: Session) -> None:
    """Lets one writer at a time say which campaign a tag belongs to, until its transaction ends. Needless on SQLite: it has one writer."""
    if session.dialect == "postgresql":
        await session.execute(_LOCK)


async def assign_tags(session: Session) -> None:
    """Gives every tag to the campaign it belongs to now: all touches there ever were follow."""
    directory = Directory(await load_campaigns(session))
    changed = []
    for row in await session.execute(select(TAG)):
        values = row._asdict()
        tag = Tag(**{part: values[part] for part in _TAG_PARTS}, click_ids=tuple(row.click_ids.split()))
        campaign_id = directory.campaign_of(tag)
        if campaign_id != row.campaign_id:
            changed.append({**values, "campaign_id": campaign_id})
    await _join(session, TAG, changed)


async def write_fragments(session: Session, told: Mapping[str, _Fragment]) -> None:
    """Writes whose fragments are and what is known of them. What was written meanwhile is joined with it: on PostgreSQL readers of two streams do
    not see each other."""
    rows = [
        {"person_id": placement.person_id, "graph_version": placement.graph_version, **presence._asdict()}
        for _, (placement, presence) in sorted(told.items())
    ]
    await _join(session, FRAGMENT, rows)


def fragments_of(found: Harvest) -> dict[str, _Fragment]:
    """All that is told of each fragment."""
    named = found.placements.keys() | found.presences.keys()
    return {one: (placement_in(found.placements, one), found.presences.get(one) or Presence(one)) for one in named}


async def _note(session: Session, found: Harvest) -> None:
    told = fragments_of(found)
    known = await _load_fragments(session, list(told))
    await write_fragments(session, {key: one for key, one in told.items() if _is_news(one, known.get(key))})


def _is_news(told: _Fragment, known: _Fragment | None) -> bool:
    return known is None or told[0].graph_version > known[0].graph_version or known[1].joined(told[1]) != known[1]


async def _load_fragments(session: Session, fragment_ids: Collection[str]) -> dict[str, _Fragment]:
    rows = await session.execute(_FRAGMENTS, {"keys": fragment_ids})
    found = {}
    for person_id, graph_version, *known in rows:
        presence = Presence._make(known)
        found[presence.fragment_id] = Placement(person_id, graph_version), presence
    return found


async def _name(session: Session, told: Mapping[str, Tag]) -> None:
    known = set(await session.scalars(rows_by(TAG.c.tag_id, TAG.c.tag_id), {"keys": list(told)}))
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


async def _join(session: Session, table: CoreTable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows; where one with the same key is there, the two become one by the rule of the table. Rows come in the order of their keys."""
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
    for names, is_newer in (
        (("person_id", "graph_version"), new.graph_version > old.graph_version),
        (("is_marked", "mark_key"), new.mark_key > old.mark_key),
        (("told_test", "told_key"), new.told_key > old.told_key),
        (("first_us", "first_told_us"), and_(new.first_told_us.is_not(None), is_first)),
    ):
        changes |= {name: case((is_newer, new[name]), else_=old[name]) for name in names}
    return changes, None


def _row(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in _names(type(fact))}  # type: ignore[arg-type]  # a class is hashable


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


_TAG_PARTS = ("source", "medium", "name", "content", "term", "key")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('metrics: campaigns'))")
