"""What identity is asked, and what its answers look like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.fields import Truth
from contracts.values import Consent, ConsentChannel, IdentifierKind, Strength
from people_kernel.consent import answers
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, account_of, is_test_person, person_of
from services.identity.domain.links import Reason, Regrouping

_PERSON = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_OTHER = "per_01JNQ7Y4R2A6HM1CFK8SD0PVQG"
_FRAGMENT = "frg_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_LINK = "lnk_01JNQ5P2TB9D6WX3KE7MZ1HFYA"

_ANSWERS = "The person; an id that was absorbed by a merge works too"
PersonId = Annotated[str, Path(min_length=1, max_length=64, description=_ANSWERS, examples=[_PERSON])]


MAY_REGROUP = ("marketing", "sales", "manager", "ops", "admin")
DryRun = Annotated[bool, Query(description="Only say what would become of them")]


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
    first_seen_at: AwareDatetime
    fragment_id: str = Field(examples=[_FRAGMENT])


class PersonView(View):
    """Who somebody is."""

    person_id: str = Field(examples=[_PERSON])
    identifiers: list[IdentifierView]
    fragments: list[str] = Field(
        description="All fragments whose facts are this person's, oldest first", examples=[[_FRAGMENT]]
    )
    account_id: str | None = Field(description="The company: claimed, or by the domain of a business address")
    graph_version: int | None = Field(description="Counts the changes of `fragments`; null for a moment in the past")
    created_at: AwareDatetime = Field(description="When the oldest fragment was first seen")
    is_test: bool = Field(description="Only test sources ever saw this person, or somebody marked them as a test")
    consent: dict[ConsentChannel, Consent] | None = Field(
        description="By channel, what holds; one that is missing goes by `any`; null for a moment in the past",
        examples=[{"email": "granted"}],
    )


class PeoplePage(View):
    """A page of people in the order of their ids, which is that of their first appearance."""

    items: list[PersonView]
    next_cursor: str | None = Field(description="Ask with `cursor` for the next page; null on the last")


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

    link_id: str = Field(examples=[_LINK])
    left_id: str
    right_id: str
    strength: Strength
    evidence_id: str = Field(description="The capture that showed it; for a manual link, who made it")
    created_at: AwareDatetime
    reason: str | None = Field(description="Why it was made by hand")
    verified_by: str | None = Field(description="The capture with which a server vouched for what had been claimed")
    verified_at: AwareDatetime | None
    cut_at: AwareDatetime | None = Field(description="Null while it holds")
    cut_by: str | None
    cut_reason: str | None


class RefusalView(View):
    """A link that was not made."""

    left_id: str
    right_id: str
    reason: Reason
    strength: Strength
    evidence_id: str = Field(description="The last capture that suggested it")
    first_at: AwareDatetime
    last_at: AwareDatetime
    times: int = Field(ge=1, description="How many captures suggested it")


class RemarkView(View):
    """Something that was given as an identifier and cannot be one; the value stays in the interaction."""

    fragment_id: str
    kind: IdentifierKind
    reason: str = Field(examples=["junk", "not_an_email"])
    interaction_id: str = Field(description="The last interaction with it")
    first_at: AwareDatetime
    last_at: AwareDatetime
    times: int = Field(ge=1)


class LinksView(View):
    """How a person hangs together, and what was kept out."""

    person_id: str
    links: list[LinkView] = Field(description="All links at this person's fragments, cut ones too, oldest first")
    refusals: list[RefusalView]
    remarks: list[RemarkView]


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
    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=512)


class SplitRequest(RequestBody):
    """Name exactly one of `link_ids`, `identifiers`, `fragment_ids`."""

    link_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, min_length=1, max_length=200, description="Cut these links"
    )
    identifiers: list[NamedIdentifier] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Cut every link that ties these to the rest of the person",
        examples=[[{"kind": "anonymous_id", "value": "8f14e45f"}]],
    )
    fragment_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        default=None, min_length=1, max_length=200, description="As `identifiers`, by fragment"
    )
    reason: str = Field(
        min_length=1, max_length=500, description="Kept with the cut, and told", examples=["Shared office computer"]
    )


class PartView(View):
    """One person that a merge or a split leaves."""

    person_id: str = Field(examples=[_PERSON])
    fragments: list[str] = Field(examples=[[_FRAGMENT]])
    identifiers: list[NamedIdentifier]
    graph_version: int


class RegroupingView(View):
    """What came of a merge or a split; of a dry run, what would."""

    dry_run: bool
    people: list[PartView]
    new_link_ids: list[str] = Field(
        description="Cut these to undo a merge; a dry run's link does not exist, and none is named"
    )
    cut_link_ids: list[str]
    changed: bool = Field(description="False when links were cut, but others still hold the person together")
    sentence: str


def person_view(
    fragments: Sequence[Fragment], links: Iterable[Link], consents: Iterable[FragmentConsent] | None
) -> PersonView:
    """`fragments` are one person's, oldest first; `links` at least those that held at the moment;
    `consents` None for a moment in the past.
    """
    best: dict[str, Strength] = {}
    for link in links:
        for end in link.pair:
            best[end] = max(best.get(end, Strength.CLAIMED), link.strength, key=_BELIEF.__getitem__)
    return PersonView(
        person_id=person_of(fragments[0].fragment_id),
        identifiers=[
            IdentifierView(
                kind=IdentifierKind(one.kind),
                value=one.value,
                strength=best.get(one.fragment_id),
                first_seen_at=one.created_at,
                fragment_id=one.fragment_id,
            )
            for one in sorted(fragments, key=_by_kind)
            if one.kind is not None and one.value is not None
        ],
        fragments=[one.fragment_id for one in fragments],
        account_id=account_of(fragments),
        graph_version=None if consents is None else fragments[0].graph_version,
        created_at=fragments[0].created_at,
        is_test=is_test_person(fragments),
        consent=None if consents is None else consent_told(consents),
    )


def consent_told(consents: Iterable[FragmentConsent]) -> dict[ConsentChannel, Consent]:
    """What holds for one person, by channel."""
    return {channel: one.consent for channel, one in answers(consents).items()}


def link_view(link: Link) -> LinkView:
    return LinkView(**{name: getattr(link, name) for name in LinkView.model_fields})


def regrouping_view(came: Regrouping, *, dry_run: bool) -> RegroupingView:
    named = {one.fragment_id: one for one in came.fragments}
    said = [str(getattr(event, "sentence", "")) for event in came.said]
    parts = [
        PartView(
            person_id=part.person_id,
            fragments=list(part.fragment_ids),
            identifiers=[
                NamedIdentifier(kind=IdentifierKind(kind), value=str(named[one].value))
                for one in part.fragment_ids
                if (kind := named[one].kind)
            ],
            graph_version=part.graph_version,
        )
        for part in came.people
    ]
    return RegroupingView(
        dry_run=dry_run,
        people=parts,
        new_link_ids=[] if dry_run else [link.link_id for link in came.new_links],
        cut_link_ids=[link.link_id for link in came.cut_links],
        changed=bool(came.said),
        sentence=said[0] if said else "Other links still hold this person together.",
    )


_BELIEF = {Strength.CLAIMED: 0, Strength.INFERRED: 1, Strength.VERIFIED: 2, Strength.MANUAL: 3}
_KIND_ORDER = {kind.value: rank for rank, kind in enumerate(IdentifierKind)}


def _by_kind(fragment: Fragment) -> tuple[int, str]:
    return _KIND_ORDER.get(fragment.kind or "", len(_KIND_ORDER)), fragment.fragment_id
