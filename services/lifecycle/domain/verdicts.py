"""What humans decide: qualify, recycle, disqualify, reopen. A verdict is a fact; whether it may be given in a stage, the process says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.lifecycle.domain.book import Alarm, Book, Cause
from services.lifecycle.domain.moving import arrive, decide
from services.lifecycle.domain.vocabulary import RECYCLED, VERDICTS, WOKEN, Trigger

WAKE = "wake"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verb` is one of VERDICTS; `to` the stage that was chosen, `wake_at` when to come back to this person."""

    verdict_id: str
    verb: str
    by: str
    at: datetime
    occurred_at: datetime
    reason: str | None = None
    note: str | None = None
    to: str | None = None
    wake_at: datetime | None = None
    bant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trigger(self) -> Trigger:
        noted = {f"bant.{name}": value for name, value in self.bant.items() if value is not None}
        noted |= {} if self.note is None else {"note": self.note}
        noted |= {} if self.wake_at is None else {"wake_at": self.wake_at.isoformat()}
        return Trigger(VERDICTS[self.verb], {"verdict.reason": self.reason, "verdict.to": self.to}, self.reason, self.to, noted)

    @property
    def cause(self) -> Cause:
        return Cause(self.verdict_id, self.at, self.occurred_at, self.verdict_id, by=self.by)


class NotPossible(ValueError):
    """The process does not allow this in the stage the person is in. `instead` says what it does allow."""

    def __init__(self, detail: str, instead: str) -> None:
        self.detail, self.instead = detail, instead
        super().__init__(detail)


def give(book: Book, person_id: str, verdict: Verdict) -> bool:
    """Whether it was news; who is already where the verdict leads need not go there again. Raises NotPossible."""
    trigger, stage = verdict.trigger, book.stage_of(person_id)
    is_there = stage == verdict.to if verdict.to is not None else stage in book.process.targets(trigger.name)
    if is_there:
        arrive(book, person_id, verdict.cause)  # what a verdict is kept with is a move
    elif decide(book, person_id, verdict.cause, trigger) is None:
        raise _refusal(book, person_id, verdict)
    if verdict.wake_at is not None and trigger.name == RECYCLED:
        standing = book.standing(person_id)
        assert standing.move_id is not None
        # found again by the fragment of the move, so that a merge or a split in between does not matter
        book.alarms.append(Alarm(WAKE, standing.move_id, verdict.wake_at, {"fragment_id": standing.move_home}))
        return True
    return not is_there


def wake(book: Book, move_id: str, fragment_id: str, cause: Cause) -> None:
    """The moment came that was set; whoever has moved since is left alone."""
    person_id = book.owner_of(fragment_id)
    if book.standing(person_id).move_id == move_id:
        decide(book, person_id, cause, Trigger(WOKEN))


def _refusal(book: Book, person_id: str, verdict: Verdict) -> NotPossible:
    process, stage = book.process, book.stage_of(person_id)
    title = process.stages[stage].title if stage in process.stages else stage
    offered = process.offers(stage, verdict.trigger.name)
    if offered and verdict.to is not None:
        return NotPossible(f"From {stage} ({title}) nobody is led to {verdict.to} by :{verdict.verb}", f"Choose one of: {', '.join(offered)}")
    possible = process.possible(stage)
    allowed = f"Possible now: {', '.join(f':{verb}' for verb in possible)}. " if possible else "No verdict is possible now. "
    leaves = ", ".join(process.leaves_from(verdict.trigger.name)) or "no stage"
    return NotPossible(f"Somebody in {stage} ({title}) cannot be led on by :{verdict.verb}", f"{allowed}:{verdict.verb} is for {leaves}")
