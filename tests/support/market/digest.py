"""What came of a market, as the public APIs tell it: people, profiles, scores, stages, referrals, treatments, deals and
reports.

Left out, each for its reason:
* ids of moves, receipts, referrals, deals and selections: they derive from the event that is heard first, and of two
  services either may be heard first. Ids of people, fragments and accounts do not: they stay.
* where somebody begins (the rule `first_seen`): who has no move is in the first stage, and
  whether that is written down is no promise.
* which of several equal claims of one source is the believed one (its interaction and
  moment): value, strength and source are told.
* in how many receipts a rule's points were booked and taken back: their sum is told.
* when a move or a treatment was decided beside when it happened; `as_of`,
  `complete_up_to`, `highlights`: how something was told.
* of people who are still anonymous, what routing and nurture know: nobody acts on it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.support.market.suite import MarketSuite
from tests.support.market.tape import Tape

Json = dict[str, Any]
FIRST_STAGE = "anonymous"
_REPORTS = ("funnel", "time-in-stage", "campaigns", "referrals")
_QUESTIONS: tuple[dict[str, str], ...] = (
    {},
    {"by": "received"},
    {"from": "2026-02-09", "to": "2026-02-23"},
    {"attribution": "last_touch"},
    {"channel": "search"},
)


async def digest(suite: MarketSuite, tape: Tape, outcomes: list[str]) -> Json:
    """Everything, in an order of its own."""
    names = {rep["rep_id"]: rep["name"] for rep in await suite.everything("routing", "/v1/reps")}
    people = await suite.everything("identity", "/v1/people", limit="200")
    return {
        "acts": outcomes,
        "people": {
            one["person_id"]: await _person(suite, one, tape)
            for one in sorted(people, key=lambda one: str(one["person_id"]))
        },
        "stages": _counted([(await _stage(suite, one["person_id"]))["stage"] for one in people]),
        "reps": {names[one["rep_id"]]: one["open_referrals"] for one in await suite.everything("routing", "/v1/reps")},
        "reports": {
            f"{name} {_asked(query)}".rstrip(): await _report(suite, name, query, names)
            for name in _REPORTS
            for query in _QUESTIONS
        },
        "dead_letters": await suite.dead_letters(),
    }


async def _person(suite: MarketSuite, who: Json, tape: Tape) -> Json:
    person_id = who["person_id"]
    stage = await _stage(suite, person_id)
    told: Json = {
        "identity": {
            "identifiers": sorted(f"{one['kind']} {one['value']} {one['strength']}" for one in who["identifiers"]),
            "fragments": who["fragments"],
            "account_id": who["account_id"],
            "graph_version": who["graph_version"],
            "created_at": who["created_at"],
            "is_test": who["is_test"],
            "consent": who["consent"],
        },
        "scoring": await _scores(suite, person_id, tape),
        "lifecycle": stage,
    }
    if stage["stage"] != FIRST_STAGE:
        told |= {"moves": await _moves(suite, person_id), "deals": await _deals(suite, person_id)}
        told |= {"referrals": await _referrals(suite, person_id), "nurture": await _nurture(suite, person_id)}
    return told


async def _scores(suite: MarketSuite, person_id: str, tape: Tape) -> Json:
    view = await suite.get("scoring", f"/v1/scoring/people/{person_id}", as_of=tape.end.isoformat())
    past = await suite.get(
        "scoring", f"/v1/scoring/people/{person_id}", as_of=(tape.begin + (tape.end - tape.begin) / 2).isoformat()
    )
    receipts = await suite.everything("scoring", f"/v1/scoring/people/{person_id}/receipts")
    return {
        "name": view["name"],
        "profile": {
            name: f"{json.dumps(one['value'], ensure_ascii=False)} {one['strength']} by {one['source_id']}"
            for name, one in view["profile"].items()
        },
        "scores": _figures(view["scores"]),
        "halfway": _figures(past["scores"]),
        "latest_fact_at": view["latest_fact_at"],
        "points": _summed(receipts),
    }


def _summed(receipts: list[Json]) -> dict[str, str]:
    """What each rule contributed, all in all."""
    sums: dict[str, Decimal] = {}
    for one in receipts:
        if one["contribution"]:
            rule = f"{one['contribution']['measure']} {one['rule']}"
            sums[rule] = sums.get(rule, Decimal()) + Decimal(str(one["contribution"]["points"]))
    return {rule: str(points) for rule, points in sorted(sums.items()) if points}


def _figures(scores: Json) -> str:
    return f"{scores['cell']} fit {scores['fit']} engagement {scores['engagement']}"


async def _stage(suite: MarketSuite, person_id: str) -> Json:
    answer = await suite.ask("lifecycle", "GET", f"/v1/lifecycle/people/{person_id}")
    if answer.status_code == 404:
        return {"stage": FIRST_STAGE}
    assert answer.is_success, answer.text
    view = answer.json()
    if view["stage"] in (None, FIRST_STAGE):
        return {"stage": FIRST_STAGE}
    told = {key: view[key] for key in ("stage", "previous", "since", "by", "reason", "wake_at", "possible", "is_test")}
    clocks = [
        f"{one['name']} {one['stage']} due {one['due_at']} breached {one['breached_at']}" for one in view["clocks"]
    ]
    return {**told, "clocks": clocks, "because": view["receipt"]["sentence"]}


async def _moves(suite: MarketSuite, person_id: str) -> list[str]:
    moves = await suite.everything("lifecycle", f"/v1/lifecycle/people/{person_id}/history")
    return [
        f"{one['occurred_at']} {one['previous']} -> {one['stage']} by {one['by'] or one['rule']}"
        + (" (superseded)" if one["is_superseded"] else "")
        for one in moves
        if one["rule"] != "first_seen"
    ]


async def _deals(suite: MarketSuite, person_id: str) -> list[Json]:
    deals = await suite.everything("lifecycle", "/v1/opportunities", person_id=person_id)
    return sorted(
        ({key: one[key] for key in ("name", "status", "step", "amount", "opened_at", "closed_at")} for one in deals),
        key=str,
    )


async def _referrals(suite: MarketSuite, person_id: str) -> list[Json]:
    found = []
    for one in await suite.everything("routing", "/v1/referrals", person_id=person_id):
        whole = await suite.get("routing", f"/v1/referrals/{one['referral_id']}")
        told = {
            key: whole[key]
            for key in (
                "state",
                "stage",
                "team",
                "attempt",
                "created_at",
                "due_at",
                "closed_because",
                "is_overdue",
                "is_test",
            )
        }
        told["rep"] = whole["rep"] and whole["rep"]["name"]
        told["trail"] = [
            f"{offer['rep']['name']} {offer['offered_at']} {offer['outcome']} {offer['reason']}"
            for offer in whole["trail"]
        ]
        told["scores"] = whole["scores"] and _figures(whole["scores"])
        told["profile"] = {name: value["value"] for name, value in whole["profile"].items()}
        found.append(told)
    return sorted(found, key=lambda told: (told["created_at"], str(told)))


async def _nurture(suite: MarketSuite, person_id: str) -> Json:
    view = await suite.get("nurture", f"/v1/nurture/people/{person_id}")
    chosen = [
        f"{one['occurred_at']} {one['trigger']} {one['stage']}/{one['buying_stage']}: {one['name']}"
        for one in view["selections"]
        if one["stage"] != FIRST_STAGE
    ]
    return {"stage": view["stage"], "buying_stage": view["buying_stage"], "selections": sorted(chosen)}


async def _report(suite: MarketSuite, name: str, query: dict[str, str], reps: dict[str, str]) -> Json:
    report = await suite.get("metrics", f"/v1/reports/{name}", **query)
    told: Json = {
        key: report[key]
        for key in ("rows", "total", "excluded_tests", "notes", "clocks", "unconverted")
        if key in report
    }
    for row in told["rows"]:
        if "rep_id" in row:
            row["rep"] = reps[row.pop("rep_id")]
        row.pop("campaign_id", None)  # its name says it
    told["rows"].sort(key=lambda row: str(row.get("rep", "")))
    return told


def _asked(query: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in query.items())


def _counted(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
