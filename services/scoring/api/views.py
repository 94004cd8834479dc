"""What scoring's answers look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.attributes import is_unreadable, readable
from contracts.events.scoring import Attribute
from contracts.values import AccountClaim, Flag, InteractionKind, JsonObject, Scores, SourceKind, Strength
from people_kernel.api.pages import Current, NextCursor

_MOMENT = "2026-03-01T08:00:00Z"
_ATTRIBUTE = {
    "value": "VP Marketing",
    "strength": "verified",
    "source_id": "src_01J8Z0",
    "interaction_id": "int_01J8Z0",
    "occurred_at": _MOMENT,
}


class PersonView(BaseModel):
    """What is known about a person, and how ready they are."""

    person_id: str = Field(description="Who it is now; the survivor of every merge", examples=["per_01J8Z0"])
    graph_version: int = Field(description="Which grouping of fragments this rests on", examples=[2])
    is_test: bool = Field(
        description=(
            "Whether all that was captured of this person came from test sources, or somebody marked them as a test"
        )
    )
    name: str | None = Field(
        description="The name to show, in the order of its script; null: none is known",
        examples=["Ada Lovelace", "山田太郎"],
    )
    profile: dict[str, Attribute] = Field(
        description=(
            "The claim that is believed, by attribute; words that could not be read stand under"
            " `<attribute>_unreadable` until something readable comes"
        ),
        examples=[{"title": _ATTRIBUTE}],
    )
    scores: Scores = Field(
        description="Fit and engagement at `scores.at`, and the cell of the grid (fit A-D, engagement 1-4)"
    )
    latest_fact_at: AwareDatetime | None = Field(
        description="When this person last did something, in UTC; null: nothing yet", examples=[_MOMENT]
    )
    history: dict[str, list[Attribute]] | None = Field(
        default=None,
        description="With `history=true` the 50 most believed claims of each attribute, the best first; else null",
        examples=[{"title": [_ATTRIBUTE]}],
    )


class PeoplePage(BaseModel):
    """One page of people."""

    items: list[PersonView] = Field(description="The people")
    next_cursor: NextCursor


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView] = Field(description="Each person once, by id")
    current: Current


class BrowserRequest(BaseModel):
    """Which browser is meant."""

    model_config = ConfigDict(extra="forbid")

    anonymous_id: str = Field(
        min_length=1,
        max_length=512,
        description="What the browser calls its visitor, as identity spells it",
        examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"],
    )
    fragment_id: str = Field(
        min_length=1, max_length=64, description="Its fragment, as identity has it", examples=["frg_01J8Z0"]
    )


class BrowserView(BaseModel):
    """What was done and told in one browser, whoever else goes by the names that were told there."""

    profile: dict[str, Attribute] = Field(
        description="What was told in it, by attribute", examples=[{"title": _ATTRIBUTE}]
    )
    scores: Scores = Field(description="What that is worth, at `scores.at`")
    is_named: bool = Field(description="Whether somebody told a user id, an address or a number in it")


class FactView(BaseModel):
    """One thing a person did."""

    interaction_id: str = Field(description="Which interaction", examples=["int_01J8Z0"])
    fragment_id: str = Field(description="The fragment it hangs on; a split takes it along", examples=["frg_01J8Z0"])
    kind: InteractionKind
    name: str | None = Field(
        description="Of the event, the page, the screen or the form; null: it has none", examples=["Demo request"]
    )
    occurred_at: AwareDatetime = Field(description="When it happened, in UTC", examples=[_MOMENT])
    received_at: AwareDatetime = Field(description="When it arrived here, in UTC", examples=["2026-03-01T08:00:02Z"])
    source_id: str = Field(description="The source that sent it", examples=["src_01J8Z0"])
    source_kind: SourceKind
    message_id: str = Field(
        description="The sender's id of it; a retry carries the same", examples=["5f2b8c1e-7d0a-4c55-9e0b-3a1f6d2c4b7e"]
    )
    flags: list[Flag] = Field(
        description="What was odd about the capture, and what was done about it; empty: nothing",
        examples=[["clock_corrected"]],
    )
    strength: Strength = Field(description="How far the identifiers it came with are believed")
    is_test: bool = Field(description="Whether a test source sent it")
    rulebook: str = Field(description="The version that judged it", examples=["scoring@1"])
    traits: JsonObject = Field(
        description="What it says of the person, as it came", examples=[{"title": "VP Marketing"}]
    )
    properties: JsonObject = Field(description="What it says of itself, as it came", examples=[{"plan": "team"}])
    page: dict[str, Any] | None = Field(
        description="The page it happened on; null: the source did not tell",
        examples=[{"url": "https://example.com/pricing", "path": "/pricing", "title": "Pricing"}],
    )
    campaign: dict[str, Any] | None = Field(
        description="The campaign that brought the person here, as it came; null: none was told",
        examples=[{"source": "linkedin", "medium": "cpc", "name": "spring"}],
    )
    account: AccountClaim | None = Field(description="The company that it names; null: it names none")


class TimelinePage(BaseModel):
    """What a person did, newest first."""

    items: list[FactView] = Field(description="The interactions")
    next_cursor: NextCursor


def shown(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """The attributes by name, without words of which nothing could be read where something readable came since."""
    return {
        name: one
        for name, one in sorted(attributes.items())
        if not is_unreadable(name) or not _is_later(attributes.get(readable(name)), one)
    }


def _is_later(one: Attribute | None, other: Attribute) -> bool:
    return one is not None and one.value is not None and one.occurred_at >= other.occurred_at
