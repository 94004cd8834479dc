"""Reads for the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import func, or_, select

from chassis.store.batch import among, one_of, rows_by
from chassis.store.session import Session, lock
from chassis.store.statements import Row
from contracts.events.scoring import Attribute
from contracts.ids import with_prefix
from contracts.limits import CLAIMS_SHOWN
from people_kernel.beliefs import precedence
from people_kernel.profile import Attributes
from people_kernel.store.people import Place, earlier
from services.scoring.domain.accounts import ACCOUNT as ACCOUNT_ID
from services.scoring.domain.accounts import KnownAccounts, belongs_to
from services.scoring.domain.claims import TraitFact
from services.scoring.domain.profile import Knowledge, claimed_by, judged, together
from services.scoring.domain.receipts import ENGAGEMENT, Judges, StoredReceipt
from services.scoring.domain.score_decay import Accumulators, combine, weight, worth
from services.scoring.domain.workspace import Person, ScoreSnapshot
from services.scoring.store.rows import account_of, person_of, receipt_of, trait_fact_of
from services.scoring.store.tables import ACCOUNT, FACT, FRAGMENT, PERSON, RECEIPT

PAGE = 250
"""Facts or receipts that are read before others get their turn: some 20 ms of decoding."""

_NAMES = ACCOUNT.alias("known_as")  # under a name of its own, or a subquery would be tied to the query around it
_ACCOUNTS = select(ACCOUNT).where(
    or_(
        among(ACCOUNT.c.account_id, "named"),
        ACCOUNT.c.account_id.in_(select(_NAMES.c.current_id).where(among(_NAMES.c.account_id, "answering"))),
    )
)
_PEOPLED = rows_by(PERSON.c.account_id, PERSON.c.account_id).distinct()

Earned = tuple[int, int, datetime]
"""(points e4, half-life, at) of a receipt of engagement."""


class _HangsOnFragment(Protocol):
    @property
    def fragment_id(self) -> str: ...


_OfFragment = TypeVar("_OfFragment", bound=_HangsOnFragment)


@dataclass(frozen=True, slots=True)
class PersonSnapshot:
    """What was known of a person, and how ready they were."""

    attributes: Attributes
    scores: ScoreSnapshot


@dataclass(slots=True)
class PersonHistory:
    """What had happened by a moment. Facts and points may be told in any order, but none that came after it."""

    at: datetime
    knowledge: Knowledge = field(default_factory=Knowledge)
    sums: Accumulators = field(default_factory=dict)
    latest_at: datetime | None = None  # of the facts
    accounts: KnownAccounts = field(default_factory=KnownAccounts)
    is_named: bool = False  # of a browser: a stronger name was told in it

    def learn(self, facts: Iterable[TraitFact]) -> None:
        self.knowledge = together(
            [self.knowledge, *(Knowledge(claimed_by(fact), fact.version, fact.key) for fact in facts)]
        )

    def earn(self, earned: Iterable[Earned]) -> None:
        self.sums = combine(
            [self.sums, *({half_life: weight(points, half_life, at)} for points, half_life, at in earned)]
        )

    def snapshot(self, judges: Judges) -> PersonSnapshot:
        """Fit is judged on the profile of then, the company's facts included, by the version that recorded the last."""
        shared = self.accounts.shared_with(self.knowledge.attributes)
        then = {name: one for name, one in shared.items() if name == ACCOUNT_ID or one.occurred_at <= self.at}
        fit, _ = judged(self.knowledge, {}, judges, then)
        engagement = worth(self.sums, self.at)
        cell = judges.active.grid.cell(fit.points_e4, engagement)
        return PersonSnapshot(fit.shown, ScoreSnapshot(fit.points_e4, engagement, cell, self.at))


@dataclass(slots=True)
class ClaimHistory:
    """The claims per attribute; at most CLAIMS_SHOWN of each, those that are believed most."""

    _claims: dict[str, list[Attribute]] = field(default_factory=dict)

    def add(self, facts: Iterable[TraitFact]) -> None:
        for fact in facts:
            for name, claim in claimed_by(fact).items():
                made = self._claims.setdefault(name, [])
                made.append(claim)
                if len(made) >= 2 * CLAIMS_SHOWN:
                    self._claims[name] = _first(made)

    def share(self, shared: Attributes) -> None:
        """What is known of their company counts as one claim more."""
        for name, claim in shared.items():
            if name != ACCOUNT_ID:
                self._claims.setdefault(name, []).append(claim)

    def by_attribute(self) -> dict[str, list[Attribute]]:
        """In the order of the alphabet; of each attribute the believed claim first."""
        return {name: _first(made) for name, made in sorted(self._claims.items())}


def _first(made: list[Attribute]) -> list[Attribute]:
    return sorted(made, key=precedence, reverse=True)[:CLAIMS_SHOWN]


async def load_people(session: Session, person_ids: Collection[str]) -> dict[str, Person]:
    """Those that are known."""
    rows = await session.execute(rows_by(PERSON.c.person_id), {"keys": person_ids})
    return {row.person_id: person_of(row) for row in rows}


async def trait_facts_of(
    session: Session, fragment_ids: Collection[str], until: datetime | None = None
) -> AsyncIterator[list[TraitFact]]:
    """All facts of these fragments that claim something, a page at a time; others get their turn between pages."""
    columns = (
        FACT.c.interaction_id,
        FACT.c.body,
        FACT.c.packed,
        FACT.c.fragment_id,
        FACT.c.strength,
        FACT.c.rulebook_version,
        FACT.c.claims,
    )
    wanted = select(*columns, FACT.c.account_id, FACT.c.user_id, FACT.c.account_named_by).where(
        one_of(FACT.c.fragment_id, fragment_ids), FACT.c.has_traits
    )
    if until is not None:
        wanted = wanted.where(FACT.c.occurred_at <= until)
    async for page in session.pages(wanted, PAGE):
        yield [trait_fact_of(row) for row in page]
        await asyncio.sleep(0)


async def accounts(session: Session, account_ids: Collection[str]) -> KnownAccounts:
    """Those of which anything is known, with the ones they answer with; nobody else comes to belong to them until the
    transaction ends, or hears what becomes of them.
    """
    await lock(session, account_ids)
    return await accounts_by_id(session, account_ids)


async def accounts_by_id(session: Session, account_ids: Collection[str]) -> KnownAccounts:
    rows = await session.execute(_ACCOUNTS, {"named": account_ids, "answering": account_ids})
    pages = KnownAccounts()
    pages.load({row.account_id: account_of(row) for row in rows})
    return pages


async def peopled(session: Session, account_ids: Collection[str]) -> set[str]:
    """Those of these accounts that anybody belongs to, as it was named."""
    return set(await session.scalars(_PEOPLED, {"keys": account_ids}))


async def _survivors(session: Session, person_ids: Collection[str]) -> dict[str, str]:
    """Asked id -> the person who answers to it: the same, or the one who absorbed it. Unknown ids are left out."""
    by_fragment = {with_prefix("frg", person_id): person_id for person_id in person_ids if person_id.startswith("per_")}
    columns = (FRAGMENT.c.fragment_id, FRAGMENT.c.person_id)
    rows = await session.execute(rows_by(FRAGMENT.c.fragment_id, *columns), {"keys": list(by_fragment)})
    found = {by_fragment[row.fragment_id]: row.person_id for row in rows}
    rest = [person_id for person_id in person_ids if person_id not in found]
    if rest:  # the oldest fragment may never have been heard of: only the person's other fragments did something
        known = await session.execute(rows_by(PERSON.c.person_id, PERSON.c.person_id), {"keys": rest})
        found.update({row.person_id: row.person_id for row in known})
    return found


async def people(session: Session, person_ids: Collection[str]) -> dict[str, Person]:
    """Asked id -> the person who answers to it."""
    owners = await _survivors(session, person_ids)
    loaded = await load_people(session, set(owners.values()))
    return {asked: loaded[owner] for asked, owner in owners.items() if owner in loaded}


async def fragment_ids_of(session: Session, person_ids: Collection[str]) -> dict[str, list[str]]:
    """Person -> fragments."""
    columns = (FRAGMENT.c.person_id, FRAGMENT.c.fragment_id)
    owned: dict[str, list[str]] = {person_id: [] for person_id in person_ids}
    for row in await session.execute(rows_by(FRAGMENT.c.person_id, *columns), {"keys": list(person_ids)}):
        owned[row.person_id].append(row.fragment_id)
    return owned


async def histories(session: Session, person_ids: Collection[str], until: datetime) -> dict[str, PersonHistory]:
    """What had happened by a moment, of each of these people."""
    fragments = await fragment_ids_of(session, person_ids)
    owner = {fragment_id: person_id for person_id, owned in fragments.items() for fragment_id in owned}
    found = {person_id: PersonHistory(until) for person_id in person_ids}
    async for facts in trait_facts_of(session, owner, until):
        for person_id, told in _by_owner(facts, owner).items():
            found[person_id].learn(told)
    named = (belongs_to(history.knowledge.attributes) for history in found.values())
    if account_ids := {one for one in named if one is not None}:
        pages = await accounts_by_id(session, account_ids)
        for history in found.values():
            history.accounts = pages
    async for receipts in _earned_until(session, owner, until):
        for person_id, earned in _by_owner(receipts, owner).items():
            found[person_id].earn((one.points_e4, one.half_life, one.at) for one in earned)
    for fragment_id, at in (await _latest_facts(session, owner, until)).items():
        history = found[owner[fragment_id]]
        history.latest_at = max(at, history.latest_at or at)
    return found


async def claim_history(session: Session, person_id: str, until: datetime | None) -> ClaimHistory:
    """All that was claimed of a person by a moment."""
    fragments = await fragment_ids_of(session, [person_id])
    claims = ClaimHistory()
    async for facts in trait_facts_of(session, fragments[person_id], until):
        claims.add(facts)
    return claims


def _by_owner(rows: Iterable[_OfFragment], owner: Mapping[str, str]) -> dict[str, list[_OfFragment]]:
    found: dict[str, list[_OfFragment]] = {}
    for row in rows:
        found.setdefault(owner[row.fragment_id], []).append(row)
    return found


async def _earned_until(
    session: Session, fragment_ids: Collection[str], until: datetime
) -> AsyncIterator[Sequence[Any]]:
    """(fragment_id, points_e4, half_life, at) of the engagement on these fragments by `until`, a page at a time; others
    get their turn between.
    """
    columns = (RECEIPT.c.fragment_id, RECEIPT.c.points_e4, RECEIPT.c.half_life, RECEIPT.c.at)
    wanted = select(*columns).where(one_of(RECEIPT.c.fragment_id, fragment_ids), RECEIPT.c.at <= until)
    async for page in session.pages(
        wanted.where(RECEIPT.c.measure == ENGAGEMENT, RECEIPT.c.half_life.is_not(None)), PAGE
    ):
        yield page
        await asyncio.sleep(0)


async def _latest_facts(session: Session, fragment_ids: Collection[str], until: datetime) -> dict[str, datetime]:
    """Fragment -> when its latest fact by `until` happened."""
    latest = select(FACT.c.fragment_id, func.max(FACT.c.occurred_at).label("latest_at"))
    rows = await session.execute(
        latest.where(one_of(FACT.c.fragment_id, fragment_ids), FACT.c.occurred_at <= until).group_by(FACT.c.fragment_id)
    )
    return {row.fragment_id: row.latest_at for row in rows}


async def receipts_page(
    session: Session, fragment_ids: Collection[str], until: datetime | None, before: Place | None, limit: int
) -> list[StoredReceipt]:
    """Receipts, newest first."""
    statement = select(RECEIPT).where(one_of(RECEIPT.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(RECEIPT.c.at <= until)
    if before is not None:
        statement = statement.where(earlier(RECEIPT.c.at, RECEIPT.c.receipt_id, before))
    rows = await session.execute(statement.order_by(RECEIPT.c.at.desc(), RECEIPT.c.receipt_id.desc()).limit(limit))
    return [receipt_of(row) for row in rows]


async def timeline_page(
    session: Session, fragment_ids: Collection[str], until: datetime | None, before: Place | None, limit: int
) -> Sequence[Row]:
    """Facts, newest first."""
    statement = select(FACT).where(one_of(FACT.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(FACT.c.occurred_at <= until)
    if before is not None:
        statement = statement.where(earlier(FACT.c.occurred_at, FACT.c.interaction_id, before))
    return await session.execute(
        statement.order_by(FACT.c.occurred_at.desc(), FACT.c.interaction_id.desc()).limit(limit)
    )
