"""Makes the tape: the demo's market (invented people) goes through a real gateway, and the demo's reps work in the six
services.

    python -m tests.support.market.recorder [--tape FILE] [--golden FILE]

Made once; a tape that is made again is another market, and its golden digest must then be made at a commit that
is known to be right. What the demo lacks is added: captures that come days late, twice, or out of order;
merges, splits, marks and consents by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from chassis.bus.broker import Broker
from demo.cast.roster import SEATS
from demo.market.campaigns import CAMPAIGNS, costs
from demo.market.dice import Dice
from demo.market.outcomes import Fate, Verb
from demo.market.steps import EntryPoint, Step
from demo.market.timeline import SPAN, Market, make_market
from demo.traffic.forms import Browser
from tests.support.market.acts import perform
from tests.support.market.digest import digest
from tests.support.market.door import HEADERS, open_door
from tests.support.market.player import WAVE, set_stage
from tests.support.market.suite import SERVICES, MarketSuite, open_suite
from tests.support.market.tape import TAPE, Act, Captured, Item, Tape, write_tape
from tests.support.nats import NatsServer

Json = dict[str, Any]
SEED, PEOPLE = "kestrel", 48
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AFTERWARDS = timedelta(days=9)  # in which offers expire, clocks run out, scores fade and sleepers wake
GOLDEN = TAPE.with_name("market.digest.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.support.market.recorder")
    parser.add_argument("--tape", type=Path, default=TAPE)
    parser.add_argument("--golden", type=Path, default=GOLDEN)
    arguments = parser.parse_args()
    tape, came = asyncio.run(record())
    write_tape(tape, arguments.tape)
    arguments.golden.write_text(json.dumps(came, ensure_ascii=False, indent=1) + "\n")


async def record() -> tuple[Tape, Json]:
    """A new tape, and what came of it here."""
    market = make_market(SEED, 1, PEOPLE, NOW)
    begin = NOW - SPAN - timedelta(days=1)
    captures = await _captured(market, begin)
    empty = Tape(begin, NOW + AFTERWARDS, _stage(market), ())
    with NatsServer() as server, tempfile.TemporaryDirectory() as folder:
        stores = {name: f"sqlite:///{folder}/{name}.db" for name in SERVICES}
        async with open_suite(server.url, stores, begin) as suite:
            await set_stage(suite, empty.stage)
            cast = Cast(suite, market, [*captures, *_by_hand(market)])
            await cast.work()
            await suite.move_on(empty.end)
            tape = replace(empty, items=cast.done)
            return tape, await digest(suite, tape, cast.outcomes)


@dataclass
class Cast:
    """Plays what is to come, and adds to it what the reps do about whom they are offered."""

    suite: MarketSuite
    market: Market
    coming: list[Item]
    done: list[Item] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    async def work(self) -> None:
        while self.coming:
            self.coming.sort(key=lambda item: item.at)
            wave = self._next_wave()
            await self.suite.move_on(wave[-1].at)
            if isinstance(act := wave[0], Act):
                self.outcomes.append(f"{act.at.isoformat()} {act.verb} {act.who[1]}: {await perform(self.suite, act)}")
            else:
                await self.suite.captured([one.message(1) for one in wave if isinstance(one, Captured)])
            self.done += wave
            del self.coming[: len(wave)]
            self.coming += await self._answers()

    def _next_wave(self) -> list[Item]:
        first = self.coming[0]
        if isinstance(first, Act):
            return [first]
        wave: list[Item] = []
        for item in self.coming:
            if isinstance(item, Act) or item.at - first.at > WAVE:
                break
            wave.append(item)
        return wave

    async def _answers(self) -> list[Act]:
        """What becomes of offers that were not there before."""
        acts: list[Act] = []
        for one in await self.suite.everything("routing", "/v1/referrals", include_test="true", limit="200"):
            if one["state"] != "offered" or one["referral_id"] in self._known:
                continue
            self._known.add(one["referral_id"])
            whole = await self.suite.get("routing", f"/v1/referrals/{one['referral_id']}")
            email = (whole["profile"].get("email") or {}).get("value") or ""
            fate = self.market.fate_of(email)
            if fate is not None:
                acts += _fulfilled(fate, ("email", email), self.suite.now)
        return acts


def _fulfilled(fate: Fate, who: tuple[str, str], now: datetime) -> list[Act]:
    at = now + fate.answer_after
    if fate.hands_over:
        acts = [Act(at, "reassign", who, {"rep": f"demo-{SEATS[2].key}", "note": "On holiday from tomorrow on"})]
        at += timedelta(hours=1)
    else:
        acts = []
    if fate.return_reason is not None:
        return [*acts, Act(at, "return", who, {"reason": fate.return_reason})]
    acts.append(Act(at, "accept", who, {}))
    for act in fate.acts:
        at += act.after
        details = {
            key: {"amount": str(value), "currency": "EUR"} if key == "amount" else value
            for key, value in act.details.items()
        }
        if act.verb is Verb.RECYCLE and at.day % 2:
            details["wake_at"] = (at + timedelta(days=5)).isoformat()
        acts.append(Act(at, act.verb.value, who, details))
    return acts


def _by_hand(market: Market) -> list[Act]:
    """What marketing does: two readers are one person, and then are not; a reader is a colleague; another one says no
    by telephone.
    """
    by_kind: dict[str, list[str]] = {}
    for persona in market.personas.values():
        by_kind.setdefault(persona.archetype, []).append(persona.email.casefold())
    readers, evaluators, students, [hot] = by_kind["reader"], by_kind["evaluator"], by_kind["student"], by_kind["hot"]
    late, second = NOW - timedelta(days=2), {"kind": "email", "value": readers[1]}
    return [
        Act(late, "merge", ("email", readers[0]), {**second, "reason": "Met both names at the fair"}),
        Act(late + timedelta(hours=1), "merge", ("email", students[0]),
            {"kind": "email", "value": readers[4], "reason": "Changed jobs"}),
        Act(late + timedelta(hours=2), "mark", ("email", readers[2]), {"is_test": True}),
        Act(late + timedelta(hours=3), "consent", ("email", readers[3]),
            {"channel": "any", "consent": "withdrawn", "wording": "Never again"}),
        Act(NOW + timedelta(days=1), "split", ("email", readers[0]),
            {"identifiers": [second], "reason": "They are two"}),
        Act(NOW + timedelta(days=2), "disqualify", ("email", evaluators[1]), {"reason": "not_a_fit"}),
        Act(NOW + timedelta(days=3), "reopen", ("email", evaluators[1]), {"note": "They grew"}),
        Act(NOW + timedelta(days=4), "qualify", ("email", hot), {"bant": {"need": "three depots in one plan"}}),
        Act(NOW + timedelta(days=5), "open", ("email", hot),
            {"name": "Forty seats", "amount": {"amount": "18240", "currency": "EUR"}}),
        Act(NOW + timedelta(days=6), "lose", ("email", hot), {"reason": "price"}),
    ]  # fmt: skip


def _stage(market: Market) -> Json:
    reps = [
        {
            "external_id": f"demo-{seat.key}",
            "name": seat.name,
            "email": seat.email,
            "weight": seat.weight,
            "teams": [seat.team],
        }
        for seat in SEATS
    ]
    campaigns = [
        {
            "external_id": one.key,
            "name": one.name,
            "channel": one.channel,
            "purpose": one.purpose,
            "is_direct": one.channel == "email",
            "matches": [{"name": one.key, "source": one.source}],
        }
        for one in CAMPAIGNS
    ]
    bills = [
        {
            "external_id": f"{cost.campaign.key}-{cost.week}",
            "campaign_id": cost.campaign.key,
            "amount": {"amount": str(cost.amount), "currency": "EUR"},
            "incurred_on": cost.incurred_on.isoformat(),
        }
        for cost in costs(market.now, len(market.personas))
    ]
    return {"reps": reps, "campaigns": campaigns, "costs": bills}


async def _captured(market: Market, begin: datetime) -> list[Captured]:
    """Every step through a real gateway, at the moment it arrives."""
    with NatsServer() as server, tempfile.TemporaryDirectory() as folder:
        async with open_door(server.url, Path(folder), begin) as (clock, client):
            for at, step, send in sorted(await _arrivals(market, client), key=lambda one: (one[0], one[1].message_id)):
                clock.moment = at
                await send(step)
        return await _read(server.url)


async def _arrivals(market: Market, client: httpx.AsyncClient) -> list[tuple[datetime, Step, Any]]:
    """When which step arrives by which door: some days late, some twice."""
    keys = {}
    for door, wish in (
        (EntryPoint.SITE, {"kind": "web"}),
        (EntryPoint.SERVER, {"kind": "server"}),
        (EntryPoint.STAGING, {"kind": "web", "is_test": True}),
    ):
        made = await client.post(
            "/v1/sources", json={"name": door.value, "write_key": f"wk_market_{door.value}", **wish}, headers=HEADERS
        )
        assert made.status_code == 201, made.text
        keys[door] = made.json()
    forms = {"demo": "market-demo", "whitepaper": "market-whitepaper"}
    for name, form_id in forms.items():
        made = await client.post(
            "/v1/forms",
            json={"form_id": form_id, "name": name, "source_id": keys[EntryPoint.SITE]["source_id"]},
            headers=HEADERS,
        )
        assert made.status_code == 201, made.text
    browser = Browser("http://gateway", forms, client._transport)

    async def by_sdk(step: Step) -> None:
        answer = await client.post(
            "/v1/batch", json={"batch": [_sdk_event(step)]}, auth=(keys[step.door]["write_key"], "")
        )
        assert answer.status_code == 200, answer.text
        assert "rejected" not in answer.json(), answer.text

    found = []
    for step in (*market.prelude, *market.steps):
        dice = Dice("arrival", step.message_id)
        at = step.at + dice.span(timedelta(seconds=1), timedelta(seconds=20))
        if step.door is EntryPoint.FORM:
            found.append((step.at, step, browser.post))
            continue
        if dice.happens(0.06):
            at += dice.span(timedelta(hours=20), timedelta(days=4))
        found.append((at, step, by_sdk))
        if dice.happens(0.05):
            found.append((at + timedelta(hours=1), step, by_sdk))
    return found


def _sdk_event(step: Step) -> Json:
    event: Json = {
        "type": step.kind,
        "messageId": step.message_id,
        "timestamp": step.at.isoformat(),
        "context": dict(step.context),
        "anonymousId": step.anonymous_id,
        "userId": step.user_id,
    }
    match step.kind:
        case "page":
            event |= {"name": step.name, "properties": dict(step.data)}
        case "track":
            event |= {"event": step.name, "properties": dict(step.data)}
        case "identify":
            event |= {"traits": dict(step.data)}
        case "group":
            event |= {"groupId": step.name, "traits": dict(step.data)}
    return {key: value for key, value in event.items() if value is not None}


async def _read(nats_url: str) -> list[Captured]:
    broker = await Broker.connect(nats_url, "recorder")
    last = (await broker.request("STREAM.INFO.CAPTURE"))["state"]["last_seq"]
    found = [
        _message((await broker.request("STREAM.MSG.GET.CAPTURE", {"seq": sequence}))["message"])
        for sequence in range(1, last + 1)
    ]
    await broker.close()
    return found


def _message(stored: Json) -> Captured:
    lines: Sequence[str] = base64.b64decode(stored["hdrs"]).decode().split("\r\n")[1:]
    headers = {name: value.strip() for name, found, value in (line.partition(":") for line in lines) if found}
    kept = {
        name: value
        for name, value in headers.items()
        if name.startswith("ce-") or name in ("content-type", "correlation")
    }
    return Captured(datetime.fromisoformat(kept["ce-time"]), kept, base64.b64decode(stored["data"]).decode())


if __name__ == "__main__":
    main()
