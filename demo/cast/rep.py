"""A rep at work: sees a lead, answers at the hour the market has for it, and follows up until today."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.api import Api, Refused
from demo.cast.alert_feeds import OfferSeen, offers
from demo.cast.roster import Hired
from demo.cast.shared_state import FirstAlert, SharedState
from demo.market.outcomes import Act, Fate, Verb

_PATIENCE_SECONDS = 8.0  # until one service has heard of what another did
_AGAIN_SECONDS = 0.1
_WORTH_WAITING = timedelta(seconds=5)
_CONFLICT = 409
_NOT_FOUND = 404


class DemoRep:
    """One rep with their key. `colleagues` are all reps, to hand a lead over to."""

    def __init__(self, hired: Hired, api: Api, state: SharedState, colleagues: list[Hired]) -> None:
        self._hired, self._api, self._state, self._colleagues = hired, api, state, colleagues
        self._known: set[str] = set()
        self._in_hand = 0

    @property
    def is_busy(self) -> bool:
        """Whether a lead is in their hands that the market has not come to the end of."""
        return self._in_hand > 0

    async def work(self, leads: asyncio.TaskGroup) -> None:
        """Listen for as long as the demo runs; every lead is a task of its own."""
        async for offer in offers(self._hired, self._api, self._state.market.now):
            if offer.referral_id not in self._known:
                self._known.add(offer.referral_id)
                leads.create_task(self.take(offer))

    async def take(self, offer: OfferSeen) -> None:
        """One lead, from the first look to today. What the API refuses is noted, and ends it."""
        self._in_hand += 1
        try:
            await self._follow(offer)
        except Refused as refused:
            self._state.refusals.append(str(refused))
        finally:
            self._in_hand -= 1

    async def _follow(self, offer: OfferSeen) -> None:
        fate = self._state.market.fate_of(_email(offer.alert)) if offer.alert else None
        if offer.alert is not None and fate is not None:
            self._tell(offer.alert)
        elif offer.alert is not None:
            return  # somebody of an earlier run
        referral = await self._api.get(f"/v1/referrals/{offer.referral_id}")
        fate = fate or self._state.market.fate_of(_email(referral))
        if fate is None or referral["state"] not in ("offered", "seen"):
            return
        await self.order(f"/v1/referrals/{offer.referral_id}:see", {})
        person_id = referral["person"]["person_id"]
        at = await self._since(person_id) + fate.answer_after
        if not await self._comes(at):
            return
        if fate.hands_over and self._state.passes_on(offer.referral_id):
            await self._hand_over(offer.referral_id)
        elif fate.return_reason is not None and self._returns(fate, offer.referral_id):
            await self.order(
                f"/v1/referrals/{offer.referral_id}:return",
                {"reason": fate.return_reason, "occurred_at": at.isoformat()},
            )
            self._state.done["returned"] += 1
        else:
            await self._accept(offer.referral_id, person_id, fate, at)

    async def _accept(self, referral_id: str, person_id: str, fate: Fate, at: datetime) -> None:
        await self.order(f"/v1/referrals/{referral_id}:accept", {"occurred_at": at.isoformat()})
        self._state.done["accepted"] += 1
        deal = Deal(self, person_id)
        for act in fate.acts:
            at += act.after
            if not await self._comes(at):
                return
            await deal.perform(act, at)
            self._state.done[act.verb] += 1

    async def _hand_over(self, referral_id: str) -> None:
        """The manager gives it to a colleague: this rep is on holiday from tomorrow on."""
        others = [each for each in self._colleagues if each.rep_id != self._hired.rep_id]
        await self._state.manager.post(
            f"/v1/referrals/{referral_id}:reassign", {"rep_id": others[0].rep_id, "note": "On holiday from tomorrow on"}
        )
        self._state.done["reassigned"] += 1

    def _returns(self, fate: Fate, referral_id: str) -> bool:
        """Who is asked after a colleague said `wrong_rep` keeps the lead."""
        return fate.return_reason != "wrong_rep" or self._state.passes_on(referral_id)

    async def _since(self, person_id: str) -> datetime:
        view = await self._api.get(f"/v1/lifecycle/people/{person_id}")
        return datetime.fromisoformat(view["since"])

    async def _comes(self, moment: datetime) -> bool:
        """Wait until the market is there; what happens today happens by everybody's clock.

        False: it has not come yet.
        """
        if moment < self._state.market.now:
            await self._state.clock.reached(moment)
            return True
        ahead = moment - datetime.now(UTC)
        if ahead > _WORTH_WAITING:
            return False
        await asyncio.sleep(max(0.0, ahead.total_seconds()))
        return True

    def _tell(self, alert: dict[str, Any]) -> None:
        seat = self._hired.seat
        self._state.heard(
            FirstAlert(
                alert["referral_id"], alert["person_id"], seat.name, seat.way.value, alert, self._state.seconds()
            )
        )

    async def order(self, path: str, body: dict[str, Any]) -> Any:
        """POST; a conflict is asked again for a while, because services hear of one another a moment later."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._api.post(path, body)
            except Refused as refused:
                if refused.status not in (_CONFLICT, _NOT_FOUND) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)


class Deal:
    """What becomes of a lead after it was accepted."""

    def __init__(self, rep: DemoRep, person_id: str) -> None:
        self._rep, self._person_id = rep, person_id
        self._opportunity_id = ""

    async def perform(self, act: Act, at: datetime) -> None:
        """One act, at its moment."""
        body: dict[str, Any] = {"occurred_at": at.isoformat()}
        for key, value in act.details.items():
            body[key] = {"amount": str(value), "currency": "EUR"} if key == "amount" else value
        match act.verb:
            case Verb.QUALIFY | Verb.RECYCLE | Verb.DISQUALIFY:
                await self._rep.order(f"/v1/lifecycle/people/{self._person_id}:{act.verb}", body)
            case Verb.OPEN:
                opened = await self._rep.order("/v1/opportunities", {"person_id": self._person_id, **body})
                self._opportunity_id = opened["opportunity_id"]
            case Verb.ADVANCE | Verb.WIN | Verb.LOSE:
                await self._rep.order(f"/v1/opportunities/{self._opportunity_id}:{act.verb}", body)


def _email(told: dict[str, Any]) -> str:
    """Of an alert, or of a referral that was looked up."""
    attributes = told.get("attributes") or told.get("profile") or {}
    return str((attributes.get("email") or {}).get("value") or "")
