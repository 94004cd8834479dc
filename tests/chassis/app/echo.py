"""A miniature service that answers each signal it hears with an echo; run as a process by `python -m
tests.chassis.app.echo`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import MetaData, insert, select, text
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from chassis.app import Service
from chassis.context import Context
from chassis.errors import NotFound
from chassis.runtime import Runtime
from chassis.settings import ServiceSettings
from chassis.store.batch import core_table
from chassis.store.relay import Relay, Ride
from chassis.store.timers import Timer
from chassis.subscriptions import on, on_timer
from chassis.web.auth import Caller, require
from chassis.web.fields import WHOLE
from chassis.web.problems import problem_responses
from chassis.web.routes import WRITING, Read, Write
from chassis.web.server import serve
from contracts.envelope import Event, Meta, following
from contracts.ids import derive_id
from contracts.limits import SAID_BYTES

TOO_LOUD = "too loud"
"""An echo of this is more than can be said."""


class SignalGiven(Event):
    """Somebody gave a signal."""

    wire_name: ClassVar[str] = "signal.flag.given.v1"
    owner: ClassVar[str] = "signal"

    text: str

    @property
    def lane_key(self) -> str:
        return self.text


class SignalEchoed(Event):
    """The echo came back."""

    wire_name: ClassVar[str] = "echo.signal.echoed.v1"
    owner: ClassVar[str] = "echo"

    text: str

    @property
    def lane_key(self) -> str:
        return self.text


class Table(SQLModel):
    metadata = MetaData()


class Echo(Table, table=True):
    """One row per effect and no unique key: what is applied twice shows."""

    echo_id: int | None = Column(default=None, primary_key=True)
    text: str


ECHO = core_table(Echo)


class EchoSettings(ServiceSettings, env_prefix="ECHO_"):
    fuses: Path | None = None  # a folder; where it is given, some texts kill or hold the process, once each
    antidote: bool = False  # poison does no harm


@dataclass(frozen=True)
class Fuses:
    """Faults that happen once, also over restarts of the process."""

    folder: Path | None
    relay: DeadlyRelay
    has_antidote: bool = False

    def burns(self, name: str) -> bool:
        """Whether this fault is to happen now."""
        if self.folder is None or (self.folder / name).exists():
            return False
        (self.folder / name).touch()
        return True


def die(*_: object) -> None:
    """As kill -9 from outside, at this very line."""
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyRelay:
    """A relay as the runtime sees it; armed, it dies right after a commit, before anything is published."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.is_armed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._relay, name)

    @contextmanager
    def ride(self) -> Iterator[Ride]:
        with self._relay.ride() as ride:
            yield ride
        if self.is_armed:
            die()


async def on_signals_given(events: Sequence[SignalGiven], context: Context[Fuses]) -> None:
    texts = {event.text for event in events}
    if "poison" in texts and not context.service.has_antidote:
        raise ValueError("poison")
    if "hold on" in texts and context.service.burns("hold on"):
        await asyncio.Event().wait()
    if "die after commit" in texts and context.service.burns("die after commit"):
        context.service.relay.is_armed = True
    await context.session.execute(insert(ECHO), [{"text": event.text} for event in events])
    for event in events:
        context.say(SignalEchoed(meta=following(event, SignalEchoed.wire_name), text=_aloud(event.text)))
        if event.text.startswith("later"):
            context.set_timer(
                "recall", event.text, context.now + timedelta(seconds=0.1), {"cause": event.meta.event_id}
            )


async def on_recall(timers: Sequence[Timer], context: Context[Fuses]) -> None:
    for timer in timers:
        if "stumble" in timer.key:
            raise ValueError("the way to jane@example.com is barred")
        if "hold" in timer.key and context.service.burns("hold the timer"):
            await asyncio.Event().wait()
        await context.session.execute(insert(ECHO), [{"text": f"recalled {timer.key}"}])
        context.say(SignalEchoed(meta=_meta(context, timer.key, "recalled"), text=f"recalled {timer.key}"))


def _aloud(text: str) -> str:
    return text * SAID_BYTES if text == TOO_LOUD else text


def _meta(context: Context, *cause: str) -> Meta:
    event_id = derive_id("evt", context.now, *cause)
    return Meta(event_id=event_id, at=context.now, correlation_id=event_id)


class EchoRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=200)]
    times: Annotated[int, Field(ge=1, le=5), WHOLE] = 1


class NumberRequest(BaseModel):
    number: Annotated[int, WHOLE]
    name: Any = None


class EchoView(BaseModel):
    text: str
    count: int


router = APIRouter()


@router.post("/v1/echoes", status_code=201)
async def shout(body: EchoRequest, context: Annotated[Context[Fuses], WRITING], caller: Caller) -> EchoView:
    """Echo a text without having heard it."""
    await context.session.execute(insert(ECHO), [{"text": body.text}] * body.times)
    context.say(SignalEchoed(meta=_meta(context, body.text, caller.subject), text=_aloud(body.text)))
    if body.text == "die before commit" and context.service.burns("die before commit"):
        die()
    return EchoView(text=body.text, count=body.times)


@router.get("/v1/echoes/{text}", responses=problem_responses(404))
async def echo(text: str, reading: Read) -> EchoView:
    """How often a text was echoed."""
    rows = await reading.session.execute(select(ECHO).where(ECHO.c.text == text))
    if not rows:
        raise EchoNotFound(f"Nobody echoed {text}")
    return EchoView(text=text, count=len(rows))


@router.post("/v1/numbers", status_code=201)
async def number(body: NumberRequest, context: Write) -> EchoView:
    """Takes numbers and texts without a bound, to see what the store says of them."""
    row = {"number": body.number, "name": body.name if isinstance(body.name, str) else None}
    await context.session.execute(text("INSERT INTO numbered (number, name) VALUES (:number, :name)"), row)
    return EchoView(text="a number", count=1)


@router.post("/v1/orphans", status_code=201)
async def orphan(context: Write) -> EchoView:
    """Breaks a rule that the store checks at the commit."""
    await context.session.execute(text("INSERT INTO child (child_id, parent_id) VALUES (1, 4711)"))
    context.say(SignalEchoed(meta=_meta(context, "orphan"), text="orphan"))
    return EchoView(text="orphan", count=1)


@router.post("/v1/secrets", responses=problem_responses(403))
async def secret(caller: Caller) -> EchoView:
    """For operators."""
    require(caller, "ops", "admin")
    return EchoView(text="secret", count=1)


@router.get("/v1/mistakes")
async def mistake() -> EchoView:
    """A mistake of ours."""
    raise ZeroDivisionError("jane@example.com divided by zero")


class EchoNotFound(NotFound):
    """Nobody echoed this."""

    slug = "echo-not-found"


SUBSCRIPTIONS = [on(SignalGiven, on_signals_given)]
TIMERS = [on_timer("recall", on_recall)]
MIGRATIONS = "tests.chassis.app.echo_migrations"


@asynccontextmanager
async def fuses(runtime: Runtime) -> AsyncIterator[Fuses]:
    """What handlers find as `context.service`."""
    assert isinstance(runtime.settings, EchoSettings)
    assert runtime.relay is not None
    relay = DeadlyRelay(runtime.relay)
    runtime.relay = cast(Relay, relay)
    yield Fuses(runtime.settings.fuses, relay, runtime.settings.antidote)


def create_service(settings: EchoSettings | None = None, **options: Any) -> Service:
    settings = settings or EchoSettings()
    parts: dict[str, Any] = {
        "routers": [router],
        "subscriptions": SUBSCRIPTIONS,
        "timers": TIMERS,
        "migrations": MIGRATIONS,
        "extras": fuses,
    }
    return Service(settings=settings, **{"name": "echo"} | parts | options)


if __name__ == "__main__":
    serve(create_service())
