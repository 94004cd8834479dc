"""Lifecycle without a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.envelope import Event
from contracts.events.lifecycle import StageCorrected, StageEntered
from people_kernel.workspace import fell_due
from services.lifecycle.domain.incoming_events import apply_event
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.domain.sales import WAKE, SalesVerdict, give, wake
from services.lifecycle.domain.transitions import BREACH, REMIND, breach, remind
from services.lifecycle.domain.workspace import CurrentStage, LifecycleWorkspace
from tests.support.people import START
from tests.unit.lifecycle.builders import process


@dataclass
class World:
    """All pages open: what a store would keep, in memory. Hears events as the service does, each once."""

    rules: LifecycleProcess = field(default_factory=process)
    workspace: LifecycleWorkspace = field(init=False)
    heard: set[str] = field(default_factory=set)
    timers: dict[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)
    verdicts: int = 0

    def __post_init__(self) -> None:
        self.workspace = LifecycleWorkspace(process=self.rules)

    def hear(self, *events: Event) -> World:
        for event in events:
            if event.meta.event_id not in self.heard:
                self.heard.add(event.meta.event_id)
                apply_event(self.workspace, event)  # type: ignore[arg-type]  # one of those it hears
                self._set()
        return self

    def verdict(self, person: str, verb: str, when: datetime = START, **fields: Any) -> bool:
        self.verdicts += 1
        given = SalesVerdict(f"vrd_{self.verdicts}", verb, "usr_ines", when, fields.pop("occurred_at", when), **fields)
        is_news = give(self.workspace, person, given)
        self._set()
        return is_news

    def pass_time(self, until: datetime) -> World:
        """Fires what is due, as a clock does."""
        while due := sorted((due_at, kind, key) for (kind, key), (due_at, _) in self.timers.items() if due_at <= until):
            due_at, kind, key = due[0]
            _, fragment_id = self.timers.pop((kind, key))
            cause = fell_due(kind, key, due_at, due_at)
            if kind == WAKE:
                wake(self.workspace, key, fragment_id, cause)
            else:
                {REMIND: remind, BREACH: breach}[kind](self.workspace, key, cause)
            self._set()
        return self

    def _set(self) -> None:
        for timer, alarm in self.workspace.timers.items():
            if alarm is None:
                self.timers.pop(timer, None)
            else:
                self.timers[timer] = (alarm.due_at, alarm.payload.get("fragment_id", ""))
        self.workspace.timers.clear()

    def stage(self, person: str) -> str | None:
        return self.workspace.current_stage(person).stage

    def stages(self) -> dict[str, CurrentStage]:
        """Of everybody who is there."""
        return {key: one for key, one in self.workspace.stages.items() if one.is_present}

    def told(self, kind: type[Event], person: str | None = None) -> list[Any]:
        return [
            event
            for event in self.workspace.said
            if type(event) is kind and person in (None, getattr(event, "person_id", None))
        ]

    def way(self, person: str) -> list[str]:
        """The stages that were said of a person, corrections in brackets."""
        steps = [
            event
            for event in self.workspace.said
            if isinstance(event, StageEntered | StageCorrected) and event.person_id == person
        ]
        return [event.stage if isinstance(event, StageEntered) else f"({event.stage})" for event in steps]
