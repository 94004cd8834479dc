"""Loading all that a batch of claims is about: whole people, the links that matter, accounts. The cost does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Select, String, and_, bindparam, func, or_, select
from sqlalchemy import column as named
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import one_of
from chassis.store.database import Contended
from chassis.store.documents import dump_json
from contracts.values import IdentifierKind, Strength
from services.identity.domain import Account, Answer, Claim, Fragment, Known, Link, account_keys, keys_of, pair_of
from services.identity.store.reading import answers_on
from services.identity.store.tables import ACCOUNT, ACCOUNT_COLUMNS, FRAGMENT, FRAGMENT_COLUMNS, LINK, LINK_COLUMNS, to_link

Pair = tuple[str, str]

_LOCK_ROUNDS: Final = 5
_NAMED: Final = FRAGMENT.alias("named")  # under a name of its own, or a subquery would be tied to the query around it


class ClaimedElsewhere(Contended):
    """Another shard was at the same people or names at the same moment; nothing is saved, and the same work is tried again, some times."""


async def load_known(session: AsyncSession, claims: Sequence[Claim]) -> Known:
    """What is known about everyone `claims` could concern; on PostgreSQL their rows are locked until the transaction ends."""
    people = _people_named(session, keys_of(claims))
    if _is_postgres(session):
        fragments = await _lock(session, people)
    else:
        fragments = await _fragments(session, FRAGMENT.c.person_id.in_(people))
    links = await _links(session, claims, fragments)
    accounts = await _accounts(session, claims)
    return Known(fragments, links, accounts, await _answers(session, claims, fragments))


async def lock_people(session: AsyncSession, fragment_ids: Collection[str]) -> list[Fragment]:
    """All fragments of the people who hold these fragments, locked until the transaction ends."""
    return await _lock(session, select(_NAMED.c.person_id).where(one_of(session, _NAMED.c.fragment_id, fragment_ids)))


async def _lock(session: AsyncSession, people: Select[Any]) -> list[Fragment]:
    """The fragments of `people`, read after their rows are locked in one order. A merge elsewhere may have come between: then once more."""
    if not _is_postgres(session):  # one writer at a time: the transaction is the lock
        return await _fragments(session, FRAGMENT.c.person_id.in_(people))
    ids = select(FRAGMENT.c.fragment_id).where(FRAGMENT.c.person_id.in_(people)).order_by(FRAGMENT.c.fragment_id).with_for_update()
    for _ in range(_LOCK_ROUNDS):
        locked = set(await session.scalars(ids))
        fragments = await _fragments(session, FRAGMENT.c.person_id.in_(people))
        if {one.fragment_id for one in fragments} <= locked:
            return fragments
    raise ClaimedElsewhere("the people of this batch are being regrouped by somebody else")


async def _fragments(session: AsyncSession, condition: ColumnElement[bool]) -> list[Fragment]:
    rows = await session.execute(select(*FRAGMENT_COLUMNS).where(condition))
    return [Fragment(*row) for row in rows]


def _people_named(session: AsyncSession, keys: Iterable[Pair]) -> Select[Any]:
    """The people who go by these (kind, value), as a query."""
    kind, value = _listed(session, keys)
    return select(_NAMED.c.person_id).where(_NAMED.c.kind == kind, _NAMED.c.value == value)


async def _links(session: AsyncSession, claims: Sequence[Claim], fragments: Sequence[Fragment]) -> list[Link]:
    """The automatic links between fragments that a claim names together, and all that a human cut."""
    automatic = LINK.c.strength != Strength.MANUAL.value
    conditions = []
    if fragments:
        own = [one.fragment_id for one in fragments]
        conditions.append(and_(one_of(session, LINK.c.left_id, own), LINK.c.cut_at.is_not(None), automatic))
    if pairs := _pairs(claims, fragments):
        left, right = _listed(session, pairs)
        conditions.append(and_(LINK.c.left_id == left, LINK.c.right_id == right, automatic))
    found: dict[str, Link] = {}
    for condition in conditions:
        for row in await session.execute(select(*LINK_COLUMNS).where(condition)):
            found[row.link_id] = to_link(row)
    return list(found.values())


def _pairs(claims: Sequence[Claim], fragments: Sequence[Fragment]) -> set[Pair]:
    """The known fragments that some claim suggests to link: its strongest identifier with each other one."""
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    pairs: set[Pair] = set()
    for claim in claims:
        names = [by_key.get((one.kind.value, one.value)) for one in (*claim.identifiers, *claim.previous)]
        if len(names) > 1 and names[0] is not None:
            pairs |= {pair_of(names[0], other) for other in names[1:] if other is not None and other != names[0]}
    return pairs


def _listed(session: AsyncSession, pairs: Iterable[Pair]) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """Pairs of texts as the two columns of a table to join with; compiled once however many there are."""
    ordered = sorted(pairs)
    if _is_postgres(session):
        columns = (bindparam(None, [pair[index] for pair in ordered], type_=ARRAY(String, dimensions=1)) for index in (0, 1))
        table = func.unnest(*columns).table_valued(named("one", String), named("other", String)).render_derived(name="listed")
        return table.c.one, table.c.other
    table = func.json_each(dump_json(ordered)).table_valued(named("value", String), name="listed")
    return func.json_extract(table.c.value, "$[0]", type_=String), func.json_extract(table.c.value, "$[1]", type_=String)


async def _accounts(session: AsyncSession, claims: Sequence[Claim]) -> list[Account]:
    keys: dict[str, set[str]] = {}
    for claim in claims:
        emails = [one.value for one in claim.identifiers if one.kind is IdentifierKind.EMAIL]
        for kind, value in account_keys(claim.capture.interaction.account, emails):
            keys.setdefault("name_key" if kind == "name" else kind, set()).add(value)
    if not keys:
        return []
    conditions = [one_of(session, ACCOUNT.c[column], sorted(keys[column])) for column in sorted(keys)]
    rows = await session.execute(select(*ACCOUNT_COLUMNS).where(or_(*conditions)))
    return [Account(*row) for row in rows]


async def _answers(session: AsyncSession, claims: Sequence[Claim], fragments: Sequence[Fragment]) -> list[Answer]:
    """What was answered on the known fragments that statements of these claims will hang on: those of the strongest identifiers."""
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    anchors = [claim.identifiers[0] for claim in claims if claim.statements and claim.identifiers]
    known = {by_key.get((one.kind.value, one.value)) for one in anchors}
    return await answers_on(session, [fragment_id for fragment_id in known if fragment_id is not None])


def _is_postgres(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"
