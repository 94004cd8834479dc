"""Receipts as they are kept: on the fragment and the interaction that brought them about, whoever the person is by now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from contracts.ids import derive_id
from contracts.limits import EVENT_RECEIPTS
from contracts.values import Contribution, Interaction, JsonObject, Receipt
from services.scoring.domain.decay import DAY, from_e4
from services.scoring.domain.judging import Award, Judge

Measure = Literal["fit", "engagement"]
FIT: Final = "fit"
ENGAGEMENT: Final = "engagement"


class StoredReceipt(NamedTuple):
    """Why a measure changed by `points_e4` at `at`; those of engagement halve every `half_life` microseconds (None: they do not fade)."""

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

    def told(self, person_id: str) -> Receipt:
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


def engagement_receipts(interaction: Interaction, fragment_id: str, judge: Judge) -> tuple[StoredReceipt, ...]:
    """What `interaction` adds to the engagement of whoever owns the fragment."""
    return tuple(_engagement_receipt(interaction, fragment_id, judge, award) for award in judge.engagement(interaction) if award.points_e4)


def summed_up(receipts: Iterable[StoredReceipt]) -> tuple[StoredReceipt, ...]:
    """At most EVENT_RECEIPTS of them; what is beyond is summed up in one more for each measure, so that the points still add up."""
    all_of_them = tuple(receipts)
    first, rest = all_of_them[:EVENT_RECEIPTS], all_of_them[EVENT_RECEIPTS:]
    return (*first, *(_sum(measure, same) for measure in (FIT, ENGAGEMENT) if (same := [one for one in rest if one.measure == measure])))


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
        receipt_id=derive_id("rcp", interaction.occurred_at, ENGAGEMENT, interaction.interaction_id, award.rule, judge.label),
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
