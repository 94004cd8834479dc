"""Public names of problems: clients branch on them, so they stay whatever becomes of the classes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chassis.errors import NotFound
from chassis.problem_catalogue import PATH, catalogue, problems

PUBLISHED = Path(__file__).with_name("problem_types.txt").read_text().split()


def test_every_published_problem_type_is_there_and_no_other() -> None:
    found = {kind.__new__(kind).type_uri for kind in problems()}
    assert sorted(found) == PUBLISHED


def test_each_has_a_page_that_says_what_it_means() -> None:
    assert PATH.read_text() == json.dumps(catalogue(), indent=2, ensure_ascii=False) + "\n"
    assert [one["slug"] for one in catalogue() if len(one["meaning"]) < 15] == []


def test_a_problem_without_a_public_name_of_its_own_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="LeadNotFound has no slug"):
        type("LeadNotFound", (NotFound,), {})


def test_renaming_a_class_changes_nothing_that_is_published() -> None:
    renamed = type("SomethingElse", (NotFound,), {"slug": "lead-not-found"})
    assert renamed("Gone").type_uri == "/problems/lead-not-found"
    assert renamed("Gone").title == "Lead not found"
