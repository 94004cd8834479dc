"""Treatments: what can be offered to a person, and when it is the right thing to offer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from contracts.values import ConsentChannel, Value
from rulebook.evaluate import UnknownPolicy
from services.nurture.domain.conditions import Condition, compile_condition
from services.nurture.domain.stages import BuyingStage


class Channel(StrEnum):
    """By which way a treatment reaches somebody."""

    WEB = "web"
    EMAIL = "email"
    PHONE = "phone"
    POST = "post"
    EVENT = "event"


class Purpose(StrEnum):
    """What a treatment is for: to sell, or to help somebody understand."""

    PROMOTIONAL = "promotional"
    EDUCATIONAL = "educational"


REACHED_BY: dict[Channel, ConsentChannel] = {
    Channel.EMAIL: ConsentChannel.EMAIL,
    Channel.PHONE: ConsentChannel.PHONE,
    Channel.POST: ConsentChannel.POST,
}
"""The channels that go to where somebody is, and the consent that speaks of them."""


class Content(Value):
    """What is shown or said. `url` is an address, or a path on the site that shows it."""

    headline: str
    text: str
    url: str
    image_url: str | None = None
    call_to_action: str | None = None


class Limits(Value):
    """How often one person may be shown it: `per_person` times at most, and not again before `every_days` have passed."""

    per_person: int | None = None
    every_days: int | None = None


class TreatmentBody(Value):
    """One revision of a treatment, as somebody wrote it. Empty `stages` or `buying_stages` mean all."""

    name: str
    channel: Channel
    purpose: Purpose
    buying_stages: tuple[BuyingStage, ...] = ()
    stages: tuple[str, ...] = ()
    when: str | None = None
    unknown: UnknownPolicy = UnknownPolicy.SKIP
    priority: int = 50
    requires_consent: bool
    limits: Limits = Limits()
    campaign_id: str | None = None
    content: Content
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None
    is_active: bool = True


def needs_consent(channel: Channel, purpose: Purpose) -> bool:
    """Whether somebody must have agreed, unless the treatment says otherwise."""
    return purpose is Purpose.PROMOTIONAL and channel in REACHED_BY


@dataclass(frozen=True, slots=True)
class Treatment:
    """One revision, ready to be weighed."""

    treatment_id: str
    revision: int
    body: TreatmentBody
    condition: Condition | None

    @property
    def label(self) -> str:
        """How receipts name it: `trt_x@3`."""
        return f"{self.treatment_id}@{self.revision}"

    @property
    def specificity(self) -> int:
        """How many of stage, buying stage and condition it names."""
        return sum(map(bool, (self.body.stages, self.body.buying_stages, self.body.when)))


def ready(treatment_id: str, revision: int, body: TreatmentBody) -> Treatment:
    """Compiles the condition. Raises RulebookError, whose lines and columns are those of `when`."""
    condition = None if body.when is None else compile_condition(body.when, body.unknown)
    return Treatment(treatment_id, revision, body, condition)
