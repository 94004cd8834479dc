"""The table of who may do what names every operation there is, and no other; its page is what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chassis.web.auth import Principal
from gateway.access import page
from gateway.access.policy import MANAGER, ROLES, About, Door, Operation, is_limited, narrowed
from gateway.access.table import POLICY
from gateway.routes import ROUTES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "contracts/openapi/gateway.json").read_text())
DOCUMENTED = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
PASSED_ON = {(route.method, route.path) for route in ROUTES}
NAMED = {(one.method, one.path) for one in POLICY.operations}
REPORTS = "/v1/reports/"


def test_every_operation_stands_in_the_table() -> None:
    assert DOCUMENTED | PASSED_ON <= NAMED


def test_the_table_names_nothing_that_is_not_there() -> None:
    there = DOCUMENTED | PASSED_ON
    assert {one for one in NAMED - there if not one[1].startswith(REPORTS)} == set()
    assert len(NAMED) == len(POLICY.operations), "an operation stands there twice"


def test_whatever_names_a_person_or_a_deal_is_about_one() -> None:
    for one in POLICY.operations:
        if one.door is not Door.API_KEY:
            continue
        if "{person_id}" in one.path:
            assert one.about is About.PERSON, one
        if "{opportunity_id}" in one.path:
            assert one.about is About.DEAL, one
        if "{referral_id}" in one.path:
            assert one.about is About.REFERRAL, one


def test_what_an_operation_takes_from_the_body_is_in_its_schema() -> None:
    for one in POLICY.operations:
        if one.body is not None:
            content = DOCUMENT["paths"][one.path][one.method.lower()]["requestBody"]["content"]
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert one.body in DOCUMENT["components"]["schemas"][name]["properties"], one


def _caller(*roles: str, teams: tuple[str, ...] = ()) -> Principal:
    return Principal("x", frozenset(roles), None, frozenset(teams))


READING = Operation("GET", "/x", frozenset(ROLES), About.PERSON)
LED = Operation("POST", "/x", frozenset({"sales", "manager"}), About.PERSON)


@pytest.mark.parametrize(
    ("caller", "operation", "expected"),
    [
        (_caller("sales"), READING, True),
        (_caller("manager"), READING, False),
        (_caller("manager", teams=("west",)), READING, True),
        (_caller("marketing"), READING, False),
        (_caller("sales", "agent"), READING, False),  # as far as the widest role sees
        (_caller("sales", "agent"), LED, True),  # which may not do this one
        (_caller("sales", "manager"), LED, False),
    ],
)
def test_how_far_somebody_sees(caller: Principal, operation: Operation, expected: bool) -> None:
    assert is_limited(caller, operation) is expected


def test_services_are_told_of_the_roles_that_may() -> None:
    assert narrowed(_caller("sales", "agent"), LED).roles == {"sales"}
    assert narrowed(_caller(MANAGER), LED).roles == {MANAGER}


def test_the_page_is_what_the_table_says() -> None:
    assert page.FILE.read_text() == page.page(), "run python -m gateway.access.page"
