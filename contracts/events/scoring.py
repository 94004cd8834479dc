"""What scoring says: what is known about a person, and how ready they are."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AwareDatetime, Field

from contracts.events import rulebooks
from contracts.events.person import PersonEvent
from contracts.values import Receipt, Scores, Strength, Value


class Attribute(Value):
    """One fact of a profile and where it comes from."""

    value: Any = Field(
        description="What is believed: text, a number, true or false, a list; null: it was taken back",
        examples=["VP Marketing"],
    )
    strength: Strength
    source_id: str = Field(description="The source that told it", examples=["src_01J8Z0"])
    interaction_id: str = Field(description="The interaction that it was told with", examples=["int_01J8Z0"])
    occurred_at: AwareDatetime = Field(description="When it was told, in UTC", examples=["2026-03-01T08:00:00Z"])
    # of equal strength the greater goes before the later: how directly an account was named. Not told: who hears of a
    # profile need not join claims
    weight: int = Field(default=0, exclude=True)


class ScoringEvent(PersonEvent):
    """What all of scoring's person-level events carry."""

    owner: ClassVar[str] = "scoring"

    occurred_at: AwareDatetime | None = None  # when what brought it about happened; None: time alone, or a new folding
    is_test: bool = False  # all that was captured of this person came from test sources, or somebody marked them


class ProfileChanged(ScoringEvent):
    """What is known of a person, whole: said when a value that is believed
    becomes another, or when they are grouped anew.

    Whoever heard nothing before has the whole card from it. `scores` are those last said (None:
    never any); `highlights` the newest reasons.
    """

    wire_name: ClassVar[str] = "scoring.profile.changed.v2"

    attributes: dict[str, Attribute]
    scores: Scores | None = None
    highlights: tuple[Receipt, ...] = ()


class ProfileChangedV1(ScoringEvent):
    """Facts about a person changed; only those are named. A value of None means that the
    fact is gone. No longer said, still heard.
    """

    wire_name: ClassVar[str] = "scoring.profile.changed.v1"

    attributes: dict[str, Attribute | None]


class ScoreChanged(ScoringEvent):
    """A whole point or the grid cell changed, because of something that happened or because time passed."""

    wire_name: ClassVar[str] = "scoring.score.changed.v1"

    scores: Scores
    previous: Scores | None = None
    receipts: tuple[Receipt, ...] = ()


class ScoreCorrected(ScoringEvent):
    """A score was folded anew (merge, split, late fact); nothing that a change would set off may be set off again."""

    wire_name: ClassVar[str] = "scoring.score.corrected.v1"

    scores: Scores
    previous: Scores | None = None
    reason: str


class RulebookActivated(rulebooks.RulebookActivated):
    """From here on in the stream, another version of the scoring rulebook decides."""

    wire_name: ClassVar[str] = "scoring.rulebook.activated.v1"
    owner: ClassVar[str] = "scoring"
