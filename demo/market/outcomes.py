"""What becomes of a lead once a rep has it: decided with the person, carried out by the cast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from demo.market.dice import Dice
from demo.market.people import Persona


class Verb(StrEnum):
    """What a rep does with somebody they accepted."""

    QUALIFY = "qualify"
    RECYCLE = "recycle"
    DISQUALIFY = "disqualify"
    OPEN = "open"
    ADVANCE = "advance"
    WIN = "win"
    LOSE = "lose"


@dataclass(frozen=True)
class Act:
    """One thing a rep does, `after` the one before."""

    verb: Verb
    after: timedelta
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fate:
    """How a rep answers, and what follows if they accept. `hands_over`: a manager gives it to somebody else before."""

    answer_after: timedelta
    return_reason: str | None = None
    acts: tuple[Act, ...] = ()
    hands_over: bool = False


_NEEDS = (
    "plans that survive the morning",
    "one board for three depots",
    "fewer spreadsheets",
    "delivery dates that hold",
)
_LOST_BECAUSE = ("price", "chose_another", "no_budget")
_RETURNED_BECAUSE = {"bad_timing": 4, "no_answer": 3, "wrong_rep": 3, "bad_data": 1}
SEATS_PRICE = Decimal(38)


def of_buyer(persona: Persona, dice: Dice) -> Fate:
    """Somebody who may well buy."""
    answer_after = dice.span(timedelta(minutes=20), timedelta(hours=14))
    if dice.happens(0.12):
        return Fate(answer_after, return_reason=dice.weighted(_RETURNED_BECAUSE))
    return Fate(answer_after, acts=_followed_up(persona, dice), hands_over=dice.happens(0.05))


def of_hot_lead(_: Persona, __: Dice) -> Fate:
    """The first of all: taken at once; what comes of it is left to whoever looks around afterwards."""
    return Fate(timedelta(seconds=1))


def _followed_up(persona: Persona, dice: Dice) -> tuple[Act, ...]:
    first_call = dice.span(timedelta(hours=5), timedelta(days=2))
    if dice.happens(0.28):
        reason = dice.weighted({"bad_timing": 3, "no_answer": 2})
        return (Act(Verb.RECYCLE, first_call, {"reason": reason}),)
    seats = dice.between(10, max(20, min(persona.company.employees // 5, 60)))
    bant = {
        "budget": f"{seats * 400} EUR",
        "authority": "decides",
        "need": dice.pick(_NEEDS),
        "timing": f"{dice.between(1, 6)} months",
    }
    qualify = Act(Verb.QUALIFY, first_call, {"bant": bant})
    if dice.happens(0.2):
        return (qualify,)
    return (qualify, *_deal(persona, seats, dice))


def _deal(persona: Persona, seats: int, dice: Dice) -> tuple[Act, ...]:
    amount = SEATS_PRICE * 12 * seats
    opened = Act(
        Verb.OPEN,
        dice.span(timedelta(hours=8), timedelta(days=2)),
        {"name": f"{persona.company.name}: {seats} seats", "amount": amount},
    )
    advanced = Act(Verb.ADVANCE, dice.span(timedelta(days=1), timedelta(days=3)), {"step": "proposal"})
    end_after = dice.span(timedelta(days=2), timedelta(days=6))
    match dice.weighted({Verb.WIN: 5, Verb.LOSE: 3, Verb.ADVANCE: 2}):
        case Verb.WIN:
            discount = Decimal(100 - 5 * dice.between(0, 3)) / 100
            return (
                opened,
                advanced,
                Act(Verb.WIN, end_after, {"amount": (amount * discount).quantize(Decimal("0.01"))}),
            )
        case Verb.LOSE:
            return (opened, advanced, Act(Verb.LOSE, end_after, {"reason": dice.pick(_LOST_BECAUSE)}))
    return (opened, advanced)
