"""What identity says: who did it, and who turned out to be whom."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from contracts.campaigns import CampaignTag
from contracts.envelope import Event
from contracts.events.person import PersonEvent
from contracts.values import Consent, ConsentChannel, Identifier, Interaction, JsonObject, Strength, Value


class InteractionRecognized(Event):
    """An interaction was given to a person. The fragment never changes; the person
    is who it belonged to at `graph_version`.
    """

    wire_name: ClassVar[str] = "identity.interaction.recognized.v1"
    owner: ClassVar[str] = "identity"
    omits_defaults: ClassVar[bool] = True

    fragment_id: str
    person_id: str
    graph_version: int
    strength: Strength  # of the identifiers that the interaction carried
    identifiers: tuple[Identifier, ...]  # normalised
    account_id: str | None = None
    interaction: Interaction
    # what it says of the person and their company: attribute -> value of our type, null where it is taken back.
    # None in what was said before facts travelled
    facts: JsonObject | None = None
    campaign: CampaignTag | None = None

    @property
    def lane_key(self) -> str:
        return self.fragment_id


class PersonCreated(Event):
    """Someone goes by a name: they can be told from others. Of a browser that never says who
    it is, nothing is said but what it does.
    """

    wire_name: ClassVar[str] = "identity.person.created.v1"
    owner: ClassVar[str] = "identity"

    person_id: str
    fragment_id: str  # the oldest; the person's id derives from it
    graph_version: int
    is_test: bool = False
    # when they did what they were first seen by; None in what was said before this field was
    occurred_at: AwareDatetime | None = None

    @property
    def lane_key(self) -> str:
        return self.fragment_id


class PersonMerged(Event):
    """Several people turned out to be one. The absorbed ids stay valid and answer with the survivor."""

    wire_name: ClassVar[str] = "identity.person.merged.v1"
    owner: ClassVar[str] = "identity"
    every_lane: ClassVar[bool] = True

    person_id: str  # the survivor: the one with the oldest fragment
    absorbed_person_ids: tuple[str, ...]
    fragment_ids: tuple[str, ...]  # all of the survivor's, oldest first
    graph_version: int
    strength: Strength
    sentence: str

    @property
    def lane_key(self) -> str:
        return self.fragment_ids[0]


class PersonPart(Value):
    """One of the people that a split left."""

    person_id: str
    fragment_ids: tuple[str, ...]
    graph_version: int


class PersonSplit(Event):
    """One person turned out to be several; `parts` name all of them with all their fragments."""

    wire_name: ClassVar[str] = "identity.person.split.v1"
    owner: ClassVar[str] = "identity"
    every_lane: ClassVar[bool] = True

    person_id: str  # who was split
    parts: tuple[PersonPart, ...]
    graph_version: int
    sentence: str

    @property
    def lane_key(self) -> str:
        return self.parts[0].fragment_ids[0]


class AccountCreated(Event):
    """A company was seen for the first time."""

    wire_name: ClassVar[str] = "identity.account.created.v1"
    owner: ClassVar[str] = "identity"

    account_id: str
    domain: str | None = None
    group_id: str | None = None
    name: str | None = None

    @property
    def lane_key(self) -> str:
        return self.account_id


class AccountChanged(Event):
    """More is known about a company."""

    wire_name: ClassVar[str] = "identity.account.changed.v1"
    owner: ClassVar[str] = "identity"

    account_id: str
    domain: str | None = None
    group_id: str | None = None
    name: str | None = None
    traits: JsonObject = {}

    @property
    def lane_key(self) -> str:
        return self.account_id


class PersonMarked(PersonEvent):
    """Somebody said that this person is a test, or is none after all. The mark hangs on the fragment."""

    wire_name: ClassVar[str] = "identity.person.marked.v1"
    owner: ClassVar[str] = "identity"

    is_test: bool
    marked_by: str


class ConsentChanged(PersonEvent):
    """A person granted or withdrew being reached by a channel; said when the answer for a fragment becomes another.

    `fragment_id` is the one that the statement hangs on. `wording` is what was agreed to, as far as it is known.
    """

    wire_name: ClassVar[str] = "identity.consent.changed.v1"
    owner: ClassVar[str] = "identity"

    channel: ConsentChannel
    consent: Consent
    interaction_id: str
    source_id: str
    occurred_at: AwareDatetime
    wording: str | None = None
