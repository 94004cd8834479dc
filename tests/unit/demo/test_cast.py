"""Reps at work, in an office that answers as the API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from demo.api import Api
from demo.cast.alert_feeds import OfferSeen
from demo.cast.rep import DemoRep
from demo.cast.roster import SEATS, Hired
from demo.cast.shared_state import SharedState
from demo.clock import MarketClock
from demo.market.outcomes import Act, Fate, Verb
from demo.market.timeline import Market

NOW = datetime.now(UTC)  # verdicts about today wait by the real clock
SINCE = NOW - timedelta(days=20)
LEAD = "lea@lumen-clinics.example"
HOUR = timedelta(hours=1)
BOUGHT = (
    Act(Verb.QUALIFY, 20 * HOUR, {"bant": {"authority": "decides"}}),
    Act(Verb.OPEN, 20 * HOUR, {"name": "12 seats", "amount": 5472}),
    Act(Verb.ADVANCE, 20 * HOUR, {"step": "proposal"}),
    Act(Verb.WIN, 20 * HOUR, {"amount": 5000}),
)


class Office:
    """One lead that is offered to one rep after the other; remembers who ordered what."""

    def __init__(self, since: datetime = SINCE, conflicts: int = 0) -> None:
        self.since, self.conflicts = since, conflicts
        self.orders: list[tuple[str, str, dict[str, Any]]] = []
        self.offered_to: str | None = "rep_chidi"

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, rep = request.url.path, request.headers["authorization"].removeprefix("Bearer key_")
        if request.method == "POST":
            return self._order(rep, path, json.loads(request.content))
        match path:
            case "/v1/referrals/ref_1":
                profile, person = {"email": {"value": LEAD}}, {"person_id": "per_1"}
                return httpx.Response(
                    200, json={"referral_id": "ref_1", "person": person, "state": "offered", "profile": profile}
                )
            case "/v1/lifecycle/people/per_1":
                return httpx.Response(200, json={"since": self.since.isoformat()})
        raise AssertionError(f"nobody asks for {path}")

    def _order(self, rep: str, path: str, body: dict[str, Any]) -> httpx.Response:
        if path.endswith(":qualify") and self.conflicts:
            self.conflicts -= 1
            return httpx.Response(409, json={"title": "Conflict", "detail": "The stage is mql"})
        self.orders.append((rep, path, body))
        if path.endswith((":accept", ":return", ":reassign")):
            wanted = body.get("rep_id") or ("rep_dora" if body.get("reason") == "wrong_rep" else None)
            self.offered_to = wanted
        return httpx.Response(200, json={"opportunity_id": "opp_1"})

    @property
    def verbs(self) -> list[tuple[str, str]]:
        return [(rep, path.rsplit(":", 1)[-1] if ":" in path else "open") for rep, path, _ in self.orders]


async def worked(office: Office, fate: Fate) -> SharedState:
    """Reps who take the lead as long as it is offered to somebody; the market has come to today."""
    transport = httpx.MockTransport(office.answer)
    hired = [Hired(seat, f"rep_{seat.key.split('.')[0]}", f"key_{seat.key}") for seat in SEATS]
    state = SharedState(
        Market(NOW, {}, {LEAD: fate}, (), ()), MarketClock(NOW), Api("http://rapport.example", "key_manager", transport)
    )
    reps = {
        each.rep_id: DemoRep(each, Api("http://rapport.example", each.api_key, transport), state, hired)
        for each in hired
    }
    while (rep_id := office.offered_to) is not None:
        office.offered_to = None
        await reps[rep_id].take(OfferSeen("ref_1"))
    return state


async def test_a_lead_is_seen_accepted_and_followed_up_to_the_end() -> None:
    office = Office()
    state = await worked(office, Fate(2 * HOUR, acts=BOUGHT))
    assert [verb for _, verb in office.verbs] == ["see", "accept", "qualify", "open", "advance", "win"]
    moments = [datetime.fromisoformat(body["occurred_at"]) for _, _, body in office.orders[1:]]
    assert moments == [SINCE + 2 * HOUR + number * 20 * HOUR for number in range(5)]
    assert office.orders[3][2] | {"occurred_at": ""} == {
        "person_id": "per_1",
        "name": "12 seats",
        "amount": {"amount": "5472", "currency": "EUR"},
        "occurred_at": "",
    }
    assert state.done == {"accepted": 1, "qualify": 1, "open": 1, "advance": 1, "win": 1}


async def test_what_lies_in_the_future_is_not_done() -> None:
    office = Office(since=NOW - timedelta(hours=30))
    await worked(office, Fate(2 * HOUR, acts=BOUGHT))
    assert [verb for _, verb in office.verbs] == ["see", "accept", "qualify"]


async def test_who_came_an_hour_ago_is_not_answered_yet() -> None:
    office = Office(since=NOW - HOUR)
    state = await worked(office, Fate(2 * HOUR))
    assert office.verbs == [("chidi.obi", "see")]
    assert not state.refusals


async def test_a_lead_that_is_returned_goes_back_with_its_reason() -> None:
    office = Office()
    await worked(office, Fate(HOUR, return_reason="bad_timing"))
    assert office.verbs == [("chidi.obi", "see"), ("chidi.obi", "return")]
    assert office.orders[-1][2]["reason"] == "bad_timing"


async def test_after_the_wrong_rep_the_next_one_keeps_the_lead() -> None:
    office = Office()
    await worked(office, Fate(HOUR, return_reason="wrong_rep"))
    assert office.verbs == [
        ("chidi.obi", "see"),
        ("chidi.obi", "return"),
        ("dora.lukacs", "see"),
        ("dora.lukacs", "accept"),
    ]


async def test_a_manager_hands_over_once() -> None:
    office = Office()
    await worked(office, Fate(HOUR, hands_over=True))
    assert office.verbs == [("chidi.obi", "see"), ("manager", "reassign"), ("ana.ruiz", "see"), ("ana.ruiz", "accept")]


async def test_a_service_that_has_not_heard_yet_is_asked_again() -> None:
    office = Office(conflicts=3)
    state = await worked(office, Fate(HOUR, acts=BOUGHT[:1]))
    assert office.verbs[-1] == ("chidi.obi", "qualify")
    assert not state.refusals
