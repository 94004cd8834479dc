"""A store that hears what is told, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.timers import Timer
from contracts.envelope import Event
from services.routing import commands
from services.routing.commands import add_rep, change_rep, own_account
from services.routing.domain.answers import Reason
from services.routing.domain.workspace import OFFER_EXPIRED, Referral
from services.routing.events import on_lifecycle_told, on_offers_expired, on_people_regrouped, on_referrals_waiting
from services.routing.rulebooks import REGISTRY
from services.routing.store.load import load_reps
from services.routing.store.queries import find_referral, offers_of
from tests.unit.routing.builders import NOW, a_rep, in_charge, rep_id


@dataclass
class World:
    """A store with a clock that stands still until it is told to go on; what is said in it is kept, and due timers fire
    when they are asked to.
    """

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
                await (on_people_regrouped(told, context) if is_identity else on_lifecycle_told(told, context))
        return self.said[before:]

    async def wait(self, by: timedelta) -> list[Any]:
        """Time passes, and what is due fires, one by one."""
        self.now += by
        before = len(self.said)
        while due := min(
            (timer for timer in self.timers.values() if timer.due_at <= self.now),
            key=lambda timer: timer.due_at,
            default=None,
        ):
            del self.timers[due.kind, due.key]
            handler = on_offers_expired if due.kind == OFFER_EXPIRED else on_referrals_waiting
            async with self.context() as context:
                await handler([due], context)
        return self.said[before:]

    async def accept(self, name: str, referral_id: str, note: str | None = None) -> Referral:
        return await self.answer(commands.accept_referral, referral_id, commands.RepAnswer(a_rep(name), note))

    async def see(self, name: str, referral_id: str) -> Referral:
        return await self.answer(commands.see_referral, referral_id, commands.RepAnswer(a_rep(name)))

    async def give_back(self, name: str, referral_id: str, reason: Reason, note: str | None = None) -> Referral:
        async with self.context() as context:
            return await commands.return_referral(referral_id, reason, commands.RepAnswer(a_rep(name), note), context)

    async def reassign(self, name: str, referral_id: str) -> Referral:
        async with self.context() as context:
            return await commands.reassign_referral(referral_id, rep_id(name), commands.RepAnswer(in_charge()), context)

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

    async def answer(self, handler: Any, referral_id: str, answer: commands.RepAnswer) -> Referral:
        async with self.context() as context:
            answered: Referral = await handler(referral_id, answer, context)
            return answered


async def with_rulebook(database: Database, text: str | None = None) -> None:
    """A version that decides: the default, or `text`."""
    async with database.begin() as session:
        context = Context(session, NOW)
        draft = await REGISTRY.add_draft(context, text or REGISTRY.default.read_text(), "tester")
        await REGISTRY.activate(context, draft.version, "tester")
