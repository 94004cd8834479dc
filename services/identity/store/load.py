"""Loading all that a batch of claims is about: whole people, the links that matter, accounts.

The cost does not depend on how many there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Select, String, bindparam, func, or_, select
from sqlalchemy import column as named

from chassis.store.batch import among, rows_by
from chassis.store.columns import dump_json
from chassis.store.errors import Contended
from chassis.store.session import Session
from chassis.store.statements import DialectName, Values
from contracts.values import CandidateStatus, Consent, Strength
from semantics.capture import CaptureReading
from services.identity.domain.account_claims import account_keys
from services.identity.domain.accounts import Account, AccountPages
from services.identity.domain.consent import ConsentPages
from services.identity.domain.fragments import Fragment, Link, pair_of
from services.identity.domain.proposals.candidates import CandidatePages
from services.identity.domain.proposals.testimony import may_propose, unsettled_people
from services.identity.domain.workspace import Graph, IdentityWorkspace, WithheldInteraction, keys_of
from services.identity.store.queries import consents_on, whole_accounts
from services.identity.store.rows import FRAGMENT_COLUMNS, LINK_COLUMNS, to_candidate, to_link, to_withheld
from services.identity.store.tables import ACCOUNT, CANDIDATE, FRAGMENT, LINK, WITHHELD

Pair = tuple[str, str]

_LOCK_ROUNDS: Final = 5
_IS_AUTOMATIC: Final = LINK.c.strength != Strength.MANUAL.value
_CUT: Final = rows_by(LINK.c.left_id, *LINK_COLUMNS).where(LINK.c.cut_at.is_not(None), _IS_AUTOMATIC)
_LIVE: Final = rows_by(LINK.c.left_id, *LINK_COLUMNS).where(LINK.c.cut_at.is_(None))
_CANDIDATES: Final = [rows_by(column, *CANDIDATE.c) for column in (CANDIDATE.c.left_id, CANDIDATE.c.right_id)]
_WAITING: Final = (
    rows_by(CANDIDATE.c.source_id, CANDIDATE.c.source_id, func.count().label("waiting"))
    .where(CANDIDATE.c.status == CandidateStatus.OPEN.value)
    .group_by(CANDIDATE.c.source_id)
)
_NAMED: Final = FRAGMENT.alias("named")  # under a name of its own, or a subquery would be tied to the query around it


class ClaimedElsewhere(Contended):
    """Another shard was at the same people or names at the same moment; nothing is saved, and the same work is tried
    again, some times.
    """


async def for_claims(session: Session, claims: Sequence[CaptureReading]) -> IdentityWorkspace:
    """What is known about everyone `claims` could concern; on PostgreSQL their rows are locked until the transaction
    ends.
    """
    fragments = await _lock(session, _people_named(session.dialect), _pairs_given(session.dialect, keys_of(claims)))
    concerned = unsettled_people(claims, fragments)
    links = await _links(session, claims, fragments, concerned)
    accounts = await _accounts(session, claims)
    consents = await _consents(session, claims, fragments)
    return IdentityWorkspace(
        graph=Graph(fragments, links),
        accounts=AccountPages(accounts),
        consents=consents,
        candidates=await _candidates(session, claims, fragments),
    )


async def lock_people(session: Session, fragment_ids: Collection[str]) -> list[Fragment]:
    """All fragments of the people who hold these fragments, locked until the transaction ends."""
    return await _lock(session, rows_by(_NAMED.c.fragment_id, _NAMED.c.person_id), {"keys": fragment_ids})


async def withheld(session: Session, interaction_id: str) -> WithheldInteraction | None:
    """What a robot did, locked until the transaction ends; None where nothing of this id is kept apart."""
    query = select(WITHHELD).where(WITHHELD.c.interaction_id == interaction_id).with_for_update()
    rows = await session.execute(query)
    return to_withheld(rows[0]) if rows else None


async def _lock(session: Session, people: Select[Any], given: Values) -> list[Fragment]:
    """The fragments of `people` (a query, built once), read after their rows are locked in one order.

    A merge elsewhere may have come between: then once more.
    """
    if session.dialect == "sqlite":  # one writer at a time: the transaction is the lock
        return await _fragments(session, people, given)
    for _ in range(_LOCK_ROUNDS):
        locked = set(await session.scalars(_locking(people), given))
        fragments = await _fragments(session, people, given)
        if {one.fragment_id for one in fragments} <= locked:
            return fragments
    raise ClaimedElsewhere("the people of this batch are being regrouped by somebody else")


async def _fragments(session: Session, people: Select[Any], given: Values) -> list[Fragment]:
    return [Fragment._make(row) for row in await session.execute(_fragments_of(people), given)]


@lru_cache(maxsize=16)
def _locking(people: Select[Any]) -> Select[Any]:
    return (
        select(FRAGMENT.c.fragment_id)
        .where(FRAGMENT.c.person_id.in_(people))
        .order_by(FRAGMENT.c.fragment_id)
        .with_for_update()
    )


@lru_cache(maxsize=16)
def _fragments_of(people: Select[Any]) -> Select[Any]:
    return select(*FRAGMENT_COLUMNS).where(FRAGMENT.c.person_id.in_(people))


@lru_cache(maxsize=2)
def _people_named(dialect: DialectName) -> Select[Any]:
    """The people who go by the (kind, value) that are given, as a query."""
    kind, value = _pairs_listed(dialect)
    return select(_NAMED.c.person_id).where(_NAMED.c.kind == kind, _NAMED.c.value == value)


async def _links(
    session: Session, claims: Sequence[CaptureReading], fragments: Sequence[Fragment], concerned: Collection[str]
) -> list[Link]:
    """The automatic links between fragments that a claim names together, all that a human cut, and all that hold of the
    people `concerned`.
    """
    rows: list[Any] = []
    if fragments:
        rows += await session.execute(_CUT, {"keys": [one.fragment_id for one in fragments]})
    if pairs := _pairs(claims, fragments):
        rows += await session.execute(_linking(session.dialect), _pairs_given(session.dialect, pairs))
    if concerned:
        theirs = [one.fragment_id for one in fragments if one.person_id in concerned]
        rows += await session.execute(_LIVE, {"keys": theirs})
    return list({row.link_id: to_link(row) for row in rows}.values())


async def _candidates(
    session: Session, claims: Sequence[CaptureReading], fragments: Sequence[Fragment]
) -> CandidatePages:
    """The pairs at the people of whom something may be proposed, and how many of each source wait."""
    telling = [claim for claim in claims if may_propose(claim)]
    if not telling or not fragments:
        return CandidatePages()
    at = {"keys": [one.fragment_id for one in fragments]}
    rows = [row for query in _CANDIDATES for row in await session.execute(query, at)]
    sources = sorted({claim.capture.interaction.source_id for claim in telling})
    waiting = await session.execute(_WAITING, {"keys": sources})
    found = {row.candidate_id: to_candidate(row) for row in rows}
    return CandidatePages(found.values(), {row.source_id: row.waiting for row in waiting})


@lru_cache(maxsize=2)
def _linking(dialect: DialectName) -> Select[Any]:
    """The automatic links of the pairs that are given."""
    left, right = _pairs_listed(dialect)
    return select(*LINK_COLUMNS).where(LINK.c.left_id == left, LINK.c.right_id == right, _IS_AUTOMATIC)


def _pairs(claims: Sequence[CaptureReading], fragments: Sequence[Fragment]) -> set[Pair]:
    """The known fragments that some claim suggests to link: its strongest identifier with each other one."""
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    pairs: set[Pair] = set()
    for claim in claims:
        if len(claim.names) < 2:
            continue
        names = [by_key.get((one.kind.value, one.value)) for one in claim.names]
        if names[0] is not None:
            pairs |= {pair_of(names[0], other) for other in names[1:] if other is not None and other != names[0]}
    return pairs


def _pairs_given(dialect: DialectName, pairs: Iterable[Pair]) -> Values:
    """The values for `_pairs_listed`."""
    ordered = sorted(pairs)
    if dialect == "postgresql":
        return {"ones": [pair[0] for pair in ordered], "others": [pair[1] for pair in ordered]}
    return {"pairs": dump_json(ordered)}


def _pairs_listed(dialect: DialectName) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """Pairs of texts as the two columns of a table to join with; one statement however many there are."""
    if dialect == "postgresql":
        columns = (bindparam(name, type_=ARRAY(String, dimensions=1), required=True) for name in ("ones", "others"))
        table = (
            func.unnest(*columns)
            .table_valued(named("one", String), named("other", String))
            .render_derived(name="listed")
        )
        return table.c.one, table.c.other
    table = func.json_each(bindparam("pairs", type_=String, required=True)).table_valued(
        named("value", String), name="listed"
    )
    return func.json_extract(table.c.value, "$[0]", type_=String), func.json_extract(
        table.c.value, "$[1]", type_=String
    )


async def _accounts(session: Session, claims: Sequence[CaptureReading]) -> list[Account]:
    """The accounts that the claims name, each with all that it is known as."""
    keys: dict[str, set[str]] = {}
    for claim in claims:
        for kind, value in account_keys(claim):
            keys.setdefault("name_key" if kind == "name" else kind, set()).add(value)
    if not keys:
        return []
    rows = await session.execute(_accounts_by(tuple(sorted(keys))), keys)
    return await whole_accounts(session, {row.survivor_id or row.account_id for row in rows})


@lru_cache(maxsize=8)
def _accounts_by(columns: tuple[str, ...]) -> Select[Any]:
    """The accounts that have one of the values given in one of these columns."""
    found = select(ACCOUNT.c.account_id, ACCOUNT.c.survivor_id)
    return found.where(or_(*(among(ACCOUNT.c[column], column) for column in columns)))


async def _consents(session: Session, claims: Sequence[CaptureReading], fragments: Sequence[Fragment]) -> ConsentPages:
    """What was stated on the known fragments that statements of these claims will hang on: those of the strongest
    identifiers. A trusted grant may be carried over to any of the person's.
    """
    if any(_is_granting(claim) for claim in claims):
        return await consents_on(session, [one.fragment_id for one in fragments])
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    anchors = [claim.identifiers[0] for claim in claims if claim.statements and claim.identifiers]
    known = {by_key.get((one.kind.value, one.value)) for one in anchors}
    return await consents_on(session, [fragment_id for fragment_id in known if fragment_id is not None])


def _is_granting(claim: CaptureReading) -> bool:
    return claim.strength is Strength.VERIFIED and any(one.consent is Consent.GRANTED for one in claim.statements)
