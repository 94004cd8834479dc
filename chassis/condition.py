"""How a process is getting on, as its parts say: for probes, for metrics and for whoever asks for its status."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.clock import wall_clock
from chassis.figures import ProcessFigures, look
from chassis.progress import describe
from chassis.readiness import Facts, Finding, Kept, Work, judge
from chassis.runtime import Check, Runtime
from chassis.store import outbox, refused_events, timers

_PATIENCE_SECONDS: Final = 0.8
"""A probe that waits longer than a second is given up by most orchestrators, and then nobody learns the reason."""

_ABSENT: Final = "its stream or its durable has not been reached"
_ABSENT_REMEDY: Final = (
    "Whoever writes the stream lays it anew by itself, empty, and reading goes on: start that service if it is down."
    " What the stream held comes back from a backup alone"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known at a moment; `findings` is the judgement on `facts`."""

    facts: Facts
    findings: Sequence[Finding]
    figures: ProcessFigures

    @property
    def problems(self) -> list[Finding]:
        """What keeps it from being ready."""
        return [finding for finding in self.findings if not finding.is_note]

    @property
    def notes(self) -> list[Finding]:
        """What was set aside."""
        return [finding for finding in self.findings if finding.is_note]


async def condition_of(runtime: Runtime) -> Condition:
    """The condition of now; within a second, also when the store hangs."""
    facts, figures = await asyncio.gather(facts_of(runtime), look(runtime))
    return Condition(facts, judge(facts, runtime.settings.stuck_seconds), figures)


async def facts_of(runtime: Runtime) -> Facts:
    """What the parts of this process say of themselves now; within a second, also when the store hangs."""
    kept, error = await ask_store(runtime)
    found = await asyncio.gather(*(_ask(check) for check in runtime.checks)) if kept is not None else ()
    broker = runtime.broker
    ended = [] if runtime.is_stopping else [_ended(part) for part, loop in runtime.loops.items() if loop.done()]
    return Facts(
        kept=kept,
        store_error=error,
        nats_error=None if broker.is_ready else broker.why_not_ready,
        is_connected=broker.is_connected,
        works=_works(runtime),
        found=[*ended, *(finding for part in found for finding in part)],
        is_stopping=runtime.is_stopping,
    )


def _ended(part: str) -> Finding:
    return Finding(part, "it has ended, which it never should before the process", "Restart the process; see its log")


def _works(runtime: Runtime) -> list[Work]:
    works = [
        Work("relay", one.what, one.seconds, one.last_error)
        for one in (runtime.relay.standstills if runtime.relay is not None else ())
    ]
    for consumer in runtime.consumers:
        progress, part = consumer.progress, f"lane {consumer.spec.stream}/{consumer.spec.lane}"
        error = consumer.refusal or progress.last_error
        works.append(Work(part, "the same messages have been tried", progress.stuck_seconds, error, consumer.is_ready))
        absence = consumer.absence
        works.append(Work(part, _ABSENT, absence.stuck_seconds, absence.last_error, remedy=_ABSENT_REMEDY))
        starvation = consumer.starvation
        works.append(Work(part, "nothing has been delivered", starvation.stuck_seconds, starvation.last_error))
    if runtime.timers is not None:
        progress = runtime.timers.progress
        works.append(Work("timers", "what is due has not been fired", progress.stuck_seconds, progress.last_error))
    return works


async def ask_store(runtime: Runtime) -> tuple[Kept | None, str]:
    """What the store says, or None and why it says nothing."""
    # migrations need no question of their own: the service does not listen before they are in
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            waiting = await runtime.relay.backlog() if runtime.relay is not None else outbox.Backlog(0, None)
            async with runtime.database.glance() as session:
                set_aside, failing = await refused_events.count(session), await timers.failing(session)
    except TimeoutError:
        return None, f"no answer within {_PATIENCE_SECONDS} s"
    except Exception as error:
        if runtime.database.is_transient(error):
            return None, describe(error)
        raise
    oldest = 0.0 if waiting.oldest is None else max(0.0, (wall_clock() - waiting.oldest).total_seconds())
    return Kept(waiting.count, oldest, set_aside, failing), ""


async def _ask(check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await check()
    except Exception:  # it needs the store; that this does not answer is found where the store is asked
        return ()
