"""Treatments: what can be offered to a person, and when it is the right thing to offer.

What changes about a treatment makes a new revision in the catalogue, and no revision is ever rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import AwareDatetime, Field

from contracts.values import ConsentChannel, Value
from rulebook.vocabulary import UnknownPolicy
from services.nurture.domain.rules import BuyingStage, TreatmentCondition, compile_condition


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

    headline: str = Field(description="The line above it", examples=["How others did it"])
    text: str = Field(
        description="What it says", examples=["Three companies tell what they changed and what it brought them."]
    )
    url: str = Field(
        description="Where it leads: an http address, or a path on the site that shows it", examples=["/customers"]
    )
    image_url: str | None = Field(
        default=None, description="A picture beside it; null: none", examples=["https://www.harbour.example/guide.png"]
    )
    call_to_action: str | None = Field(
        default=None, description="The words on the button; null: none", examples=["Read their stories"]
    )


class Limits(Value):
    """How often one person may be shown it: `per_person` times at most, and not again before `every_days` have
    passed.
    """

    per_person: int | None = Field(default=None, description="At most so many times; null: without limit", examples=[3])
    every_days: int | None = Field(
        default=None, description="Not again before so many days have passed; null: at any time", examples=[30]
    )


class TreatmentBody(Value):
    """One revision of a treatment, as somebody wrote it. Empty `stages` or `buying_stages` mean all."""

    name: str = Field(description="What you call it; visitors may read it too", examples=["How others did it"])
    channel: Channel = Field(description="By which way it reaches somebody")
    purpose: Purpose = Field(description="What it is for: to sell, or to help somebody understand")
    buying_stages: tuple[BuyingStage, ...] = Field(default=(), description="For people in these; empty: for all")
    stages: tuple[str, ...] = Field(
        default=(), description="For people in these lifecycle stages; empty: for all", examples=[["engaged"]]
    )
    when: str | None = Field(
        default=None,
        description="A condition in CEL over what is known of the person; null: none",
        examples=["company.employees >= 200"],
    )
    unknown: UnknownPolicy = Field(
        default=UnknownPolicy.SKIP, description="What it means for `when` if a fact is not known"
    )
    priority: int = Field(
        default=50, description="Of those that fit, the greatest comes first, from 0 to 1000", examples=[50]
    )
    requires_consent: bool = Field(
        description="Whether only those are shown it who agreed to be reached by its channel"
    )
    limits: Limits = Field(default=Limits(), description="How often one person is shown it")
    campaign_id: str | None = Field(
        default=None, description="The campaign it belongs to; null: none", examples=["cmp_01J8Z0"]
    )
    content: Content = Field(description="What is shown or said")
    valid_from: AwareDatetime | None = Field(
        default=None, description="It fits from this moment on; null: it always did", examples=["2026-03-01T00:00:00Z"]
    )
    valid_until: AwareDatetime | None = Field(
        default=None, description="It ends at this moment; null: it does not", examples=["2026-06-01T00:00:00Z"]
    )
    is_active: bool = Field(default=True, description="Whether it can be chosen")


def needs_consent(channel: Channel, purpose: Purpose) -> bool:
    """Whether somebody must have agreed, unless the treatment says otherwise."""
    return purpose is Purpose.PROMOTIONAL and channel in REACHED_BY


@dataclass(frozen=True, slots=True)
class Treatment:
    """One revision, ready to be weighed."""

    treatment_id: str
    revision: int
    body: TreatmentBody
    condition: TreatmentCondition | None

    @property
    def label(self) -> str:
        """How receipts name it: `trt_x@3`."""
        return f"{self.treatment_id}@{self.revision}"

    @property
    def specificity(self) -> int:
        """How many of stage, buying stage and condition it names."""
        return sum(map(bool, (self.body.stages, self.body.buying_stages, self.body.when)))


def compile_treatment(treatment_id: str, revision: int, body: TreatmentBody) -> Treatment:
    """Compiles the condition. Raises RulebookError, whose lines and columns are those of `when`."""
    condition = None if body.when is None else compile_condition(body.when, body.unknown)
    return Treatment(treatment_id, revision, body, condition)


class TreatmentRevision(NamedTuple):
    """A treatment at a revision."""

    treatment_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A treatment in the catalogue with its newest revision, or with an older one that was asked for."""

    treatment_id: str
    revision: int
    latest: int
    external_id: str | None
    is_starter: bool
    created_at: datetime
    revised_at: datetime
    revised_by: str
    body: TreatmentBody


@dataclass(frozen=True, slots=True)
class TreatmentEdit:
    """What somebody wants a treatment to be. `external_id` None leaves the one it has."""

    body: TreatmentBody
    external_id: str | None
    by: str
    at: datetime


def is_revision(entry: CatalogueEntry, edit: TreatmentEdit) -> bool:
    """Whether the edit says anything that the newest revision does not."""
    return entry.body != edit.body


# what an empty catalogue starts with: plain, for any product, and there to be replaced
STARTERS: dict[str, TreatmentBody] = {
    "guide": TreatmentBody(
        name="A guide for beginners",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.AWARENESS,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="New to the subject?",
            text="Our guide explains in ten minutes what matters, what it costs and where to begin.",
            url="/guide",
            call_to_action="Read the guide",
        ),
    ),
    "case_study": TreatmentBody(
        name="How others did it",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.CONSIDERATION,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="How others did it",
            text="Three companies tell what they changed, what went wrong at first and what it brought them.",
            url="/customers",
            call_to_action="Read their stories",
        ),
    ),
    "comparison": TreatmentBody(
        name="A comparison of the ways to do it",
        channel=Channel.WEB,
        purpose=Purpose.PROMOTIONAL,
        buying_stages=(BuyingStage.CONSIDERATION, BuyingStage.DECISION),
        priority=40,
        requires_consent=False,
        content=Content(
            headline="Which way suits you?",
            text="Do it yourself, have it done, or use our product: what speaks for each, side by side.",
            url="/compare",
            call_to_action="Compare",
        ),
    ),
    "talk_to_us": TreatmentBody(
        name="Talk to us",
        channel=Channel.WEB,
        purpose=Purpose.PROMOTIONAL,
        buying_stages=(BuyingStage.DECISION,),
        priority=60,
        requires_consent=False,
        content=Content(
            headline="Questions before you decide?",
            text="Half an hour with somebody who knows the subject. Bring your figures; we bring ours.",
            url="/contact",
            call_to_action="Find a time",
        ),
    ),
    "first_steps": TreatmentBody(
        name="First steps for customers",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.CUSTOMER,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="Get the most out of it",
            text="The five things that customers set up in their first month, with pictures.",
            url="/first-steps",
            call_to_action="Begin",
        ),
    ),
    "keep_in_touch": TreatmentBody(
        name="What is new since we spoke",
        channel=Channel.EMAIL,
        purpose=Purpose.PROMOTIONAL,
        stages=("recycled", "lost"),
        when="known.person.email",
        priority=60,
        requires_consent=True,
        limits=Limits(every_days=30),
        content=Content(
            headline="What is new since we spoke",
            text="A short letter, once a month: what has changed here, and what others made of it.",
            url="/news",
            call_to_action="See what is new",
        ),
    ),
}
"""By a key that never changes: their ids derive from it."""
