"""Points: what rules award, the grid they are laid on, and the receipts that are kept of them.

The domain needs of a rulebook what `Judge` says: `services.scoring.rulebooks` has a compiled one, tests have tables.
A receipt hangs on the fragment and the interaction that brought it about, whoever the person is by now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple, Protocol

from contracts.campaigns import CampaignTag
from contracts.events.identity import InteractionRecognized
from contracts.ids import derive_id
from contracts.limits import EVENT_RECEIPTS
from contracts.texts import shortened
from contracts.values import Contribution, Interaction, JsonObject, Receipt
from people_kernel.profile import Attributes
from people_kernel.workspace import Cause
from rulebook.caps import Counted, CountLimit, is_repeat, with_counted
from semantics.anew import campaign_anew
from services.scoring.domain.score_decay import microseconds

POINT = 10_000
"""Points are integers of 1/10,000 point ("e4")."""
DAY = 86_400_000_000
"""Half-lives are integers of microseconds."""
Measure = Literal["fit", "engagement"]
FIT: Final = "fit"
ENGAGEMENT: Final = "engagement"
_FIT_LETTERS = "DCBA"
_ENGAGEMENT_DIGITS = "4321"


def half_life_of(days: Decimal) -> int:
    """Days -> microseconds."""
    return int(days * DAY)


def to_e4(points: Decimal) -> int:
    """Points -> integers of 1/10,000. Raises ValueError for finer ones: they could not be told exactly."""
    scaled = points * POINT
    if scaled != int(scaled):
        raise ValueError(f"{points} has more than four decimals")
    return int(scaled)


def from_e4(units: int) -> Decimal:
    """Integers of 1/10,000 -> points with four decimals."""
    return Decimal(units).scaleb(-4)


@dataclass(frozen=True, slots=True)
class Grid:
    """Lowest points (e4 units) of C, B, A and of 3, 2, 1; ascending. Below the first one is D or 4."""

    fit: tuple[int, int, int]
    engagement: tuple[int, int, int]

    def cell(self, fit_e4: int, engagement_e4: int) -> str:
        """E.g. `B2`."""
        return (
            _FIT_LETTERS[bisect_right(self.fit, fit_e4)]
            + _ENGAGEMENT_DIGITS[bisect_right(self.engagement, engagement_e4)]
        )


@dataclass(frozen=True, slots=True)
class Award:
    """Points that a rule gives while it holds (fit), or at once, halving each `half_life` microseconds (engagement)."""

    rule: str
    points_e4: int
    half_life: int | None
    inputs: JsonObject
    sentence: str
    limit: CountLimit | None = None  # how often it counts; None: each time


class Judge(Protocol):
    """One version of the scoring rulebook."""

    @property
    def version(self) -> int: ...

    @property
    def label(self) -> str:
        """How receipts name it, e.g. `scoring@1`."""
        ...

    @property
    def grid(self) -> Grid: ...

    def engagement(self, interaction: Interaction, campaign: CampaignTag | None = None) -> tuple[Award, ...]:
        """What the interaction itself is worth; must not depend on who did it, or a merge would change it."""
        ...

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        """What holds about a profile."""
        ...

    def withdrawal(self, rule: str, attributes: Attributes) -> tuple[JsonObject, str]:
        """(inputs, sentence) for a rule that held and holds no more; the rule may be one of an older version."""
        ...


@dataclass(frozen=True, slots=True)
class Judges:
    """All versions that ever judged a fact, and the one that judges from now on."""

    by_version: Mapping[int, Judge]
    active: Judge

    def of(self, version: int | None) -> Judge:
        """The judge of a version; the active one for a version that is no more."""
        return self.active if version is None else self.by_version.get(version, self.active)


class StoredReceipt(NamedTuple):
    """Why a measure changed by `points_e4` at `at`; those of engagement halve every `half_life` microseconds (None:
    they do not fade).
    """

    receipt_id: str
    fragment_id: str
    at: datetime
    measure: Measure
    rule: str
    rulebook: str
    points_e4: int
    half_life: int | None
    cause_id: str
    inputs: JsonObject
    sentence: str

    def as_receipt(self, person_id: str) -> Receipt:
        """In the schema that all services share."""
        fading = None if self.half_life is None else Decimal(self.half_life) / DAY
        return Receipt(
            receipt_id=self.receipt_id,
            at=self.at,
            owner="scoring",
            kind=f"score.{self.measure}",
            person_id=person_id,
            fragment_id=self.fragment_id,
            cause_id=self.cause_id,
            rule=self.rule,
            rulebook=self.rulebook,
            inputs=self.inputs,
            contribution=Contribution(measure=self.measure, points=from_e4(self.points_e4), half_life_days=fading),
            sentence=self.sentence,
        )


class Earned(NamedTuple):
    """What an interaction brings: the receipts that count, those of repeats, and the memory of what counted."""

    receipts: tuple[StoredReceipt, ...]
    capped: tuple[StoredReceipt, ...]
    counted: Counted


def engagement_earned(event: InteractionRecognized, counted: Counted, judge: Judge) -> Earned:
    """What an interaction adds to the engagement of whoever owns its fragment, on which `counted` counted before."""
    interaction, fragment_id = event.interaction, event.fragment_id
    campaign = campaign_anew(interaction) if event.facts is None else event.campaign
    receipts: list[StoredReceipt] = []
    capped: list[StoredReceipt] = []
    new: list[tuple[int, str]] = []
    for award in judge.engagement(interaction, campaign):
        receipt = _engagement_receipt(interaction, fragment_id, judge, award) if award.points_e4 else None
        if receipt is None:
            continue
        limit = award.limit
        if limit is None:
            receipts.append(receipt)
        elif is_repeat(counted, limit, moment := microseconds(interaction.occurred_at)):
            sentence = shortened(f"{award.sentence} Already counted {limit.words}: capped.")
            capped.append(receipt._replace(points_e4=0, sentence=sentence))
        else:
            receipts.append(receipt)
            new.append((moment, limit.key))
    return Earned(tuple(receipts), tuple(capped), with_counted(counted, new) if new else counted)


def time_passed(cause: Cause, fragment_id: str, rulebook: str, engagement: str, sentence: str) -> StoredReceipt:
    """That time alone moved the cell: it adds no points."""
    return StoredReceipt(
        receipt_id=cause.receipt_id(),
        fragment_id=fragment_id,
        at=cause.at,
        measure=ENGAGEMENT,
        rule="time_passed",
        rulebook=rulebook,
        points_e4=0,
        half_life=None,
        cause_id=cause.cause_id,
        inputs={"engagement": engagement},
        sentence=sentence,
    )


def summed_up(receipts: Iterable[StoredReceipt]) -> tuple[StoredReceipt, ...]:
    """At most EVENT_RECEIPTS of them; what is beyond is summed up in one more for each measure, so that the points
    still add up.
    """
    all_of_them = tuple(receipts)
    first, rest = all_of_them[:EVENT_RECEIPTS], all_of_them[EVENT_RECEIPTS:]
    return (
        *first,
        *(
            _sum(measure, same)
            for measure in (FIT, ENGAGEMENT)
            if (same := [one for one in rest if one.measure == measure])
        ),
    )


def _sum(measure: Measure, rest: list[StoredReceipt]) -> StoredReceipt:
    half_lives, rules = {one.half_life for one in rest}, [one.rule for one in rest]
    return rest[0]._replace(
        receipt_id=derive_id("rcp", rest[0].at, "sum", *(one.receipt_id for one in rest)),
        rule="others",
        points_e4=sum(one.points_e4 for one in rest),
        half_life=half_lives.pop() if len(half_lives) == 1 else None,
        inputs={"rules": rules},
        sentence=f"{len(rest)} more rules: {', '.join(rules)}",
    )


def _engagement_receipt(interaction: Interaction, fragment_id: str, judge: Judge, award: Award) -> StoredReceipt:
    if award.half_life is None:
        raise ValueError(f"{judge.label}: the engagement rule {award.rule} has no half-life")
    return StoredReceipt(
        receipt_id=derive_id(
            "rcp", interaction.occurred_at, ENGAGEMENT, interaction.interaction_id, award.rule, judge.label
        ),
        fragment_id=fragment_id,
        at=interaction.occurred_at,
        measure=ENGAGEMENT,
        rule=award.rule,
        rulebook=judge.label,
        points_e4=award.points_e4,
        half_life=award.half_life,
        cause_id=interaction.interaction_id,
        inputs=award.inputs,
        sentence=award.sentence,
    )
