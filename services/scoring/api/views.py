"""What scoring's answers look like."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.http.fields import Moment
from contracts.events.scoring import Attribute
from contracts.values import AccountClaim, Flag, InteractionKind, JsonObject, Receipt, Scores, SourceKind, Strength

LONGEST_TEXT = 100_000  # characters of a rulebook; the default one has 11,000

PersonId = Annotated[
    str, Path(min_length=1, max_length=64, description="A person; an id that a merge absorbed answers with the survivor", examples=["per_01J8Z0"])
]
AsOf = Annotated[
    Moment | None,
    Query(description="What was the case at that moment, by when things happened", examples=["2026-03-01T08:00:00Z"]),
]
Cursor = Annotated[str | None, Query(max_length=128, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page")]

_ATTRIBUTE = {
    "value": "VP Marketing",
    "strength": "verified",
    "source_id": "src_01J8Z0",
    "interaction_id": "int_01J8Z0",
    "occurred_at": "2026-03-01T08:00:00Z",
}


class PersonView(BaseModel):
    """What is known about a person, and how ready they are."""

    person_id: str = Field(examples=["per_01J8Z0"])
    graph_version: int = Field(description="Which grouping of fragments this rests on")
    is_test: bool = Field(description="Whether all that was captured of this person came from test sources")
    name: str | None = Field(description="The name to show, in the order of its script", examples=["Ada Lovelace", "山田太郎"])
    profile: dict[str, Attribute] = Field(description="The claim that is believed, by attribute", examples=[{"title": _ATTRIBUTE}])
    scores: Scores = Field(description="Fit and engagement at `scores.at`, and the cell of the grid (fit A-D, engagement 1-4)")
    latest_fact_at: AwareDatetime | None = Field(description="When this person last did something")
    history: dict[str, list[Attribute]] | None = Field(default=None, description="With `history=true`: all claims, the believed one first")


class PeoplePage(BaseModel):
    """One page of people."""

    items: list[PersonView]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class LookupRequest(BaseModel):
    """Whom to look up."""

    model_config = ConfigDict(extra="forbid")

    person_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(min_length=1, max_length=200, examples=[["per_01J8Z0"]])
    as_of: Moment | None = Field(default=None, description="What was the case at that moment")


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView]
    current: dict[str, str] = Field(description="Asked id -> the person who answers to it", examples=[{"per_01J8Z9": "per_01J8Z0"}])


class ReceiptsPage(BaseModel):
    """Why the scores are what they are, newest first. All contributions together, faded to one moment, are the score at that moment."""

    items: list[Receipt]
    next_cursor: str | None


class FactView(BaseModel):
    """One thing a person did."""

    interaction_id: str
    fragment_id: str
    kind: InteractionKind
    name: str | None
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    source_id: str
    source_kind: SourceKind
    message_id: str = Field(description="The sender's id of it; a retry carries the same")
    flags: list[Flag] = Field(description="What was odd about the capture, and what was done about it")
    strength: Strength = Field(description="How far the identifiers it came with are believed")
    is_test: bool
    rulebook: str = Field(description="The version that judged it", examples=["scoring@1"])
    traits: JsonObject
    properties: JsonObject
    page: dict[str, Any] | None = Field(description="The page it happened on, if the source told")
    campaign: dict[str, Any] | None
    account: AccountClaim | None


class TimelinePage(BaseModel):
    """What a person did, newest first."""

    items: list[FactView]
    next_cursor: str | None


class RulebookView(BaseModel):
    """One version of the scoring rulebook, without its text."""

    version: int
    label: str = Field(description="How receipts name it", examples=["scoring@1"])
    state: str = Field(examples=["draft", "active"])
    digest: str = Field(description="SHA-256 of the content")
    created_at: AwareDatetime
    created_by: str
    activated_at: AwareDatetime | None
    activated_by: str | None


class RulebookText(RulebookView):
    """One version with its text."""

    text: str = Field(description="YAML, as it was sent")


class RulebooksPage(BaseModel):
    """All versions, the latest first."""

    items: list[RulebookView]
    next_cursor: str | None = None


class DraftRequest(BaseModel):
    """A new version, as JSON; `text/yaml` with the bare text does as well."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="The rulebook's YAML")
