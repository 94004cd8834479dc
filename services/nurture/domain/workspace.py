"""The unit of work: the people that a batch of events is about, what was said of them, and the occasions to suggest
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.envelope import Event
from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel, JsonObject, Strength
from people_kernel.consent import ChannelAnswer, StatementKey, key_of
from people_kernel.people import Card
from people_kernel.workspace import Pages, PlacedWorkspace
from services.nurture.domain.rules import ANONYMOUS, Buying
from services.nurture.domain.treatments import Channel


@dataclass(frozen=True, slots=True)
class FragmentConsent:
    """The latest of its kind that was said on a fragment about a channel (`people_kernel.consent`).

    It hangs on the fragment, so that it follows every merge and split.
    """

    fragment_id: str
    channel: ConsentChannel
    consent: Consent
    occurred_at: datetime
    interaction_id: str
    source_id: str
    wording: str | None
    strength: Strength
    origin_id: str

    @property
    def key(self) -> StatementKey:
        return key_of(self)


ConsentByChannel = Mapping[ConsentChannel, ChannelAnswer[FragmentConsent]]
"""What holds for a person, by channel."""


@dataclass(frozen=True, slots=True)
class ShowingCount:
    """How often one person was shown a treatment, and when last."""

    times: int
    last_at: datetime

    def added(self, other: ShowingCount) -> ShowingCount:
        """Both together."""
        return ShowingCount(self.times + other.times, max(self.last_at, other.last_at))


Showings = Mapping[tuple[str, str, bool], ShowingCount]
"""(fragment, treatment, is a test) -> how often it was shown there."""


@dataclass(frozen=True, slots=True)
class NurturedPerson:
    """What nurture knows of a person id beside the card. `told_at` is when the latest stage was decided."""

    person_id: str
    stage: str = ANONYMOUS
    stage_at: datetime | None = None
    told_at: datetime | None = None
    buying: Buying | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a choice is made: somebody asked, or a stage changed. `cause` is the event's id, or that of the request."""

    trigger: str  # asked, browsed (a page asked with a public key), stage, buying_stage
    cause: str
    person_id: str
    graph_version: int
    at: datetime
    occurred_at: datetime
    channel: Channel | None
    is_test: bool
    context: JsonObject

    @property
    def selection_id(self) -> str:
        return derive_id("sel", self.at, self.cause, self.trigger, self.person_id)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An occasion to suggest something, with the person and the card as they were then."""

    cause: Event
    occasion: Occasion
    person: NurturedPerson
    card: Card


@dataclass(slots=True, kw_only=True)
class NurtureWorkspace(PlacedWorkspace):
    """`owned` and `shown` are loaded for those alone to whom something may be suggested."""

    people: Pages[str, NurturedPerson] = field(default_factory=Pages)
    cards: Pages[str, Card] = field(default_factory=Pages)
    consents: Pages[StatementKey, FragmentConsent] = field(default_factory=Pages)
    suggestions: list[Suggestion] = field(default_factory=list)
    owned: Mapping[str, frozenset[str]] = field(default_factory=dict)  # all fragments of a person
    shown: Showings = field(default_factory=dict)
