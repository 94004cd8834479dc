"""Deals, in the pure domain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from contracts.events.lifecycle import (
    OpportunityAdvanced,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    StageEntered,
)
from contracts.values import Money
from people_kernel.workspace import Cause, requested
from services.lifecycle.domain.sales import (
    DealChange,
    NotPossible,
    Opportunity,
    advance_deal,
    lose_deal,
    open_deal,
    win_deal,
)
from tests.support.people import at, frg, per
from tests.unit.lifecycle.builders import accepted, ready
from tests.unit.lifecycle.world import World

ADA = per(1)
EUROS = Money(amount=Decimal("12500.00"), currency="EUR")


def qualified() -> World:
    world = World().hear(*ready(ADA), accepted(ADA, at(1)))
    world.verdict(ADA, "qualify", at(2))
    return world


def a_deal(number: int = 1) -> Opportunity:
    return Opportunity(
        f"opp_{number}", frg(1), "Forklifts", "open", at(3), at(3), "usr_ines", EUROS, external_id=f"crm-{number}"
    )


def because(days: float) -> Cause:
    return requested(f"act_{days}", "usr_ines", at(days))


def test_a_deal_walks_from_sight_to_money_and_so_does_the_person() -> None:
    world = qualified()
    deal = open_deal(world.workspace, ADA, a_deal(), because(3))
    deal = advance_deal(world.workspace, ADA, deal, DealChange(step="proposal"), because(4))
    deal = win_deal(
        world.workspace, ADA, deal, DealChange(amount=Money(amount=Decimal(11000), currency="EUR")), because(5)
    )
    assert (deal.status, deal.step, deal.closed_at) == ("won", "proposal", at(5))
    assert world.way(ADA)[-3:] == ["sql", "opportunity", "customer"]
    (opened,), (advanced,), (won,) = (
        world.told(kind) for kind in (OpportunityOpened, OpportunityAdvanced, OpportunityWon)
    )
    assert (opened.amount, opened.external_id, opened.account_id, opened.by) == (EUROS, "crm-1", "acc_acme", "usr_ines")
    assert (advanced.step, won.amount.amount) == ("proposal", Decimal(11000))


def test_the_move_follows_from_the_deal() -> None:
    world = qualified()
    open_deal(world.workspace, ADA, a_deal(), because(3))
    opened, moved = world.told(OpportunityOpened)[0], world.told(StageEntered)[-1]
    assert world.workspace.said.index(opened) < world.workspace.said.index(moved)
    assert moved.meta.causation_id == moved.receipt.cause_id == opened.meta.event_id
    assert moved.receipt.inputs == {"opportunity_id": "opp_1", "opportunity": "Forklifts", "amount": "12500.00 EUR"}


def test_a_deal_cannot_be_opened_for_somebody_who_is_not_that_far() -> None:
    world = World().hear(*ready(ADA))
    with pytest.raises(NotPossible) as refusal:
        open_deal(world.workspace, ADA, a_deal(), because(3))
    assert refusal.value.detail == "An opportunity cannot be opened for somebody in mql"
    assert refusal.value.instead == "Lead the person to one of these stages first: sql, opportunity"


def test_a_customer_may_have_another_deal_and_stays_a_customer() -> None:
    world = qualified()
    first = open_deal(world.workspace, ADA, a_deal(), because(3))
    win_deal(world.workspace, ADA, first, DealChange(), because(4))
    second = open_deal(world.workspace, ADA, a_deal(2), because(5))
    lose_deal(world.workspace, ADA, second, ("price", None, 0), because(6))
    assert world.way(ADA)[-2:] == ["opportunity", "customer"]
    assert [event.reason for event in world.told(OpportunityLost)] == ["price"]


def test_only_who_has_no_other_deal_open_is_lost_with_one() -> None:
    world = qualified()
    first, second = (open_deal(world.workspace, ADA, a_deal(number), because(2 + number)) for number in (1, 2))
    lose_deal(world.workspace, ADA, first, ("price", None, 1), because(6))
    assert world.stage(ADA) == "opportunity"
    lose_deal(world.workspace, ADA, second, ("price", "Too dear.", 0), because(7))
    event = world.told(StageEntered)[-1]
    assert (event.stage, event.reason, event.receipt.inputs["note"]) == ("lost", "price", "Too dear.")


def test_the_same_told_twice_is_told_once_and_what_is_closed_stays_closed() -> None:
    world = qualified()
    deal = open_deal(world.workspace, ADA, a_deal(), because(3))
    assert advance_deal(world.workspace, ADA, deal, DealChange("Forklifts", EUROS), because(4)) is deal
    won = win_deal(world.workspace, ADA, deal, DealChange(), because(4))
    assert win_deal(world.workspace, ADA, won, DealChange(), because(5)) is won
    assert advance_deal(world.workspace, ADA, won, DealChange(name="Forklifts"), because(5)) is won
    with pytest.raises(NotPossible, match="opp_1 is won already"):
        lose_deal(world.workspace, ADA, won, ("price", None, 0), because(5))
    with pytest.raises(NotPossible, match="opp_1 is won already"):
        advance_deal(world.workspace, ADA, won, DealChange(step="x"), because(5))
    lost = lose_deal(
        world.workspace, ADA, open_deal(world.workspace, ADA, a_deal(2), because(6)), ("price", None, 0), because(7)
    )
    assert lose_deal(world.workspace, ADA, lost, ("other", None, 0), because(8)) is lost
    with pytest.raises(NotPossible, match="opp_2 is lost already"):
        win_deal(world.workspace, ADA, lost, DealChange(), because(8))
    assert len(world.told(OpportunityWon)) == len(world.told(OpportunityLost)) == 1
    assert world.told(OpportunityAdvanced) == []


def test_a_test_persons_deal_is_marked() -> None:
    world = World().hear(*ready(ADA, is_test=True), accepted(ADA, at(1)).model_copy(update={"is_test": True}))
    world.verdict(ADA, "qualify", at(2))
    assert open_deal(world.workspace, ADA, replace(a_deal()), because(3)).is_test
    assert world.told(OpportunityOpened)[0].is_test
