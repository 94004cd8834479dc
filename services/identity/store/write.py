"""Saving what was decided: batched statements, parents before children."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Table, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store import search
from chassis.store.batch import insert_all, upsert
from chassis.store.errors import Violated
from chassis.store.session import Session
from people_kernel.workspace import Pages
from services.identity.domain.accounts import Account, search_text_of
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, MarkedFragments, searched_after
from services.identity.domain.links import Regrouping
from services.identity.domain.workspace import IdentityWorkspace
from services.identity.store.load import ClaimedElsewhere
from services.identity.store.rows import consent_row, link_row, refusal_rows, remark_rows, to_row
from services.identity.store.tables import (
    ACCOUNT,
    ACCOUNT_SEARCH,
    CONSENT,
    FRAGMENT,
    LINK,
    PERSON_SEARCH,
    REFUSAL,
    REMARK,
)

K = TypeVar("K")
V = TypeVar("V")

_FRAGMENT_CHANGES: Final = ("cluster_id", "core_id", "person_id", "graph_version", "account_id", "account_claimed_at")
_LINK_CHANGES: Final = ("strength", "verified_by", "verified_at", "cut_at", "cut_by", "cut_reason")


async def workspace(session: Session, workspace: IdentityWorkspace) -> None:
    """Save what came of a batch. Raises ClaimedElsewhere (PostgreSQL) when another shard saw one of the names first."""
    new_fragments, changed_fragments = _told_apart(workspace.graph.fragments)
    new_links, changed_links = _told_apart(workspace.graph.links)
    new_accounts, changed_accounts = _told_apart(workspace.accounts)
    try:
        await _save_accounts(session, new_accounts, changed_accounts)
        await insert_all(session, FRAGMENT, [one._asdict() for one in new_fragments])
        await _save_changed(session, changed_fragments, changed_links)
        await insert_all(session, LINK, [link_row(link) for link in new_links])
        await consents(session, workspace.consents.changed.values())
    except Violated as error:
        if session.dialect == "sqlite":
            raise  # one writer at a time: there is no other shard, and trying again would not help
        raise ClaimedElsewhere(
            f"another shard saw the same name first, or the data contradict themselves: {error}"
        ) from error
    await _redirect(session, [one for one in (*new_accounts, *changed_accounts) if one.survivor_id])
    await search.keep(session, PERSON_SEARCH, workspace.searched)
    await _count(session, REFUSAL, refusal_rows(workspace.refusals), ("reason", "strength", "evidence_id", "last_at"))
    await _count(session, REMARK, remark_rows(workspace.remarks), ("interaction_id", "last_at"))


async def regrouping(session: Session, came: Regrouping) -> None:
    """Save what a human changed."""
    await _save_changed(session, came.fragments, came.cut_links)
    await insert_all(session, LINK, [link_row(link) for link in came.new_links])
    await search.keep(session, PERSON_SEARCH, searched_after(came.fragments))


async def marks(session: Session, came: MarkedFragments) -> None:
    """Save who was marked, or is not any more."""
    await upsert(session, FRAGMENT, [one._asdict() for one in came.fragments], update=("marked_by", "marked_at"))


async def consents(session: Session, consents: Iterable[FragmentConsent]) -> None:
    """Save what was stated last; what was there before gives way."""
    await upsert(session, CONSENT, [consent_row(one) for one in consents])


def _told_apart(pages: Pages[K, V]) -> tuple[list[V], list[V]]:
    """Those that are new, and those that were there and are others now."""
    changed, loaded = pages.changed, pages.loaded
    return [changed[key] for key in changed if key not in loaded], [changed[key] for key in changed if key in loaded]


async def _save_changed(session: Session, fragments: Sequence[Fragment], links: Sequence[Link]) -> None:
    await upsert(session, FRAGMENT, [one._asdict() for one in fragments], update=_FRAGMENT_CHANGES)
    await upsert(session, LINK, [link_row(link) for link in links], update=_LINK_CHANGES)


async def _save_accounts(session: Session, new: Sequence[Account], changed: Sequence[Account]) -> None:
    # an absorbed account gives up its keys before the survivor takes them
    for group in ([one for one in changed if one.survivor_id], [one for one in changed if not one.survivor_id]):
        await upsert(session, ACCOUNT, [to_row(one) for one in group])
    await insert_all(session, ACCOUNT, [to_row(one) for one in new])
    await search.keep(session, ACCOUNT_SEARCH, {one.account_id: search_text_of(one) for one in (*changed, *new)})


async def _redirect(session: Session, absorbed: Iterable[Account]) -> None:
    """What named an absorbed account names the survivor from now on."""
    for one in absorbed:
        await session.execute(
            update(FRAGMENT).where(FRAGMENT.c.account_id == one.account_id).values(account_id=one.survivor_id)
        )
        await session.execute(
            update(ACCOUNT).where(ACCOUNT.c.survivor_id == one.account_id).values(survivor_id=one.survivor_id)
        )


async def _count(session: Session, table: Table, rows: Sequence[dict[str, Any]], latest: Sequence[str]) -> None:
    """Add to the count of rows that are there; `latest` columns take the newer value."""
    if not rows:
        return
    dialect = postgresql if session.dialect == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in latest} | {"times": table.c.times + statement.excluded.times}
    await session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed), rows)
