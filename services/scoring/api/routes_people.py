"""What is known about people, how ready they are and why, and what they did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.context import Context
from chassis.store.statements import Row
from chassis.web.problems import problem_responses
from chassis.web.routes import Read
from contracts.events.scoring import Attribute
from people_kernel.api.pages import (
    AmongRequest,
    AsOf,
    Cursor,
    Limit,
    LookupAsOfRequest,
    PersonId,
    from_cursor,
    from_id_cursor,
    to_cursor,
    to_id_cursor,
)
from people_kernel.api.receipts import PersonNotFound, ReceiptsPage
from people_kernel.profile import display_name
from services.scoring.api.views import (
    BrowserRequest,
    BrowserView,
    FactView,
    LookupAnswer,
    PeoplePage,
    PersonView,
    TimelinePage,
    shown,
)
from services.scoring.domain.receipts import Grid
from services.scoring.domain.workspace import Person, ScoreSnapshot
from services.scoring.rulebooks import NAME, judges_of, page_of
from services.scoring.store import queries as store
from services.scoring.store.queries import browsers
from services.scoring.store.queries.people_search import search_among, search_people
from services.scoring.store.rows import interaction_of

router = APIRouter(tags=["scoring"])


@router.get("/v1/scoring/people")
async def search_profiles(
    reading: Read,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="A part of the name (either order), the company or the e-mail",
            examples=["Lovelace"],
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PeoplePage:
    """People in the order of their first appearance. Any script, without case and accents; of
    one or two letters the beginning of a word.
    """
    found = await search_people(reading.session, q, from_id_cursor(cursor), limit + 1)
    grid = (await judges_of(reading)).active.grid
    items = [_present(person, reading.now, grid) for person in found[:limit]]
    return PeoplePage(items=items, next_cursor=to_id_cursor(found[limit - 1].person_id) if len(found) > limit else None)


@router.post("/v1/scoring/people:among")
async def search_profiles_among(
    reading: Read,
    body: AmongRequest,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="A part of the name, the company or the e-mail"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PeoplePage:
    """The list of people, among these alone."""
    found = await search_among(reading.session, body.person_ids, q, from_id_cursor(cursor), limit + 1)
    grid = (await judges_of(reading)).active.grid
    items = [_present(person, reading.now, grid) for person in found[:limit]]
    return PeoplePage(items=items, next_cursor=to_id_cursor(found[limit - 1].person_id) if len(found) > limit else None)


@router.post("/v1/scoring/people:lookup")
async def look_up_scores(reading: Read, body: LookupAsOfRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer
    with the survivor; unknown ids are left out.
    """
    found = await store.people(reading.session, set(body.person_ids))
    people = {person.person_id: person for person in found.values()}
    views = await _views(reading, people, body.as_of)
    return LookupAnswer(
        items=[views[key] for key in sorted(views)],
        current={asked: person.person_id for asked, person in sorted(found.items())},
    )


@router.post("/v1/browsers:lookup")
async def look_browser_up(reading: Read, body: BrowserRequest) -> BrowserView:
    """What one browser did: for answers to a public key, which may rest on nothing else."""
    judges = await judges_of(reading)
    browser = browsers.NamedBrowser(body.anonymous_id, body.fragment_id)
    history = await browsers.browser_history(reading.session, browser, reading.now, judges)
    snapshot = history.snapshot(judges)
    return BrowserView(profile=dict(snapshot.attributes), scores=snapshot.scores.as_scores(), is_named=history.is_named)


@router.get("/v1/scoring/people/{person_id}", responses=problem_responses(404))
async def read_scores(
    reading: Read,
    person_id: PersonId,
    as_of: AsOf = None,
    history: Annotated[
        bool, Query(description="Also the claims that are not believed, by attribute, the 50 most believed of each")
    ] = False,
) -> PersonView:
    """One person: profile with where each value comes from, scores, and the cell of the grid.

    With `as_of`, what had happened by then decides: facts and receipts of later date do not count.
    """
    current = await _find_person(reading, person_id)
    views = await _views(reading, {current.person_id: current}, as_of)
    view = views[current.person_id]
    if not history:
        return view
    claims = await store.claim_history(reading.session, current.person_id, as_of)
    if as_of is None:
        claims.share(current.fit.shared)
    return view.model_copy(update={"history": claims.by_attribute()})


@router.get("/v1/scoring/people/{person_id}/receipts", responses=problem_responses(404))
async def list_scoring_receipts(
    reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50
) -> ReceiptsPage:
    """Why fit and engagement are what they are, newest first.

    The score at a moment is the sum of all contributions made by then: `points` of fit as they are, those of engagement
    halved for each `half_life_days` that has passed since.
    """
    place = from_cursor(cursor)
    owner, fragments = await _fragments(reading, person_id)
    found = await store.receipts_page(reading.session, fragments, as_of, place, limit + 1)
    items = [receipt.as_receipt(owner) for receipt in found[:limit]]
    return ReceiptsPage(
        items=items, next_cursor=to_cursor(items[-1].at, items[-1].receipt_id) if len(found) > limit else None
    )


@router.get("/v1/scoring/people/{person_id}/timeline", responses=problem_responses(404))
async def read_timeline(
    reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50
) -> TimelinePage:
    """What this person did, newest first: every interaction, whether it was worth points or not."""
    place = from_cursor(cursor)
    _, fragments = await _fragments(reading, person_id)
    found = await store.timeline_page(reading.session, fragments, as_of, place, limit + 1)
    items = [_fact_view(row) for row in found[:limit]]
    return TimelinePage(
        items=items,
        next_cursor=to_cursor(items[-1].occurred_at, items[-1].interaction_id) if len(found) > limit else None,
    )


async def _find_person(reading: Context, person_id: str) -> Person:
    """Who answers to `person_id`. Raises PersonNotFound."""
    found = await store.people(reading.session, [person_id])
    for current in found.values():
        return current
    raise PersonNotFound(f"Nothing was ever heard of {person_id}")


async def _views(reading: Context, people: Mapping[str, Person], as_of: datetime | None) -> dict[str, PersonView]:
    judges = await judges_of(reading)
    if as_of is None:
        return {key: _present(person, reading.now, judges.active.grid) for key, person in people.items()}
    histories = await store.histories(reading.session, people.keys(), as_of)
    views = {}
    for key, current in people.items():
        snapshot = histories[key].snapshot(judges)
        views[key] = _view(current, snapshot.attributes, snapshot.scores, histories[key].latest_at)
        await asyncio.sleep(0)  # rules were asked
    return views


def _present(person: Person, now: datetime, grid: Grid) -> PersonView:
    scores = person.scores_at(max(now, person.evaluated_at), grid)
    return _view(person, person.fit.shown, scores, person.latest_at)


def _view(
    person: Person, attributes: Mapping[str, Attribute], scores: ScoreSnapshot, latest_at: datetime | None
) -> PersonView:
    return PersonView(
        person_id=person.person_id,
        graph_version=person.graph_version,
        is_test=person.is_test,
        name=display_name(attributes),
        profile=shown(attributes),
        scores=scores.as_scores(),
        latest_fact_at=latest_at,
    )


async def _fragments(reading: Context, person_id: str) -> tuple[str, list[str]]:
    person = await _find_person(reading, person_id)
    owned = await store.fragment_ids_of(reading.session, [person.person_id])
    return person.person_id, owned[person.person_id]


def _fact_view(row: Row) -> FactView:
    interaction = interaction_of(row)
    return FactView(
        interaction_id=interaction.interaction_id,
        fragment_id=row.fragment_id,
        kind=interaction.kind,
        name=interaction.name,
        occurred_at=interaction.occurred_at,
        received_at=interaction.received_at,
        source_id=interaction.source_id,
        source_kind=interaction.source_kind,
        message_id=interaction.message_id,
        flags=list(interaction.flags),
        strength=row.strength,
        is_test=interaction.is_test,
        rulebook=f"{NAME}@{row.rulebook_version}",
        traits=interaction.traits,
        properties=interaction.properties,
        page=page_of(interaction) or None,
        campaign=_mapping(interaction.context.get("campaign")),
        account=interaction.account,
    )


def _mapping(value: Any) -> dict[str, Any] | None:
    return dict(value) if isinstance(value, Mapping) else None
