"""Public names of problems: clients branch on them, so they stay whatever becomes of the classes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.errors import NotFound, Problem

PUBLISHED = Path(__file__).with_name("problem_types.txt").read_text().split()
WINGS = ("chassis", "people_kernel", "services", "gateway")


def modules_of(wing: str) -> Iterator[str]:
    package = importlib.import_module(wing)
    for found in pkgutil.walk_packages(package.__path__, f"{wing}."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield found.name


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from problems(child)


def test_every_published_problem_type_is_there_and_no_other() -> None:
    for wing in WINGS:
        for name in modules_of(wing):
            importlib.import_module(name)
    found = {kind.__new__(kind).type_uri for kind in problems() if kind.__module__.startswith(WINGS)}
    assert sorted(found) == PUBLISHED


def test_a_problem_without_a_public_name_of_its_own_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="LeadNotFound has no slug"):
        type("LeadNotFound", (NotFound,), {})


def test_renaming_a_class_changes_nothing_that_is_published() -> None:
    renamed = type("SomethingElse", (NotFound,), {"slug": "lead-not-found"})
    assert renamed("Gone").type_uri == "urn:rapport:problem:lead-not-found"
    assert renamed("Gone").title == "Lead not found"
