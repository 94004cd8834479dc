"""What scoring says: what is known about a person, and how ready they are."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AwareDatetime

from contracts.envelope import Event
from contracts.ids import with_prefix
from contracts.values import Receipt, Scores, Strength, Value


class Attribute(Value):
    """One fact of a profile and where it comes from."""

    value: Any
    strength: Strength
    source_id: str
    interaction_id: str
    occurred_at: AwareDatetime


class PersonEvent(Event):
    """What all of scoring's person-level events name. `fragment_id` is the person's oldest."""

    owner: ClassVar[str] = "scoring"

    person_id: str
    fragment_id: str
    graph_version: int

    @property
    def lane_key(self) -> str:
        return with_prefix("frg", self.person_id)


class ProfileChanged(PersonEvent):
    """Facts about a person changed; only those are named. A value of None means that the fact is gone."""

    wire_name: ClassVar[str] = "scoring.profile.changed.v1"

    attributes: dict[str, Attribute | None]


class ScoreChanged(PersonEvent):
    """A whole point or the grid cell changed, because of something that happened or because time passed."""

    wire_name: ClassVar[str] = "scoring.score.changed.v1"

    scores: Scores
    previous: Scores | None = None
    receipts: tuple[Receipt, ...] = ()
    is_test: bool = False


class ScoreCorrected(PersonEvent):
    """A score was folded anew (merge, split, late fact); nothing that a change would set off may be set off again."""

    wire_name: ClassVar[str] = "scoring.score.corrected.v1"

    scores: Scores
    previous: Scores | None = None
    reason: str
    is_test: bool = False


class RulebookActivated(Event):
    """From here on in the stream, another version of the scoring rulebook decides."""

    wire_name: ClassVar[str] = "scoring.rulebook.activated.v1"
    owner: ClassVar[str] = "scoring"
    every_lane: ClassVar[bool] = True

    version: int
    digest: str
    activated_by: str

    @property
    def lane_key(self) -> str:
        return self.owner
