"""People and their companies: who goes by what, how they hang together, and what humans change about it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.auth import Caller, Principal, require
from chassis.web.fields import Moment
from chassis.web.problems import problem_responses
from chassis.web.routes import READING, WRITING, Read, Write
from contracts.ids import with_prefix
from contracts.limits import LISTED_ROWS
from contracts.values import Identifier, IdentifierKind
from people_kernel.api.pages import ID_CURSOR, AmongRequest, Cursor, Limit, from_id_cursor, to_id_cursor
from people_kernel.errors import PersonNotFound
from semantics.identifiers import normalise
from services.identity.api.views import (
    MAY_REGROUP,
    DryRun,
    LinksView,
    LookupAnswer,
    LookupRequest,
    MarkRequest,
    MergeRequest,
    PeoplePage,
    PersonId,
    PersonView,
    RefusalView,
    RegroupingView,
    RemarkView,
    SplitRequest,
)
from services.identity.api.views.people import link_view, person_view, regrouping_view
from services.identity.commands import people as commands
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Link, links_at, partition_at
from services.identity.domain.links import HumanDecision
from services.identity.domain.recognition import RecognitionRules
from services.identity.store import queries

router = APIRouter(tags=["people"])

_Write = Annotated[Context[RecognitionRules], WRITING]


class PeopleQuery(BaseModel):
    """Filters are combined: people for whom all of them hold."""

    model_config = ConfigDict(extra="forbid")

    user_id: str | None = Field(
        default=None, min_length=1, max_length=512, description="The whole user id", examples=["u-77"]
    )
    email: str | None = Field(
        default=None, min_length=1, max_length=512, description="The whole address", examples=["ann.lee@acme.com"]
    )
    phone: str | None = Field(
        default=None, min_length=1, max_length=512, description="International, or as dialled in the default region"
    )
    anonymous_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=512,
        description="The whole anonymous id of a browser or app",
        examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"],
    )
    account_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="People with a fragment at this account"
    )
    q: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Part of an address, a user id or a number; a whole anonymous id",
        examples=["acme"],
    )
    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before", examples=[ID_CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many people a page has at most", examples=[50])


@router.get("/v1/people")
async def find_people(
    reading: Annotated[Context[RecognitionRules], READING], query: Annotated[PeopleQuery, Query()]
) -> PeoplePage:
    """People by what they go by, in the order of their first appearance.

    Values are brought into the spelling in which captures are kept: ` Ann@ACME.com` finds `ann@acme.com`. A value that
    nobody can go by (no address, no number) finds nobody.
    """
    after = from_id_cursor(query.cursor) or ""
    named = _spelt(query, reading.service)
    if named is None:
        return PeoplePage(items=[], next_cursor=None)
    ids = await queries.find_people(reading.session, named, query.q, after, query.limit + 1)
    if not ids and query.user_id is not None and query.user_id.strip() != named["user_id"]:
        # one that was kept before addresses as user ids lost their capitals, and was not seen since
        kept = named | {"user_id": query.user_id.strip()}
        ids = await queries.find_people(reading.session, kept, query.q, after, query.limit + 1)
    items = await people_views(reading, ids[: query.limit])
    return PeoplePage(items=items, next_cursor=to_id_cursor(ids[query.limit - 1]) if len(ids) > query.limit else None)


@router.post("/v1/people:among")
async def find_people_among(
    reading: Read,
    body: AmongRequest,
    q: Annotated[str, Query(min_length=1, max_length=200, description="A part of one of their names")],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PeoplePage:
    """Those of these people one of whose names holds a text."""
    ids = await queries.find_among(reading.session, body.person_ids, q, from_id_cursor(cursor) or "", limit + 1)
    items = await people_views(reading, ids[:limit])
    return PeoplePage(items=items, next_cursor=to_id_cursor(ids[limit - 1]) if len(ids) > limit else None)


@router.post("/v1/people:lookup")
async def look_people_up(reading: Read, body: LookupRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    asked = {with_prefix("frg", person_id): person_id for person_id in body.person_ids if person_id.startswith("per_")}
    found = await queries.people_of(reading.session, asked)
    return LookupAnswer(
        items=await people_views(reading, sorted(set(found.values()))),
        current={asked[fragment_id]: person_id for fragment_id, person_id in sorted(found.items())},
    )


@router.get("/v1/people/{person_id}", responses=problem_responses(404))
async def person(
    reading: Read,
    person_id: PersonId,
    known_at: Annotated[
        Moment | None, Query(description="Who it was at that moment, as known then", examples=["2026-03-01T08:00:00Z"])
    ] = None,
) -> PersonView:
    """One person. An id that a merge absorbed answers with the survivor.

    With `known_at`, the links decide that were recorded by then and not yet cut; a
    person nobody had seen by then is not found.
    """
    if known_at is None:
        (view,) = await people_views(reading, [await current_id(reading, person_id)])
        return view
    fragments, links = await queries.history_of(reading.session, with_prefix("frg", person_id))
    for group in partition_at(fragments, links, known_at):
        if person_id.startswith("per_") and with_prefix("frg", person_id) in group:
            own = [one for one in fragments if one.fragment_id in group]
            held = [link for link in links_at(links, known_at) if link.left_id in group]
            return person_view(own, held, None)
    raise PersonNotFound(f"Nobody had seen {person_id} by {known_at.isoformat()}")


@router.get("/v1/people/{person_id}/links", responses=problem_responses(404))
async def list_links(reading: Read, person_id: PersonId) -> LinksView:
    """Why this is one person: every link with its evidence, cut ones too; what was not linked,
    and why; what could not be an identifier.

    Of each the newest thousand, oldest first.
    """
    current = await current_id(reading, person_id)
    own = [one.fragment_id for one in (await queries.fragments_of(reading.session, [current]))[current]]
    return LinksView(
        person_id=current,
        links=[link_view(link) for link in (await queries.links_of(reading.session, own))[-LISTED_ROWS:]],
        refusals=[RefusalView(**row) for row in await queries.refusals_of(reading.session, own)],
        remarks=[RemarkView(**row) for row in await queries.remarks_of(reading.session, own)],
    )


@router.post("/v1/people/{person_id}:merge", responses=problem_responses(403, 404, 409))
async def merge_people(
    person_id: PersonId, body: MergeRequest, context: Write, caller: Caller, dry_run: DryRun = False
) -> RegroupingView:
    """Make one person of two. The one that was seen first survives; the other id
    stays valid and answers with the survivor.

    Nothing is overwritten: the merge is a link, and cutting it (`:split` with its `link_ids`) leaves
    exactly what would have been without it.
    """
    require(caller, *MAY_REGROUP)
    came = await commands.merge_people(
        person_id, body.with_person_id, _decision(caller, context, body.reason), context, dry_run=dry_run
    )
    return regrouping_view(came, dry_run=dry_run)


@router.post("/v1/people/{person_id}:split", responses=problem_responses(403, 404))
async def split_person(
    person_id: PersonId, body: SplitRequest, context: _Write, caller: Caller, dry_run: DryRun = False
) -> RegroupingView:
    """Cut links, so that one person becomes several. What machines linked and a
    human cut is not linked by machines again.
    """
    require(caller, *MAY_REGROUP)
    choice = _choice(body, context.service)
    came = await commands.split_person(
        person_id, choice, _decision(caller, context, body.reason), context, dry_run=dry_run
    )
    return regrouping_view(came, dry_run=dry_run)


@router.post("/v1/people/{person_id}:mark", responses=problem_responses(403, 404))
async def mark_person(person_id: PersonId, body: MarkRequest, context: Write, caller: Caller) -> PersonView:
    """Say that somebody is a test, so that they never reach a sales rep or a report; or,
    with `false`, that they are none after all.

    Whom only test sources saw stays a test until something real is captured, whatever is said here.
    """
    require(caller, "marketing", "ops", "admin")
    current = await commands.mark_person(person_id, context, is_test=body.is_test, by=caller.subject)
    (view,) = await people_views(context, [current])
    return view


def _spelt(query: PeopleQuery, rules: RecognitionRules) -> dict[str, str] | None:
    """What is looked for as it is kept; None where nobody can go by a name: looking for nobody finds nobody."""
    named: dict[str, str] = {} if query.account_id is None else {"account_id": query.account_id}
    for kind in IdentifierKind:
        given = getattr(query, kind.value)
        if given is None:
            continue
        read = normalise(kind, given, rules.region)
        if not isinstance(read, Identifier):
            return None
        named[kind.value] = read.value
    return named


async def current_id(reading: Context, person_id: str) -> str:
    """Who answers to `person_id`. Raises PersonNotFound."""
    fragment_id = with_prefix("frg", person_id)
    found = await queries.people_of(reading.session, [fragment_id]) if person_id.startswith("per_") else {}
    if fragment_id not in found:
        raise PersonNotFound(f"There is no person {person_id}")
    return found[fragment_id]


async def people_views(reading: Context, person_ids: Collection[str]) -> list[PersonView]:
    """These people, in this order; unknown ones are left out."""
    fragments = await queries.fragments_of(reading.session, person_ids)
    links = await queries.links_of(
        reading.session, [one.fragment_id for group in fragments.values() for one in group], live_only=True
    )
    by_person: dict[str, list[Link]] = {}
    person_at = {one.fragment_id: person_id for person_id, group in fragments.items() for one in group}
    for link in links:
        by_person.setdefault(person_at[link.left_id], []).append(link)
    consents: dict[str, list[FragmentConsent]] = {}
    for one in (await queries.consents_on(reading.session, person_at)).values():
        consents.setdefault(person_at[one.fragment_id], []).append(one)
    known = [person_id for person_id in person_ids if person_id in fragments]
    return [person_view(fragments[one], by_person.get(one, []), consents.get(one, [])) for one in known]


def _decision(caller: Principal, context: Context, reason: str) -> HumanDecision:
    return HumanDecision(by=caller.subject, at=context.now, reason=reason)


def _choice(body: SplitRequest, rules: RecognitionRules) -> commands.SplitChoice:
    given = [name for name in ("link_ids", "identifiers", "fragment_ids") if getattr(body, name) is not None]
    if len(given) != 1:
        raise BadInput(
            "Name exactly one of link_ids, identifiers, fragment_ids", field="body", remedy="Send one of the three"
        )
    identifiers = []
    for index, named in enumerate(body.identifiers or ()):
        read = normalise(named.kind, named.value, rules.region)
        if not isinstance(read, Identifier):
            raise BadInput(f"Nobody can go by this: {read.reason}", field=f"body.identifiers.{index}")
        identifiers.append((read.kind.value, read.value))
    return commands.SplitChoice(f"body.{given[0]}", body.link_ids or (), body.fragment_ids or (), identifiers)
