"""What a unit of work needs: loaded in a few selects, however many events and facts there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Integer, String, bindparam, func, select, text

from chassis.store.batch import one_of, rows_by
from chassis.store.columns import dump_json
from chassis.store.session import Session, lock
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from contracts.ids import with_prefix
from contracts.limits import HIGHLIGHTS
from people_kernel.people import placements_of
from people_kernel.workspace import Pages
from services.scoring.domain.accounts import ACCOUNT as BELONGS
from services.scoring.domain.accounts import belongs_to
from services.scoring.domain.claims import TraitFacts
from services.scoring.domain.profile import Knowledge, RulePoints, changes_a_value
from services.scoring.domain.receipts import FIT, Judges, StoredReceipt
from services.scoring.domain.workspace import Fragment, Recent, ScoringWorkspace, newest
from services.scoring.store.queries import accounts, accounts_by_id, load_people, trait_facts_of
from services.scoring.store.rows import fragment_of, receipt_of
from services.scoring.store.tables import ACCOUNT, FRAGMENT, PERSON, RECEIPT

PEOPLE_AT_ONCE = 100
"""People of one account that are judged anew in one transaction; the rest come with the next one."""

_KNOWN_AS = rows_by(ACCOUNT.c.current_id, ACCOUNT.c.account_id)
_PEOPLE_OF = (
    rows_by(PERSON.c.account_id, PERSON.c.person_id)
    .where(PERSON.c.person_id > bindparam("after", type_=String))
    .order_by(PERSON.c.person_id)
    .limit(bindparam("most", type_=Integer))
)
_MARKED = rows_by(FRAGMENT.c.person_id).where(FRAGMENT.c.is_marked)
_NEWEST_SQLITE = text(
    "SELECT newest.value AS receipt_id FROM json_each(:ids) AS f, json_each((SELECT json_group_array(receipt_id) FROM"
    " (SELECT receipt_id FROM receipt WHERE fragment_id = f.value AND points_e4 <> 0 ORDER BY at DESC, receipt_id DESC"
    " LIMIT :limit))) AS newest"
).columns(receipt_id=String)
_NEWEST_POSTGRES = text(
    "SELECT newest.receipt_id FROM unnest(CAST(:ids AS text[])) AS f(id) CROSS JOIN LATERAL (SELECT receipt_id FROM"
    " receipt WHERE fragment_id = f.id AND points_e4 <> 0 ORDER BY at DESC, receipt_id DESC LIMIT :limit) AS newest"
).columns(receipt_id=String)
_RECENT_SQLITE, _RECENT_POSTGRES = (
    select(RECEIPT).where(RECEIPT.c.receipt_id.in_(newest_ids)) for newest_ids in (_NEWEST_SQLITE, _NEWEST_POSTGRES)
)


async def for_facts(
    session: Session, judges: Judges, events: Sequence[InteractionRecognized], claimed: TraitFacts
) -> ScoringWorkspace:
    """Fragments and people of the events; everything of those with news, or who may win or lose a fragment."""
    fragment_ids = {event.fragment_id for event in events}
    touched: set[str] = set()
    fragments = await _load_fragments(session, fragment_ids)
    while wanted := _people_touched(events, fragments) - touched:
        touched |= wanted
        if await lock(session, wanted):  # a fragment may have gone over to others before the lock was had
            fragments = await _load_fragments(session, fragment_ids)
    workspace = await _workspace(session, judges, fragments, touched)
    if new := touched - workspace.people.keys():
        workspace.fragments.load(await _load_marked(session, new))
    moved = _people_moved(events, fragments)
    await _load_origins(session, workspace, moved)
    await _load_all_of(session, workspace, moved | people_with_news(events, claimed, workspace))
    await _complete_fragments(session, workspace)
    own = [fact.claims.get(BELONGS) for fact in claimed.values()] if claimed else []
    await _load_accounts(
        session, workspace, {one for one in own if isinstance(one, str)} | _accounts_of(workspace, moved)
    )
    return workspace


async def for_regrouping(
    session: Session, judges: Judges, events: Sequence[PersonMerged | PersonSplit | PersonMarked]
) -> ScoringWorkspace:
    """Everything of everybody concerned."""
    named: set[str] = set()
    people: set[str] = set()
    for event in events:
        _name_concerned(event, named, people)
    touched: set[str] = set()
    fragments = await _load_fragments(session, named)
    while wanted := (people | {fragment.person_id for fragment in fragments.values()}) - touched:
        touched |= wanted
        if await lock(session, wanted):
            fragments = await _load_fragments(session, named)
    workspace = await _workspace(session, judges, fragments, touched)
    await _load_origins(session, workspace, touched)
    await _load_all_of(session, workspace, touched)
    await _complete_fragments(session, workspace)
    await _load_accounts(session, workspace, _accounts_of(workspace, touched))
    return workspace


async def for_account(session: Session, judges: Judges, account_id: str, after: str) -> ScoringWorkspace:
    """The next PEOPLE_AT_ONCE people who belong to the account, with everything of them."""
    known = await session.execute(_KNOWN_AS, {"keys": [account_id]})
    names = [row.account_id for row in known] or [account_id]
    found = list(await session.scalars(_PEOPLE_OF, {"keys": names, "after": after, "most": PEOPLE_AT_ONCE}))
    await lock(session, found)
    workspace = await _workspace(session, judges, {}, found)
    await _load_origins(session, workspace, found)
    await _load_all_of(session, workspace, found)
    await _complete_fragments(session, workspace)
    workspace.accounts.load(await accounts_by_id(session, names))
    return workspace


async def _load_accounts(session: Session, workspace: ScoringWorkspace, account_ids: Collection[str]) -> None:
    if account_ids:
        workspace.accounts.load(await accounts(session, account_ids))


def _accounts_of(workspace: ScoringWorkspace, person_ids: Collection[str]) -> set[str]:
    """To which these people may come to belong, whoever gets which of their fragments."""
    own = (one for one in workspace.fragments.values() if one.person_id in person_ids) if person_ids else ()
    return {account_id for one in own if (account_id := belongs_to(one.knowledge.attributes)) is not None}


async def for_fades(session: Session, judges: Judges, person_ids: Collection[str]) -> ScoringWorkspace:
    """These people alone."""
    await lock(session, person_ids)
    return await _workspace(session, judges, {}, person_ids)


def people_with_news(
    events: Iterable[InteractionRecognized], claimed: TraitFacts, workspace: ScoringWorkspace
) -> set[str]:
    """Everybody known of whom the events may change a value: their fragments and newest receipts must be at hand.

    May name too many.
    """
    found: set[str] = set()
    for event in events:
        fact, known = claimed.get(event.interaction.interaction_id), workspace.fragments.get(event.fragment_id)
        person = workspace.people.get(event.person_id if known is None else known.person_id)
        if (
            person is not None
            and fact is not None
            and person.person_id not in found
            and changes_a_value(person.fit, fact)
        ):
            found.add(person.person_id)
    return found


def _people_touched(events: Iterable[InteractionRecognized], fragments: Mapping[str, Fragment]) -> set[str]:
    """Everybody whose state the events may change."""
    touched = set()
    for event in events:
        known = fragments.get(event.fragment_id)
        touched.add(event.person_id if known is None else known.person_id)
        if known is not None and event.graph_version > known.graph_version:
            touched.add(event.person_id)
    return touched


def _people_moved(events: Iterable[InteractionRecognized], fragments: Mapping[str, Fragment]) -> set[str]:
    """Everybody who may win or lose a fragment: all of theirs must be at hand."""
    moved: set[str] = set()
    owners: dict[str, set[str]] = {}
    for event in events:
        known = fragments.get(event.fragment_id)
        named = owners.setdefault(event.fragment_id, set() if known is None else {known.person_id})
        if known is None or event.graph_version > known.graph_version:
            named.add(event.person_id)
        if len(named) > 1:
            moved |= named
    return moved


def _name_concerned(event: PersonMerged | PersonSplit | PersonMarked, fragments: set[str], people: set[str]) -> None:
    """Adds the fragments and people that an event names. The present owners of these fragments come on top."""
    people.add(event.person_id)
    if isinstance(event, PersonMarked):
        fragments.add(event.fragment_id)
        return
    placements = placements_of(event)
    fragments |= placements.keys()
    people |= {placement.person_id for placement in placements.values()}
    if isinstance(event, PersonMerged):
        people |= set(event.absorbed_person_ids)


async def _workspace(
    session: Session, judges: Judges, fragments: Mapping[str, Fragment], person_ids: Collection[str]
) -> ScoringWorkspace:
    return ScoringWorkspace(
        judges=judges, fragments=Pages(fragments), people=Pages(await load_people(session, person_ids))
    )


async def _load_origins(session: Session, workspace: ScoringWorkspace, person_ids: Collection[str]) -> None:
    """The fragments that these people's ids come from, whoever has them now."""
    origins = {with_prefix("frg", person_id) for person_id in person_ids} - workspace.fragments.keys()
    if origins:
        workspace.fragments.load(await _load_fragments(session, origins))


async def _load_all_of(session: Session, workspace: ScoringWorkspace, person_ids: Collection[str]) -> None:
    """All fragments of these people, with their newest receipts."""
    if not person_ids:
        return
    workspace.fragments.load(await _load_fragments_of(session, person_ids))
    owned = [fragment.fragment_id for fragment in workspace.fragments.values() if fragment.person_id in person_ids]
    workspace.recent.update(await _load_recent(session, owned))


async def _complete_fragments(session: Session, workspace: ScoringWorkspace) -> None:
    """Fragments of before what they claim was kept are completed from their facts: once, for they are saved with what
    comes of it.
    """
    incomplete = {key: fragment for key, fragment in workspace.fragments.items() if not fragment.is_complete}
    if not incomplete:
        return
    known = {key: Knowledge() for key in incomplete}
    async for page in trait_facts_of(session, incomplete):
        for fact in page:
            known[fact.fragment_id] = known[fact.fragment_id].with_fact(fact)
    written = await _fit_written_on(session, incomplete)
    for key, one in incomplete.items():
        workspace.fragments[key] = one._replace(knowledge=known[key], written=written.get(key, {}), is_complete=True)


async def _load_fragments(session: Session, fragment_ids: Collection[str]) -> dict[str, Fragment]:
    """Those that are known."""
    rows = await session.execute(rows_by(FRAGMENT.c.fragment_id), {"keys": fragment_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def _load_fragments_of(session: Session, person_ids: Collection[str]) -> dict[str, Fragment]:
    """All fragments of these people."""
    rows = await session.execute(rows_by(FRAGMENT.c.person_id), {"keys": person_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def _load_marked(session: Session, person_ids: Collection[str]) -> dict[str, Fragment]:
    """The marked fragments of these people."""
    rows = await session.execute(_MARKED, {"keys": person_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def _load_recent(session: Session, fragment_ids: Collection[str]) -> dict[str, Recent]:
    """The newest receipts of each of these fragments, however many there are."""
    is_sqlite = session.dialect == "sqlite"
    named = {"ids": dump_json(list(fragment_ids)) if is_sqlite else list(fragment_ids), "limit": HIGHLIGHTS}
    rows = await session.execute(_RECENT_SQLITE if is_sqlite else _RECENT_POSTGRES, named)
    found: dict[str, list[StoredReceipt]] = {}
    for row in rows:
        found.setdefault(row.fragment_id, []).append(receipt_of(row))
    return {fragment_id: newest(receipts) for fragment_id, receipts in found.items()}


async def _fit_written_on(session: Session, fragment_ids: Collection[str]) -> dict[str, RulePoints]:
    """What the receipts of fit on each of these fragments come to."""
    total = func.sum(RECEIPT.c.points_e4).label("points_e4")
    summed = select(RECEIPT.c.fragment_id, RECEIPT.c.rule, total).where(one_of(RECEIPT.c.fragment_id, fragment_ids))
    written: dict[str, dict[str, int]] = {}
    for row in await session.execute(
        summed.where(RECEIPT.c.measure == FIT).group_by(RECEIPT.c.fragment_id, RECEIPT.c.rule)
    ):
        if row.points_e4:
            written.setdefault(row.fragment_id, {})[row.rule] = int(row.points_e4)
    return dict(written)
