"""All people of a company are judged anew when something else is known of it, a page at a time, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.timers import Timer
from contracts.envelope import Event, Meta
from contracts.events.identity import AccountChanged, AccountMerged, AccountPart, AccountSplit
from contracts.events.scoring import Attribute, ProfileChanged
from contracts.values import Belonging, NamedBy, Strength
from services.scoring.domain.workspace import ACCOUNT_CHANGED
from services.scoring.events import on_accounts_changed, on_accounts_told, on_interactions_recognized
from services.scoring.store import load
from tests.support.people import START, at, frg, per
from tests.unit.scoring.builders import identified, recognized
from tests.unit.scoring.test_store import rows_of

COLLEAGUES = 2 * load.PEOPLE_AT_ONCE + 5


def a_part(account_id: str, *others: str, version: int, employees: int | None = None) -> AccountPart:
    fact = Attribute(
        value=employees, strength=Strength.VERIFIED, source_id="src", interaction_id="int_9", occurred_at=START
    )
    facts = {} if employees is None else {"employees": fact}
    return AccountPart(account_id=account_id, account_ids=(account_id, *others), facts=facts, version=version)


def meta(name: str) -> Meta:
    return Meta(event_id=f"evt_{name}", at=at(3), correlation_id=f"evt_{name}")


def changed(part: AccountPart) -> AccountChanged:
    return AccountChanged(meta=meta(f"{part.account_id}{part.version}"), account_id=part.account_id, whole=part)


def a_colleague(number: int, account_id: str) -> Any:
    told = identified({"title": "CEO"}, when=at(1), number=number)
    belonging = Belonging(account_id=account_id, named_by=NamedBy.GROUP_CALL)
    return recognized(told, number, belonging=belonging)


async def meet(store: Database, events: Sequence[Any]) -> None:
    async with store.begin() as session:
        await on_interactions_recognized(events, Context(session, datetime.now(UTC)))


async def hear(store: Database, *events: AccountChanged | AccountMerged | AccountSplit) -> list[Event]:
    """What comes of it, its timers fired until none is left."""
    said: list[Event] = []
    async with store.begin() as session:
        context = Context(session, at(4))
        await on_accounts_told(events, context)
    while context.timers:
        due = [
            Timer(kind, key, change.due_at, change.payload)
            for (kind, key), change in context.timers.items()
            if change is not None and kind == ACCOUNT_CHANGED
        ]
        async with store.begin() as session:
            context = Context(session, at(4))
            await on_accounts_changed(due, context)
        said += context.said
    return said


async def employees(store: Database) -> dict[str, Any]:
    _, people, _ = await rows_of(store)
    shown = {key: person.fit.shown.get("employees") for key, person in people.items()}
    return {key: one.value for key, one in shown.items() if one is not None}


async def test_everybody_who_belongs_there_and_nobody_else_is_judged_anew_once(store: Database) -> None:
    await meet(store, [a_colleague(number, "acc_a") for number in range(1, COLLEAGUES)])
    await meet(store, [a_colleague(COLLEAGUES, "acc_b")])
    said = await hear(store, changed(a_part("acc_a", version=1, employees=250)))
    assert len(await employees(store)) == COLLEAGUES - 1
    told = [one.person_id for one in said if isinstance(one, ProfileChanged)]
    assert len(told) == len(set(told)) == COLLEAGUES - 1
    _, people, receipts = await rows_of(store)
    booked = [one for one in receipts.values() if one.rule == "employees-is-250" or "employees" in one.sentence]
    assert len(booked) == COLLEAGUES - 1
    assert len({one.said.fit_e4 for key, one in people.items() if key != per(COLLEAGUES) and one.said}) == 1
    assert await hear(store, changed(a_part("acc_a", version=1, employees=250))) == []


async def test_who_comes_later_shares_at_once_and_a_company_without_people_costs_no_timer(store: Database) -> None:
    assert await hear(store, changed(a_part("acc_a", version=1, employees=250))) == []
    await meet(store, [a_colleague(1, "acc_a")])
    assert await employees(store) == {per(1): 250}


async def test_a_merge_is_shared_by_both_and_a_split_takes_it_back(store: Database) -> None:
    await meet(store, [a_colleague(1, "acc_a"), a_colleague(2, "acc_b")])
    await hear(store, changed(a_part("acc_b", version=1, employees=250)))
    merged = a_part("acc_a", "acc_b", version=2, employees=250)
    await hear(
        store,
        AccountMerged(
            meta=meta("merged"),
            account_id="acc_a",
            absorbed_account_ids=("acc_b",),
            whole=merged,
            strength=Strength.MANUAL,
            sentence="usr_ada merged the two: one group",
        ),
    )
    assert await employees(store) == {per(1): 250, per(2): 250}
    _, people, _ = await rows_of(store)
    assert {one.fit.shown["account_id"].value for one in people.values()} == {"acc_a"}
    parts = (a_part("acc_a", version=3), a_part("acc_b", version=3, employees=250))
    said = await hear(
        store, AccountSplit(meta=meta("split"), account_id="acc_a", parts=parts, sentence="usr_ada split them into 2")
    )
    assert await employees(store) == {per(2): 250}
    assert [one.occurred_at for one in said if isinstance(one, ProfileChanged)] == [None, None]
    fragments, people, _ = await rows_of(store)
    assert fragments[frg(1)].written == people[per(1)].fit.held
