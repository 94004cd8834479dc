"""What holds for every rulebook and every set of facts."""

from __future__ import annotations

import random
from typing import Any

import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rulebook.evaluate import Evaluation
from tests.unit.rulebook.books import BOOK, LEADS, Points, a_book, one_rule

CONDITIONS = (
    'page.path.startsWith("/pricing")',
    "company.employees > 100",
    "company.employees > 100 || known.person.title",
    'person.seniority == "director"',
    'properties.plan == "pro"',
    "has(properties.seats) && properties.seats > 3",
    "is_large && person.has_business_email",
    "size(properties) > 1",
    'company.tags.exists(tag, tag == "saas")',
    "!known.company.employees",
    'known.properties && properties.plan == "pro"',
    "known.properties",
)
NAMES = ("Demo", "Download", "Trial")
DEFINITION = "company.employees > 500"

RULES = st.lists(
    st.fixed_dictionaries(
        {
            "on": st.lists(st.sampled_from(LEADS.kinds), min_size=1, unique=True),
            "named": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            "when": st.sampled_from(CONDITIONS),
            "unknown": st.sampled_from(["skip", "false", "true"]),
        }
    ),
    max_size=8,
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "page.path": st.sampled_from(["/pricing", "/careers", None, 3]),
        "person.title": st.sampled_from(["CTO", None]),
        "person.seniority": st.sampled_from(["director", "staff", None]),
        "person.has_business_email": st.sampled_from([True, False, None, 1]),
        "company.employees": st.sampled_from([5, 200, 600, 200.0, "many", None]),
        "company.tags": st.sampled_from([["saas"], [], None, [3]]),
        "properties": st.sampled_from(
            [{}, {"plan": "pro"}, {"plan": "free", "seats": 5}, {"seats": "x", "odd": object()}, None]
        ),
    },
)


def written(rules: list[dict[str, Any]]) -> str:
    numbered = [
        {"name": f"r{index}", "effect": {"points": index}, "reason": "So."} | rule for index, rule in enumerate(rules)
    ]
    return yaml.safe_dump(
        {"name": "scoring", "title": "Any", "definitions": {"is_large": DEFINITION}, "rules": numbered}
    )


def said(evaluation: Evaluation[Points]) -> dict[str, Any]:
    matched = {match.rule.name: ("yes", match.assumed, dict(match.inputs)) for match in evaluation.matched}
    rejected = {no.rule.name: ("no", no.why) for no in evaluation.rejected}
    unknown = {maybe.rule.name: ("unknown", maybe.facts, maybe.why) for maybe in evaluation.unknown}
    assert len(matched) + len(rejected) + len(unknown) == len(matched | rejected | unknown)
    return matched | rejected | unknown


@settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(RULES, FACTS, st.sampled_from(LEADS.kinds), st.sampled_from([*NAMES, "Other", None]))
def test_the_index_says_what_weighing_every_rule_alone_says(
    rules: list[dict[str, Any]], facts: dict[str, Any], kind: str, name: str | None
) -> None:
    naive = {}
    for index, rule in enumerate(rules):
        if kind in rule["on"] and (not rule["named"] or name in rule["named"]):
            alone = one_rule(rule["when"], rule["unknown"], {"is_large": DEFINITION})
            naive[f"r{index}"] = said(alone.evaluate("page", None, facts))["only"]
    assert said(a_book(written(rules)).evaluate(kind, name, facts)) == naive


@settings(max_examples=40)
@given(RULES, FACTS, st.sampled_from(LEADS.kinds), st.randoms(use_true_random=False))
def test_the_order_of_rules_and_facts_changes_nothing(
    rules: list[dict[str, Any]], facts: dict[str, Any], kind: str, chance: random.Random
) -> None:
    named = [{"name": f"n{index}"} | rule for index, rule in enumerate(rules)]
    shuffled = chance.sample(named, len(named))
    facts_shuffled = dict(chance.sample(list(facts.items()), len(facts)))
    assert said(a_book(written(named)).evaluate(kind, "Demo", facts)) == said(
        a_book(written(shuffled)).evaluate(kind, "Demo", facts_shuffled)
    )


@settings(max_examples=30)
@given(FACTS, st.sampled_from(LEADS.kinds))
def test_weighing_twice_says_the_same_and_leaves_the_facts_alone(facts: dict[str, Any], kind: str) -> None:
    book, before = a_book(), dict(facts)
    assert said(book.evaluate(kind, "Demo", facts)) == said(book.evaluate(kind, "Demo", facts))
    assert facts == before


@settings(max_examples=40)
@given(RULES, st.booleans(), st.integers(20, 200), st.sampled_from([None, 1, 7]))
def test_the_digest_depends_on_content_alone(
    rules: list[dict[str, Any]], is_sorted: bool, width: int, version: int | None
) -> None:
    text = written(rules)
    content = yaml.safe_load(text) | ({"version": version} if version else {})
    rewritten = "# a comment\n" + yaml.safe_dump(
        content, sort_keys=is_sorted, width=width, default_flow_style=not is_sorted
    )
    assert a_book(rewritten).digest == a_book(text).digest


def test_the_digest_changes_with_any_content() -> None:
    changes = [
        ("points: 20", "points: 21"),
        ("/pricing", "/prices"),
        ("Read {page", "Saw {page"),
        ("[10, 20", "[11, 20"),
        ("employees: 1200", "employees: 900"),
    ]
    digests = {a_book(BOOK).digest, *(a_book(BOOK.replace(old, new, 1)).digest for old, new in changes)}
    assert len(digests) == len(changes) + 1


def test_the_digest_is_the_same_for_ever() -> None:
    text = (
        "name: scoring\ntitle: Preise für 日本\nrules: [{name: a, on: page, when: 'true', effect: {points: 2.5},"
        " reason: So.}]\n"
    )
    assert a_book(text).digest == "e59f6a121707b2a9bfbe014f32e214078c8c66a90caa5527ccc12eddde9565f5"
