"""The vocabulary of routing's tests: what lifecycle and identity tell, reps, and a store that hears it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.timers import Timer
from contracts.envelope import Event, Meta
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from contracts.events.routing import AlertRaised
from contracts.events.scoring import Attribute
from contracts.ids import derive_id, hash_id
from contracts.values import Contribution, JsonObject, Receipt, Scores, Strength
from services.routing.domain.answering import Asker, Reason
from services.routing.domain.referral import Referral
from services.routing.handlers import answering, desks, hearing, timing
from services.routing.handlers.reps import add_rep, change_rep, own_account
from services.routing.handlers.rulebooks import RULEBOOKS
from services.routing.store.reading import find_referral, offers_of
from services.routing.store.reps import load_reps

NOW = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
HOURS = timedelta(hours=1)
MARA: JsonObject = {"name": "Mara Lindqvist", "title": "Head of Logistics", "company": "Tidewater Freight", "email": "mara@tidewater.example"}


def per(number: int) -> str:
    return f"per_{number:026d}"


def frg(number: int) -> str:
    return f"frg_{number:026d}"


def a_receipt(sentence: str, points: int = 50, *, kind: str = "score.engagement", at: datetime = NOW, owner: str = "scoring") -> Receipt:
    return Receipt(
        receipt_id=derive_id("rcp", at, sentence),
        at=at,
        owner=owner,
        kind=kind,
        person_id=per(1),
        fragment_id=frg(1),
        cause_id="int_1",
        rule="demo_requested",
        rulebook=f"{owner}@1",
        contribution=Contribution(measure="engagement", points=points, half_life_days=30) if owner == "scoring" else None,
        sentence=sentence,
    )


MOVE = a_receipt("Fits well and asked for a demo.", kind="stage.move", owner="lifecycle")
DEMO = a_receipt("Asked for a demo.")


def a_meta(*cause: str, at: datetime = NOW) -> Meta:
    event_id = derive_id("evt", at, *cause)
    return Meta(event_id=event_id, at=at, correlation_id=f"int_{cause[-1]}")


def attributes(values: JsonObject) -> dict[str, Attribute]:
    return {
        name: Attribute(value=value, strength=Strength.CLAIMED, source_id="src_1", interaction_id="int_1", occurred_at=NOW)
        for name, value in values.items()
    }


def entered(number: int, stage: str = "mql", *, at: datetime = NOW, version: int = 1, knows: JsonObject = MARA, **more: Any) -> StageEntered:
    """Somebody moved on. Equal words are one event."""
    fields: dict[str, Any] = {
        "person_id": per(number),
        "fragment_id": frg(number),
        "graph_version": version,
        "occurred_at": at,
        "stage": stage,
        "attributes": attributes(knows),
        "scores": Scores(fit=45, engagement=62, cell="B1", at=at),
        "highlights": (DEMO,),
        "receipt": MOVE,
        **more,
    }
    return StageEntered(meta=a_meta("entered", per(number), stage, at.isoformat(), at=at), **fields)


def corrected(number: int, stage: str, *, at: datetime = NOW, version: int = 1) -> StageCorrected:
    who: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": version}
    return StageCorrected(meta=a_meta("corrected", per(number), stage, at.isoformat(), at=at), **who, occurred_at=at, stage=stage, receipt=MOVE)


def clock(
    kind: type[SlaBreached] | type[SlaReminded], number: int, *, due_at: datetime, at: datetime, stage: str = "mql"
) -> SlaBreached | SlaReminded:
    who: dict[str, Any] = {"person_id": per(number), "fragment_id": frg(number), "graph_version": 1, "occurred_at": at, "stage": stage}
    meta = a_meta(kind.__name__, per(number), at.isoformat(), at=at)
    return kind(meta=meta, **who, clock="acceptance", started_at=NOW, due_at=due_at)


def merged(survivor: int, absorbed: int, *, version: int = 2, at: datetime = NOW) -> PersonMerged:
    return PersonMerged(
        meta=a_meta("merged", per(survivor), per(absorbed), str(version), at=at),
        person_id=per(survivor),
        absorbed_person_ids=(per(absorbed),),
        fragment_ids=(frg(survivor), frg(absorbed)),
        graph_version=version,
        strength=Strength.VERIFIED,
        sentence="Both use one address.",
    )


def split(first: int, second: int, *, version: int = 3, at: datetime = NOW) -> PersonSplit:
    parts = tuple(PersonPart(person_id=per(one), fragment_ids=(frg(one),), graph_version=version) for one in (first, second))
    meta = a_meta("split", per(first), per(second), str(version), at=at)
    return PersonSplit(meta=meta, person_id=per(first), parts=parts, graph_version=version, sentence="They are two.")


def rep_id(name: str) -> str:
    """The id of a rep that `World.hire` took on."""
    return hash_id("rep", name)


def in_charge(subject: str = "manager") -> Asker:
    return Asker(subject, None, True)


@dataclass
class World:
    """A store with a clock that stands still until it is told to go on; what is said in it is kept, and due timers fire when they are asked to."""

    database: Database
    now: datetime = NOW
    said: list[Any] = field(default_factory=list)
    timers: dict[tuple[str, str], Timer] = field(default_factory=dict)

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        async with self.database.begin() as session:
            context = Context(session, self.now)
            yield context
        self.said += context.said
        for (kind, key), alarm in context.timers.items():
            self.timers.pop((kind, key), None)
            if alarm is not None:
                self.timers[kind, key] = Timer(kind, key, alarm.due_at, alarm.payload)

    async def hire(self, name: str, **fields: Any) -> str:
        """A rep whose external id is their name."""
        known: dict[str, Any] = {"weight": 1, "teams": (), "is_active": True, **fields}
        async with self.context() as context:
            rep, _ = await add_rep({"name": name, "external_id": name, **known}, "manager", context)
        return rep.rep_id

    async def change(self, name: str, **fields: Any) -> None:
        async with self.context() as context:
            await change_rep(rep_id(name), fields, "manager", context)

    async def give_account(self, account_id: str, name: str | None) -> None:
        async with self.context() as context:
            await own_account(account_id, None if name is None else rep_id(name), "manager", context)

    async def hear(self, *events: Event) -> list[Any]:
        """One transaction; answers what was said in it."""
        before = len(self.said)
        async with self.context() as context:
            for is_identity, run in groupby(events, key=lambda event: event.owner == "identity"):
                told: Any = list(run)
                await (hearing.on_people_regrouped(told, context) if is_identity else hearing.on_lifecycle_told(told, context))
        return self.said[before:]

    async def wait(self, by: timedelta) -> list[Any]:
        """Time passes, and what is due fires, one by one."""
        self.now += by
        before = len(self.said)
        while due := min((timer for timer in self.timers.values() if timer.due_at <= self.now), key=lambda timer: timer.due_at, default=None):
            del self.timers[due.kind, due.key]
            handler = timing.on_offers_expired if due.kind == desks.EXPIRED else timing.on_referrals_waiting
            async with self.context() as context:
                await handler([due], context)
        return self.said[before:]

    async def accept(self, name: str, referral_id: str, note: str | None = None) -> Referral:
        return await self.answer(answering.accept_referral, referral_id, answering.Answer(a_rep(name), note))

    async def see(self, name: str, referral_id: str) -> Referral:
        return await self.answer(answering.see_referral, referral_id, answering.Answer(a_rep(name)))

    async def give_back(self, name: str, referral_id: str, reason: Reason, note: str | None = None) -> Referral:
        async with self.context() as context:
            return await answering.return_referral(referral_id, reason, answering.Answer(a_rep(name), note), context)

    async def reassign(self, name: str, referral_id: str) -> Referral:
        async with self.context() as context:
            return await answering.reassign_referral(referral_id, rep_id(name), answering.Answer(in_charge()), context)

    async def referral(self, referral_id: str) -> Referral:
        async with self.database.read() as session:
            found = await find_referral(session, referral_id)
        assert found is not None
        return found

    async def trail(self, referral_id: str) -> list[tuple[str, str]]:
        """Who was asked, and what became of it."""
        async with self.database.read() as session:
            names = {one.rep_id: one.name for one in (await load_reps(session)).values()}
            return [(names[offer.rep_id], offer.outcome.value) for offer in await offers_of(session, referral_id)]

    async def answer(self, handler: Any, referral_id: str, answer: answering.Answer) -> Referral:
        async with self.context() as context:
            answered: Referral = await handler(referral_id, answer, context)
            return answered


def a_rep(name: str) -> Asker:
    return Asker(name, rep_id(name), False)


async def with_rulebook(database: Database, text: str | None = None) -> None:
    """A version that decides: the default, or `text`."""
    async with database.begin() as session:
        context = Context(session, NOW)
        draft = await RULEBOOKS.add_draft(context, text or RULEBOOKS.default.read_text(), "tester")
        await RULEBOOKS.activate(context, draft.version, "tester")


def of(kind: type[Event], events: Sequence[Event]) -> list[Any]:
    """Those of one kind."""
    return [event for event in events if isinstance(event, kind)]


def words(events: Sequence[Event]) -> list[str]:
    """What was said, short: `ReferralOffered`, `AlertRaised offered`."""
    return [f"AlertRaised {event.kind}" if isinstance(event, AlertRaised) else type(event).__name__ for event in events]
