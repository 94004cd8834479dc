"""What identity says: who did it, and who turned out to be whom."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from contracts.campaigns import CampaignTag
from contracts.envelope import Event
from contracts.events.person import PersonEvent
from contracts.events.scoring import Attribute
from contracts.values import (
    Belonging,
    CandidateStatus,
    Consent,
    ConsentChannel,
    Identifier,
    Interaction,
    JsonObject,
    Strength,
    Value,
    WithheldReason,
)


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
    account_id: str | None = None  # the person's, as it is known by now
    interaction: Interaction
    # what it says of the person and their company: attribute -> value of our type, null where it is taken back.
    # None in what was said before facts travelled
    facts: JsonObject | None = None
    campaign: CampaignTag | None = None
    # the account that it names; only where that is believed more than what was named on this fragment before
    belonging: Belonging | None = None

    @property
    def lane_key(self) -> str:
        return self.fragment_id


class InteractionWithheld(Event):
    """Nobody did this: a robot did. It is kept apart, is nobody's, and nothing else is said of it, unless a human
    releases it.
    """

    wire_name: ClassVar[str] = "identity.interaction.withheld.v1"
    owner: ClassVar[str] = "identity"
    omits_defaults: ClassVar[bool] = True

    interaction_id: str
    source_id: str
    is_test: bool = False
    occurred_at: AwareDatetime
    reason: WithheldReason
    sign: str  # what told it: the name in the user agent, or that a trap was filled in

    @property
    def lane_key(self) -> str:
        return self.interaction_id


class InteractionReleased(Event):
    """A human says that somebody did it after all. `identity.interaction.recognized` of it comes with this, as it would
    have come then.
    """

    wire_name: ClassVar[str] = "identity.interaction.released.v1"
    owner: ClassVar[str] = "identity"

    interaction_id: str
    source_id: str
    was: WithheldReason
    released_by: str
    reason: str  # in the words of whoever released it

    @property
    def lane_key(self) -> str:
        return self.interaction_id


class PersonCreated(Event):
    """Someone goes by a name and can be told from others. Of a browser that says none, only what it does is said."""

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


class CandidateProposed(Event):
    """Two people may be one: somebody claims it who cannot prove it. They stay two until a human decides."""

    wire_name: ClassVar[str] = "identity.candidate.proposed.v1"
    owner: ClassVar[str] = "identity"

    candidate_id: str
    person_ids: tuple[str, str]  # who the two are at this moment
    fragment_ids: tuple[str, str]  # the two names that were claimed together
    reason: str  # why no machine joins them
    strength: Strength
    source_id: str | None
    sentence: str

    @property
    def lane_key(self) -> str:
        return self.fragment_ids[0]


class CandidateDecided(Event):
    """A human has decided whether two people are one; that they are, `identity.person.merged` says too."""

    wire_name: ClassVar[str] = "identity.candidate.decided.v1"
    owner: ClassVar[str] = "identity"

    candidate_id: str
    status: CandidateStatus
    person_ids: tuple[str, str]
    fragment_ids: tuple[str, str]
    decided_by: str
    reason: str
    link_id: str | None = None  # of the merge; cut it to take the decision back

    @property
    def lane_key(self) -> str:
        return self.fragment_ids[0]


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


class AccountPart(Value):
    """One account, with the ids of all it was known as, oldest first; the first is its own."""

    account_id: str
    account_ids: tuple[str, ...]
    facts: dict[str, Attribute] = {}  # what its people share, each with where it comes from; null: taken back
    version: int  # counts what was said of the account; an older one says nothing


class AccountChanged(Event):
    """More is known about a company, or by what it is known."""

    wire_name: ClassVar[str] = "identity.account.changed.v1"
    owner: ClassVar[str] = "identity"

    account_id: str
    domain: str | None = None
    group_id: str | None = None
    name: str | None = None
    traits: JsonObject = {}
    whole: AccountPart | None = None  # None in what was said before its people shared anything

    @property
    def lane_key(self) -> str:
        return self.account_id


class AccountMerged(Event):
    """Several accounts turned out to be one company. The absorbed ids stay valid and answer with the survivor."""

    wire_name: ClassVar[str] = "identity.account.merged.v1"
    owner: ClassVar[str] = "identity"

    account_id: str  # the survivor: the oldest
    absorbed_account_ids: tuple[str, ...]
    whole: AccountPart
    strength: Strength
    sentence: str

    @property
    def lane_key(self) -> str:
        return self.account_id


class AccountSplit(Event):
    """One account turned out to be several companies; `parts` name all of them."""

    wire_name: ClassVar[str] = "identity.account.split.v1"
    owner: ClassVar[str] = "identity"

    account_id: str  # which was split
    parts: tuple[AccountPart, ...]
    sentence: str

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

    `fragment_id` is the one that the statement hangs on. `wording` is what was agreed to, as far as it is known. A
    claimed grant is not said while a withdrawal stands on the fragment.
    """

    wire_name: ClassVar[str] = "identity.consent.changed.v1"
    owner: ClassVar[str] = "identity"

    channel: ConsentChannel
    consent: Consent
    interaction_id: str
    source_id: str
    occurred_at: AwareDatetime
    wording: str | None = None
    strength: Strength | None = None  # None in what was said before this field was
    # the fragment it was said on; another one when a trusted grant was carried over to lift a withdrawal. It counts
    # while both are one person's. None in what was said before: `fragment_id`
    origin_id: str | None = None
