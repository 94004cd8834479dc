"""What a rep reads on the phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.values import JsonObject, Receipt
from people_kernel.people import Card
from services.routing.domain.outgoing_events import best_reason, until, who
from tests.support.people import per
from tests.unit.routing.builders import DEMO, MOVE, NOW, a_receipt, attributes


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (
            {"name": "Mara Lindqvist", "title": "Head of Logistics", "company": "Tidewater Freight"},
            "Mara Lindqvist, Head of Logistics at Tidewater Freight,",
        ),
        ({"first_name": "太郎", "last_name": "山田", "company": "港運輸"}, "山田太郎 of 港運輸"),
        ({"name": "Mara", "title": "CFO"}, "Mara, CFO,"),
        ({"email": "mara@tidewater.example"}, "mara@tidewater.example"),
        ({"name": "Mara\n Lindqvist"}, "Mara Lindqvist"),
        ({}, "Somebody"),
    ],
    ids=range(6),
)
def test_somebody_is_called_by_what_is_known_of_them(known: JsonObject, words: str) -> None:
    assert who(Card(per(1), attributes(known))) == words


def test_a_name_without_end_does_not_fill_the_screen() -> None:
    assert len(who(Card(per(1), attributes({"name": "x" * 5000})))) == 120


@pytest.mark.parametrize(
    ("highlights", "reason"),
    [
        ((DEMO, a_receipt("Read /pricing.", 12, at=NOW + timedelta(hours=1))), "asked for a demo"),
        (
            (a_receipt("Filled in a form.", 20, at=NOW + timedelta(hours=1)), a_receipt("Sent a form.", 20)),
            "filled in a form",
        ),
        ((a_receipt("VP asked.", 20),), "VP asked"),
        ((a_receipt("Looked at open positions.", -15),), None),
        ((MOVE,), None),
        ((), None),
    ],
    ids=range(6),
)
def test_the_reason_is_what_was_worth_most_and_of_equals_the_newest(
    highlights: tuple[Receipt, ...], reason: str | None
) -> None:
    assert best_reason(Card(per(1), {}, None, highlights)) == reason


def test_the_hour_says_its_day_unless_that_is_today() -> None:
    assert until(datetime(2026, 3, 2, 16, 20, tzinfo=UTC), NOW) == "16:20 UTC"
    assert until(datetime(2026, 3, 3, 8, 5, tzinfo=UTC), NOW) == "3 March, 08:05 UTC"
