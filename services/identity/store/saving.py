"""Saving what was decided: batched statements, parents before children."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Table, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store import search
from chassis.store.batch import insert_all, upsert
from chassis.store.errors import Violated
from chassis.store.session import Session
from services.identity.domain import Account, Answer, Fragment, Link, Marking, Recognition, Refusal, Regrouping
from services.identity.domain.accounts import search_text_of
from services.identity.domain.graph import searched_after
from services.identity.domain.recognition import FragmentRemark
from services.identity.store.knowing import ClaimedElsewhere
from services.identity.store.tables import ACCOUNT, ACCOUNT_SEARCH, CONSENT, FRAGMENT, LINK, PERSON_SEARCH, REFUSAL, REMARK, to_row

_FRAGMENT_CHANGES: Final = ("cluster_id", "core_id", "person_id", "graph_version", "account_id", "account_claimed_at")
_LINK_CHANGES: Final = ("strength", "verified_by", "verified_at", "cut_at", "cut_by", "cut_reason")


async def save_recognition(session: Session, came: Recognition) -> None:
    """Save what came of a batch. Raises ClaimedElsewhere (PostgreSQL) when another shard saw one of the names first."""
    try:
        await _save_accounts(session, came.new_accounts, came.changed_accounts)
        await insert_all(session, FRAGMENT, [one._asdict() for one in came.new_fragments])
        await _save_changed(session, came.changed_fragments, came.changed_links)
        await insert_all(session, LINK, [_link_row(link) for link in came.new_links])
        await save_answers(session, came.answers)
    except Violated as error:
        if session.dialect == "sqlite":
            raise  # one writer at a time: there is no other shard, and trying again would not help
        raise ClaimedElsewhere(f"another shard saw the same name first, or the data contradict themselves: {error}") from error
    await _redirect(session, [one for one in (*came.new_accounts, *came.changed_accounts) if one.survivor_id])
    await search.keep(session, PERSON_SEARCH, came.searched)
    await _count(session, REFUSAL, _refusal_rows(came.refusals), ("reason", "strength", "evidence_id", "last_at"))
    await _count(session, REMARK, _remark_rows(came.remarks), ("interaction_id", "last_at"))


async def save_regrouping(session: Session, came: Regrouping) -> None:
    """Save what a human changed."""
    await _save_changed(session, came.fragments, came.cut_links)
    await insert_all(session, LINK, [_link_row(link) for link in came.new_links])
    await search.keep(session, PERSON_SEARCH, searched_after(came.fragments))


async def save_marking(session: Session, came: Marking) -> None:
    """Save who was marked, or is not any more."""
    await upsert(session, FRAGMENT, [one._asdict() for one in came.fragments], update=("marked_by", "marked_at"))


async def save_answers(session: Session, answers: Iterable[Answer]) -> None:
    """Save what was answered last; what was there before gives way."""
    rows = [to_row(one) | {"channel": one.channel.value, "consent": one.consent.value, "strength": one.strength.value} for one in answers]
    await upsert(session, CONSENT, rows)


async def _save_changed(session: Session, fragments: Sequence[Fragment], links: Sequence[Link]) -> None:
    await upsert(session, FRAGMENT, [one._asdict() for one in fragments], update=_FRAGMENT_CHANGES)
    await upsert(session, LINK, [_link_row(link) for link in links], update=_LINK_CHANGES)


async def _save_accounts(session: Session, new: Sequence[Account], changed: Sequence[Account]) -> None:
    # an absorbed account gives up its keys before the survivor takes them
    for group in ([one for one in changed if one.survivor_id], [one for one in changed if not one.survivor_id]):
        await upsert(session, ACCOUNT, [to_row(one) for one in group])
    await insert_all(session, ACCOUNT, [to_row(one) for one in new])
    await search.keep(session, ACCOUNT_SEARCH, {one.account_id: search_text_of(one) for one in (*changed, *new)})


async def _redirect(session: Session, absorbed: Iterable[Account]) -> None:
    """What named an absorbed account names the survivor from now on."""
    for one in absorbed:
        await session.execute(update(FRAGMENT).where(FRAGMENT.c.account_id == one.account_id).values(account_id=one.survivor_id))
        await session.execute(update(ACCOUNT).where(ACCOUNT.c.survivor_id == one.account_id).values(survivor_id=one.survivor_id))


async def _count(session: Session, table: Table, rows: Sequence[dict[str, Any]], latest: Sequence[str]) -> None:
    """Add to the count of rows that are there; `latest` columns take the newer value."""
    if not rows:
        return
    dialect = postgresql if session.dialect == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in latest} | {"times": table.c.times + statement.excluded.times}
    await session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed), rows)


def _refusal_rows(refusals: Iterable[Refusal]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for one in refusals:
        first = rows.get(one.refusal_id)
        rows[one.refusal_id] = {
            "refusal_id": one.refusal_id,
            "left_id": one.left_id,
            "right_id": one.right_id,
            "reason": one.reason,
            "strength": one.strength.value,
            "evidence_id": one.evidence_id,
            "first_at": first["first_at"] if first else one.at,
            "last_at": one.at,
            "times": first["times"] + 1 if first else 1,
        }
    return [rows[key] for key in sorted(rows)]


def _remark_rows(remarks: Iterable[FragmentRemark]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in remarks:
        key = (one.fragment_id, one.remark.kind.value, one.remark.reason)
        first = rows.get(key)
        rows[key] = {
            "fragment_id": one.fragment_id,
            "kind": one.remark.kind.value,
            "reason": one.remark.reason,
            "interaction_id": one.interaction_id,
            "first_at": first["first_at"] if first else one.at,
            "last_at": one.at,
            "times": first["times"] + 1 if first else 1,
        }
    return [rows[key] for key in sorted(rows)]


def _link_row(link: Link) -> dict[str, Any]:
    return to_row(link) | {"strength": link.strength.value}
