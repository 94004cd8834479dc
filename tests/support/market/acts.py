"""What humans do about people, through the services' public APIs.

Whom they mean is said by an identifier, as a human would say it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.market.suite import MarketSuite
from tests.support.market.tape import Act

Json = dict[str, Any]
Outcome = str
"""`done`, or what the API said: its status and the type of problem."""


async def perform(suite: MarketSuite, act: Act) -> Outcome:
    """Do it now; what follows from it has been heard when this returns."""
    person_id = await person_of(suite, act.who)
    if person_id is None:
        return "nobody goes by this"
    outcome = await _DEEDS[act.verb](suite, person_id, act.details)
    await suite.calm()
    return outcome


async def person_of(suite: MarketSuite, who: tuple[str, str]) -> str | None:
    """The one person who goes by this, if there is one."""
    kind, value = who
    found = (await suite.get("identity", "/v1/people", **{kind: value}))["items"]
    return str(found[0]["person_id"]) if len(found) == 1 else None


async def _answer(verb: str, suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    referrals = await suite.everything("routing", "/v1/referrals", person_id=person_id)
    waiting = [one for one in referrals if one["state"] in ("offered", "seen", "unassigned")]
    if not waiting:
        return "no referral waits"
    body = dict(details)
    if "rep" in body:
        [rep] = (await suite.get("routing", "/v1/reps", external_id=body.pop("rep")))["items"]
        body["rep_id"] = rep["rep_id"]
    return await _order(suite, "routing", "POST", f"/v1/referrals/{waiting[0]['referral_id']}:{verb}", body)


async def _judge(verb: str, suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    return await _order(suite, "lifecycle", "POST", f"/v1/lifecycle/people/{person_id}:{verb}", details)


async def _open_deal(suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    return await _order(suite, "lifecycle", "POST", "/v1/opportunities", {"person_id": person_id, **details})


async def _go_on_with_deal(verb: str, suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    deals = await suite.everything("lifecycle", "/v1/opportunities", person_id=person_id, status="open")
    if not deals:
        return "no deal is open"
    return await _order(suite, "lifecycle", "POST", f"/v1/opportunities/{deals[0]['opportunity_id']}:{verb}", details)


async def _merge(suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    other_id = await person_of(suite, (details["kind"], details["value"]))
    return await _order(
        suite,
        "identity",
        "POST",
        f"/v1/people/{person_id}:merge",
        {"with_person_id": other_id, "reason": details["reason"]},
    )


async def _split(suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    return await _order(suite, "identity", "POST", f"/v1/people/{person_id}:split", details)


async def _mark(suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    return await _order(suite, "identity", "POST", f"/v1/people/{person_id}:mark", details)


async def _consent(suite: MarketSuite, person_id: str, details: Json) -> Outcome:
    return await _order(suite, "identity", "PUT", f"/v1/people/{person_id}/consent", details)


async def _order(suite: MarketSuite, service: str, method: str, path: str, body: Json) -> Outcome:
    answer = await suite.ask(service, method, path, json=body)
    return "done" if answer.is_success else f"{answer.status_code} {answer.json().get('type')}"


def _deed(
    do: Callable[[str, MarketSuite, str, Json], Awaitable[Outcome]], verb: str
) -> Callable[[MarketSuite, str, Json], Awaitable[Outcome]]:
    return lambda suite, person_id, details: do(verb, suite, person_id, details)


_DEEDS: dict[str, Callable[[MarketSuite, str, Json], Awaitable[Outcome]]] = {
    **{verb: _deed(_answer, verb) for verb in ("accept", "return", "reassign")},
    **{verb: _deed(_judge, verb) for verb in ("qualify", "recycle", "disqualify", "reopen")},
    **{verb: _deed(_go_on_with_deal, verb) for verb in ("advance", "win", "lose")},
    "open": _open_deal,
    "merge": _merge,
    "split": _split,
    "mark": _mark,
    "consent": _consent,
}
