"""Rows and the values of the domain, both ways."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from contracts.values import Money
from services.lifecycle.domain.sales import Opportunity, SalesVerdict
from services.lifecycle.domain.workspace import Clock, CurrentStage, Move


def move_row(move: Move) -> dict[str, Any]:
    return {**_row(move), "covers": _text(move.covers)}


def move_of(row: Any) -> Move:
    return Move(**{**row._asdict(), "covers": orjson.loads(row.covers)})


def current_stage_row(current: CurrentStage) -> dict[str, Any]:
    return {**_row(current), "homes": _text(current.homes)}


def current_stage_of(row: Any) -> CurrentStage:
    return CurrentStage(**{**row._asdict(), "homes": orjson.loads(row.homes)})


def clock_row(clock: Clock) -> dict[str, Any]:
    return {**_row(clock), "stops": _text(clock.stops)}


def clock_of(row: Any) -> Clock:
    return Clock(**{**row._asdict(), "stops": tuple(orjson.loads(row.stops))})


def verdict_row(verdict: SalesVerdict, current: CurrentStage) -> dict[str, Any]:
    """A verdict with where the person stands after it."""
    row = _row(verdict)
    told = {"to_stage": row.pop("to"), "bant": _text(verdict.bant)}
    return {**row, **told, "fragment_id": current.move_home, "move_id": current.move_id}


def opportunity_row(deal: Opportunity) -> dict[str, Any]:
    row = _row(deal)
    amount: Money | None = row.pop("amount")
    return {
        **row,
        "amount": None if amount is None else amount.amount,
        "currency": None if amount is None else amount.currency,
    }


def opportunity_of(row: Any) -> Opportunity:
    known = row._asdict()
    amount, currency = known.pop("amount"), known.pop("currency")
    return Opportunity(**known, amount=None if amount is None else Money(amount=amount, currency=currency))


def _row(value: Any) -> dict[str, Any]:
    # dataclasses.asdict copies all that is inside, which took a tenth of the time of a batch
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


_NAMES = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Move, CurrentStage, Clock, SalesVerdict, Opportunity)
}


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
