"""Saving what was decided: batched statements, parents before children."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Delete, Integer, Table, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store import search
from chassis.store.batch import among, insert_all, insert_or_skip, one_of, upsert
from chassis.store.errors import Violated
from chassis.store.session import Session
from contracts.limits import CONSENT_STATEMENTS, WITHHELD_DAYS
from contracts.limits import WITHHELD as MOST_WITHHELD
from contracts.values import CandidateStatus, Strength
from people_kernel.consent import deciding_alone
from people_kernel.workspace import Pages
from services.identity.domain.account_groups import AccountRegrouping
from services.identity.domain.accounts import Account, AccountPages, search_text_of
from services.identity.domain.consent import ConsentPages, FragmentConsent
from services.identity.domain.fragments import Fragment, Link, MarkedFragments, searched_after
from services.identity.domain.links import Regrouping
from services.identity.domain.proposals.candidates import Candidate
from services.identity.domain.workspace import IdentityWorkspace, WithheldInteraction
from services.identity.store.load import ClaimedElsewhere
from services.identity.store.rows import (
    account_row,
    candidate_row,
    consent_statement_row,
    former_consent_row,
    latest_consent_row,
    link_row,
    refusal_rows,
    release_columns,
    remark_rows,
    withheld_row,
)
from services.identity.store.tables import (
    ACCOUNT,
    ACCOUNT_SEARCH,
    CANDIDATE,
    CONSENT,
    CONSENT_STATEMENT,
    FRAGMENT,
    LATEST_CONSENT,
    LINK,
    PERSON_SEARCH,
    REFUSAL,
    REMARK,
    WITHHELD,
)

_TOO_MANY: Final = (
    select(WITHHELD.c.interaction_id)
    .where(WITHHELD.c.source_id == bindparam("source"))
    .order_by(WITHHELD.c.interaction_id.desc())
    .offset(bindparam("most", type_=Integer))
    .limit(1)
    .scalar_subquery()
)
_FORGET_TOO_MANY: Final = delete(WITHHELD).where(
    WITHHELD.c.source_id == bindparam("source"), WITHHELD.c.interaction_id <= _TOO_MANY
)
_FORGET_AGED: Final = delete(WITHHELD).where(WITHHELD.c.received_at < bindparam("earliest"))

K = TypeVar("K")
V = TypeVar("V")

_FRAGMENT_CHANGES: Final = (
    *("cluster_id", "core_id", "person_id", "graph_version", "account_id", "account_claimed_at"),
    *("named_account_id", "account_named_by", "account_strength", "account_interaction_id", "vouched_at"),
)
_LINK_CHANGES: Final = (
    *("strength", "evidence_id", "created_at", "source_id"),  # of a claim that gave way and is made again
    *("verified_by", "verified_at", "cut_at", "cut_by", "cut_reason"),
)
_CANDIDATE_CHANGES: Final = (
    *("strength", "first_at", "last_at", "times", "claims"),
    *("status", "decided_by", "decided_at", "decision_reason", "link_id"),
)


async def workspace(session: Session, workspace: IdentityWorkspace) -> None:
    """Save what came of a batch. Raises ClaimedElsewhere (PostgreSQL) when another shard saw one of the names first."""
    new_fragments, changed_fragments = _told_apart(workspace.graph.fragments)
    new_links, changed_links = _told_apart(workspace.graph.links)
    try:
        await accounts(session, workspace.accounts)
        await insert_all(session, FRAGMENT, [one._asdict() for one in new_fragments])
        await _save_changed(session, changed_fragments, changed_links)
        await insert_all(session, LINK, [link_row(link) for link in new_links])
        await consents(session, workspace.consents, workspace.statements)
    except Violated as error:
        if session.dialect == "sqlite":
            raise  # one writer at a time: there is no other shard, and trying again would not help
        raise ClaimedElsewhere(
            f"another shard saw the same name first, or the data contradict themselves: {error}"
        ) from error
    await _redirect(session, [one for one in workspace.accounts.changed.values() if one.survivor_id])
    await search.keep(session, PERSON_SEARCH, workspace.searched)
    await _count(session, REFUSAL, refusal_rows(workspace.refusals), ("reason", "strength", "evidence_id", "last_at"))
    await candidates(session, workspace.candidates.changed.values())
    await _count(session, REMARK, remark_rows(workspace.remarks), ("interaction_id", "last_at"))
    await withheld(session, workspace.withheld)


async def regrouping(session: Session, came: Regrouping) -> None:
    """Save what a human changed."""
    await _save_changed(session, came.fragments, came.cut_links)
    await insert_all(session, LINK, [link_row(link) for link in came.new_links])
    await search.keep(session, PERSON_SEARCH, searched_after(came.fragments))
    if cut := [link.link_id for link in came.cut_links if link.is_manual]:
        undone = update(CANDIDATE).where(one_of(CANDIDATE.c.link_id, cut))
        nothing = dict.fromkeys(("decided_by", "decided_at", "decision_reason", "link_id"))
        await session.execute(undone.values(status=CandidateStatus.OPEN.value, **nothing))


async def candidates(session: Session, changed: Iterable[Candidate]) -> None:
    """Save pairs that wait for a human, or were decided."""
    await upsert(session, CANDIDATE, [candidate_row(one) for one in changed], update=_CANDIDATE_CHANGES)


async def marks(session: Session, came: MarkedFragments) -> None:
    """Save who was marked, or is not any more."""
    await upsert(session, FRAGMENT, [one._asdict() for one in came.fragments], update=("marked_by", "marked_at"))


async def consents(session: Session, known: ConsentPages, stated: Sequence[FragmentConsent]) -> None:
    """Save what is the latest now, and all that was stated; the oldest of the history gives way."""
    changed = known.changed.values()
    await upsert(session, LATEST_CONSENT, [latest_consent_row(one) for one in changed])
    await upsert(session, CONSENT, [former_consent_row(one) for one in deciding_alone(known.values(), changed)])
    if stated:
        rows = {(one.fragment_id, one.interaction_id, one.channel): consent_statement_row(one) for one in stated}
        await insert_or_skip(session, CONSENT_STATEMENT, list(rows.values()))
        await session.execute(_beyond_history(), {"fragments": {one.fragment_id for one in stated}})


@cache
def _beyond_history() -> Delete:
    """What is beyond the newest statements of a fragment; what is claimed takes no room of what is trusted."""
    table = CONSENT_STATEMENT
    newest: dict[str, Any] = {
        "partition_by": (table.c.fragment_id, table.c.strength == Strength.CLAIMED.value),
        "order_by": (table.c.occurred_at.desc(), table.c.interaction_id.desc()),
    }
    place = func.row_number().over(**newest).label("place")
    ranked = select(*table.primary_key, place).where(among(table.c.fragment_id, "fragments")).subquery()
    beyond = select(*(ranked.c[key.name] for key in table.primary_key)).where(ranked.c.place > CONSENT_STATEMENTS)
    return delete(table).where(tuple_(*table.primary_key).in_(beyond))


async def withheld(session: Session, found: Sequence[WithheldInteraction], most: int = MOST_WITHHELD) -> None:
    """Save what robots did, and forget what is too old, or more than `most` of one source."""
    if not found:
        return
    await insert_or_skip(session, WITHHELD, [withheld_row(one) for one in found])
    for source_id in sorted({one.capture.interaction.source_id for one in found}):
        await session.execute(_FORGET_TOO_MANY, {"source": source_id, "most": most})
    newest = max(one.capture.interaction.received_at for one in found)
    await session.execute(_FORGET_AGED, {"earliest": newest - timedelta(days=WITHHELD_DAYS)})


async def released(session: Session, one: WithheldInteraction) -> None:
    """Save who released it."""
    changed = update(WITHHELD).where(WITHHELD.c.interaction_id == one.interaction_id)
    await session.execute(changed.values(release_columns(one.release)))


def _told_apart(pages: Pages[K, V]) -> tuple[list[V], list[V]]:
    """Those that are new, and those that were there and are others now."""
    changed, loaded = pages.changed, pages.loaded
    return [changed[key] for key in changed if key not in loaded], [changed[key] for key in changed if key in loaded]


async def _save_changed(session: Session, fragments: Sequence[Fragment], links: Sequence[Link]) -> None:
    await upsert(session, FRAGMENT, [one._asdict() for one in fragments], update=_FRAGMENT_CHANGES)
    await upsert(session, LINK, [link_row(link) for link in links], update=_LINK_CHANGES)


async def accounts(session: Session, pages: AccountPages) -> None:
    """Save what became of accounts."""
    new, changed = _told_apart(pages)
    # an absorbed account of before gave up its keys; none moves now
    await upsert(session, ACCOUNT, [account_row(one) for one in changed])
    await insert_all(session, ACCOUNT, [account_row(one) for one in new])
    texts = {one.account_id: "" for one in (*changed, *new) if one.survivor_id}
    roots = dict.fromkeys(pages.current(one.account_id) for one in (*changed, *new))
    await search.keep(session, ACCOUNT_SEARCH, texts | {one: search_text_of(pages.whole(one)) for one in roots})


async def account_regrouping(session: Session, came: AccountRegrouping) -> None:
    """Save what a human changed: each account, and whose people are whose from now on."""
    await upsert(session, ACCOUNT, [account_row(one) for one in came.accounts])
    ids = [one.account_id for one in came.accounts]
    for whole in came.wholes:
        # who was named with none of the names, of before these were kept, stays with the id that they were given
        unnamed = one_of(FRAGMENT.c.account_id, whole.account_ids) & FRAGMENT.c.named_account_id.is_(None)
        theirs = or_(one_of(FRAGMENT.c.named_account_id, whole.account_ids), unnamed)
        moved = update(FRAGMENT).where(one_of(FRAGMENT.c.account_id, ids), theirs)
        await session.execute(moved.values(account_id=whole.account_id))
    texts = {whole.account_id: search_text_of(whole) for whole in came.wholes}
    await search.keep(session, ACCOUNT_SEARCH, {**dict.fromkeys(ids, ""), **texts})


async def _redirect(session: Session, absorbed: Iterable[Account]) -> None:
    """What named an absorbed account is that of the survivor from now on."""
    for one in absorbed:
        await session.execute(
            update(FRAGMENT).where(FRAGMENT.c.account_id == one.account_id).values(account_id=one.survivor_id)
        )


async def _count(session: Session, table: Table, rows: Sequence[dict[str, Any]], latest: Sequence[str]) -> None:
    """Add to the count of rows that are there; `latest` columns take the newer value."""
    if not rows:
        return
    dialect = postgresql if session.dialect == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in latest} | {"times": table.c.times + statement.excluded.times}
    await session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed), rows)
