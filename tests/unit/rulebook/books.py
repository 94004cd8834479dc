"""Rulebooks for tests: a small vocabulary of leads, and texts written around one rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from textwrap import dedent, indent
from typing import Any

from pydantic import BaseModel, ConfigDict

from rulebook.compile import compile_rulebook
from rulebook.evaluate import Rulebook
from rulebook.problems import RulebookError, TextProblem
from rulebook.vocabulary import ANY, BOOL, DOUBLE, DURATION, INT, MAP, STRING, STRINGS, TIMESTAMP, Vocabulary, one_of


class Points(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    points: Decimal
    half_life_days: Decimal | None = None


class Grid(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fit: list[int]


LEADS = Vocabulary(
    variables={
        "interaction.name": STRING,
        "page.path": STRING,
        "page.seconds": DURATION,
        "person.title": STRING,
        "person.seniority": one_of("staff", "manager", "director", "c_level"),
        "person.has_business_email": BOOL,
        "company.employees": INT,
        "company.revenue": DOUBLE,
        "company.tags": STRINGS,
        "seen.first_at": TIMESTAMP,
        "properties": MAP,
        "anything": ANY,
    },
    kinds=["page", "track", "form"],
)

BOOK = """\
name: scoring
title: How ready is a lead?
definitions:
  is_director: person.seniority in ["director", "c_level"]
  is_large: company.employees >= 500
  is_key_person: is_director && is_large
rules:
  - name: demo_requested
    on: [track, form]
    named: [Demo Requested, Demo]
    when: "true"
    effect: {points: 30, half_life_days: 60}
    reason: Asked for a demo, which brings {effect.points} points.
  - name: pricing_read
    on: page
    when: page.path.startsWith("/pricing")
    effect: {points: 10, half_life_days: 14}
    reason: Read {page.path}.
  - name: key_person
    on: [page, track, form]
    when: is_key_person
    effect: {points: 20}
    reason: A {person.seniority} of a company of {company.employees}.
  - name: pro_plan
    on: track
    when: properties.plan == "pro"
    effect: {points: 5}
    reason: On the {properties.plan} plan.
grid:
  fit: [10, 20, 30]
examples:
  - name: A director of a large company asks for a demo
    on: track
    named: Demo Requested
    given: {person.seniority: director, company: {employees: 1200}}
    expect: {rules: [demo_requested, key_person]}
  - name: A visitor reads about careers
    on: page
    given: {page.path: /careers}
    expect: {rules: []}
"""


def a_book(text: str = BOOK, version: int | None = None) -> Rulebook[Points]:
    return compile_rulebook(text, LEADS, Points, {"grid": Grid} if "\nexamples:" in text else None, version)


def a_text(when: str, unknown: str = "skip", definitions: Mapping[str, str] | None = None) -> str:
    """A rulebook of one rule whose `when:` is the YAML `when`, in line 6; definitions come last."""
    defined = "".join(f"  {name}: {text}\n" for name, text in (definitions or {}).items())
    rule = f"on: page\nwhen: {when}\nunknown: {unknown}\neffect: {{points: 1}}\nreason: It does.\n"
    head = f"title: One rule\nrules:\n- name: only\n{indent(rule, '  ')}"
    return "name: scoring\n" + head + (f"definitions:\n{defined}" if defined else "")


def one_rule(when: str, unknown: str = "skip", definitions: Mapping[str, str] | None = None) -> Rulebook[Points]:
    return a_book(a_text(quoted(when), unknown, {name: quoted(text) for name, text in (definitions or {}).items()}))


def quoted(expression: str) -> str:
    return "'" + expression.replace("'", "''") + "'"


def matches(book: Rulebook[Points], facts: Mapping[str, Any], kind: str = "page", name: str | None = None) -> list[str]:
    return [match.rule.name for match in book.evaluate(kind, name, facts).matched]


def problems_of(text: str) -> tuple[TextProblem, ...]:
    """What is wrong with `text`; fails if nothing is."""
    try:
        a_book(dedent(text))
    except RulebookError as error:
        return error.problems
    raise AssertionError("the rulebook compiles")
