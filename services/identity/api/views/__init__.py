"""What identity is asked, and what its answers look like."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.fields import Truth
from contracts.values import Consent, ConsentChannel, IdentifierKind, Strength
from people_kernel.api.pages import NextCursor
from services.identity.domain.links import Reason

_PERSON = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_OTHER = "per_01JNQ7Y4R2A6HM1CFK8SD0PVQG"
_FRAGMENT = "frg_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_LINK = "lnk_01JNQ5P2TB9D6WX3KE7MZ1HFYA"
_CAPTURE = "cap_1XR29R4K929C0H1P6ZZK8TTA54"
_MOMENT = "2026-03-02T09:30:00Z"
_FRAGMENTS = [_FRAGMENT, "frg_01JNQ7Y4R2A6HM1CFK8SD0PVQG"]
_NAMES = [{"kind": "email", "value": "ann.lee@acme.com"}, {"kind": "user_id", "value": "u-77"}]

_ANSWERS = "The person; an id that was absorbed by a merge works too"
PersonId = Annotated[str, Path(min_length=1, max_length=64, description=_ANSWERS, examples=[_PERSON])]


MAY_REGROUP = ("marketing", "sales", "manager", "ops", "admin")
DryRun = Annotated[bool, Query(description="Only say what would become of them", examples=[True])]


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class RequestBody(View):
    model_config = ConfigDict(extra="forbid")


class IdentifierView(View):
    """One name a person goes by."""

    kind: IdentifierKind
    value: str = Field(description="In the one spelling that is searched by", examples=["ann.lee@acme.com"])
    strength: Strength | None = Field(
        description="The best evidence that ties it to the person; null while it is the only one"
    )
    first_seen_at: AwareDatetime = Field(description="When it was first captured, in UTC", examples=[_MOMENT])
    fragment_id: str = Field(description="The fragment that this name is", examples=[_FRAGMENT])


class PersonView(View):
    """Who somebody is."""

    person_id: str = Field(description="Who it is now; the survivor of every merge", examples=[_PERSON])
    identifiers: list[IdentifierView] = Field(description="All names the person goes by, the strongest kind first")
    fragments: list[str] = Field(
        description="All fragments whose facts are this person's, oldest first", examples=[[_FRAGMENT]]
    )
    account_id: str | None = Field(
        description="The company: claimed, or by the domain of a business address; null: none is known",
        examples=["acc_7ZQ4M0E8K3V7ZJ4T9XW2RBCDA1"],
    )
    graph_version: int | None = Field(
        description="Counts the changes of `fragments`; null for a moment in the past", examples=[2]
    )
    created_at: AwareDatetime = Field(description="When the oldest fragment was first seen, in UTC", examples=[_MOMENT])
    is_test: bool = Field(description="Only test sources ever saw this person, or somebody marked them as a test")
    consent: dict[ConsentChannel, Consent] | None = Field(
        description="By channel, what holds; one that is missing goes by `any`; null for a moment in the past",
        examples=[{"email": "granted"}],
    )


class PeoplePage(View):
    """A page of people in the order of their ids, which is that of their first appearance."""

    items: list[PersonView] = Field(description="The people")
    next_cursor: NextCursor


class LookupRequest(RequestBody):
    person_ids: list[Annotated[str, Field(max_length=64)]] = Field(
        max_length=200, description="Up to 200 ids", examples=[[_PERSON, _OTHER]]
    )


class LookupAnswer(View):
    """People by id."""

    items: list[PersonView] = Field(description="Each person once, by id")
    current: dict[str, str] = Field(
        description="Asked id -> the id it answers with now; unknown ids are missing", examples=[{_OTHER: _PERSON}]
    )


class LinkView(View):
    """Why two fragments are one person's."""

    link_id: str = Field(description="Which link; `:split` cuts it by this id", examples=[_LINK])
    left_id: str = Field(description="One of the two fragments", examples=[_FRAGMENTS[0]])
    right_id: str = Field(description="The other fragment", examples=[_FRAGMENTS[1]])
    strength: Strength
    evidence_id: str = Field(
        description="The capture that showed it; for a manual link, who made it", examples=[_CAPTURE]
    )
    created_at: AwareDatetime = Field(description="When it was made, in UTC", examples=[_MOMENT])
    reason: str | None = Field(
        description="Why it was made by hand; null: a machine made it", examples=["Same person, met at the fair"]
    )
    verified_by: str | None = Field(
        description="The capture with which a server vouched for what had been claimed; null: none had to, or none did",
        examples=[_CAPTURE],
    )
    verified_at: AwareDatetime | None = Field(
        description="When that was, in UTC; null where `verified_by` is", examples=[_MOMENT]
    )
    cut_at: AwareDatetime | None = Field(description="When it was cut, in UTC; null while it holds", examples=[_MOMENT])
    cut_by: str | None = Field(
        description="Who cut it; `identity`: it gave way to a server's word; null while it holds", examples=["ada"]
    )
    cut_reason: str | None = Field(
        description="Why it was cut, in words; null while it holds", examples=["Shared office computer"]
    )


class RefusalView(View):
    """A link that was not made."""

    left_id: str = Field(description="One of the two fragments", examples=[_FRAGMENTS[0]])
    right_id: str = Field(description="The other fragment", examples=[_FRAGMENTS[1]])
    reason: Reason
    strength: Strength
    evidence_id: str = Field(description="The last capture that suggested it", examples=[_CAPTURE])
    first_at: AwareDatetime = Field(description="When it was first suggested, in UTC", examples=[_MOMENT])
    last_at: AwareDatetime = Field(description="When it was last suggested, in UTC", examples=[_MOMENT])
    times: int = Field(ge=1, description="How many captures suggested it", examples=[3])


class RemarkView(View):
    """Something that was given as an identifier and cannot be one; the value stays in the interaction."""

    fragment_id: str = Field(description="The fragment that the interaction hangs on", examples=[_FRAGMENT])
    kind: IdentifierKind
    reason: str = Field(description="Why nobody can go by it, as a code", examples=["junk", "not_an_email"])
    interaction_id: str = Field(description="The last interaction with it", examples=["int_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"])
    first_at: AwareDatetime = Field(description="When it was first given, in UTC", examples=[_MOMENT])
    last_at: AwareDatetime = Field(description="When it was last given, in UTC", examples=[_MOMENT])
    times: int = Field(ge=1, description="How often it was given", examples=[3])


class LinksView(View):
    """How a person hangs together, and what was kept out."""

    person_id: str = Field(description="Who it is now; the survivor of every merge", examples=[_PERSON])
    links: list[LinkView] = Field(description="All links at this person's fragments, cut ones too, oldest first")
    refusals: list[RefusalView] = Field(description="The links that were not made, each with why, oldest first")
    remarks: list[RemarkView] = Field(description="What was given as an identifier and is none, oldest first")


class MergeRequest(RequestBody):
    with_person_id: str = Field(min_length=1, max_length=64, description="The other one", examples=[_OTHER])
    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Kept with the link, and told",
        examples=["Same person, met at the fair"],
    )


class MarkRequest(RequestBody):
    is_test: Truth = Field(description="true: a test; false: none after all")


class NamedIdentifier(RequestBody):
    """One name, as a person goes by it."""

    kind: IdentifierKind
    value: str = Field(
        min_length=1,
        max_length=512,
        description="The name itself; in a request in any spelling",
        examples=["ann.lee@acme.com"],
    )


class SplitRequest(RequestBody):
    """Name exactly one of `link_ids`, `identifiers`, `fragment_ids`."""

    link_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, min_length=1, max_length=200, description="Cut these links", examples=[[_LINK]]
    )
    identifiers: list[NamedIdentifier] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Cut every link that ties these to the rest of the person",
        examples=[[{"kind": "anonymous_id", "value": "8f14e45f"}]],
    )
    fragment_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, min_length=1, max_length=200, description="As `identifiers`, by fragment", examples=[[_FRAGMENT]]
    )
    reason: str = Field(
        min_length=1, max_length=500, description="Kept with the cut, and told", examples=["Shared office computer"]
    )


class PartView(View):
    """One person that a merge or a split leaves."""

    person_id: str = Field(description="Who it is from now on", examples=[_PERSON])
    fragments: list[str] = Field(description="The fragments of this person, oldest first", examples=[_FRAGMENTS])
    identifiers: list[NamedIdentifier] = Field(description="The names this person goes by", examples=[_NAMES])
    graph_version: int = Field(description="Counts the changes of `fragments`", examples=[3])


class RegroupingView(View):
    """What came of a merge or a split; of a dry run, what would."""

    dry_run: bool = Field(description="true: nothing was changed, this is what would come of it")
    people: list[PartView] = Field(description="The people there are now")
    new_link_ids: list[str] = Field(
        description="Cut these to undo a merge; a dry run's link does not exist, and none is named", examples=[[_LINK]]
    )
    cut_link_ids: list[str] = Field(description="The links that were cut; none for a merge", examples=[[_LINK]])
    changed: bool = Field(description="False when links were cut, but others still hold the person together")
    sentence: str = Field(
        description="What came of it, in plain words", examples=["ada merged the two: Same person, met at the fair"]
    )
