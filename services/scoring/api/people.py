"""What is known about people, and how ready they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Protocol, TypeVar

from fastapi import APIRouter, Query

from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Read
from contracts.events.scoring import Attribute
from people_kernel.api.paging import AsOf, Limit, LookupAsOfRequest, PersonId
from people_kernel.api.receipts import PersonNotFound
from people_kernel.profile import display_name
from services.scoring.api.views import LookupAnswer, PeoplePage, PersonView
from services.scoring.domain.book import Person, Standing
from services.scoring.domain.grid import Grid
from services.scoring.domain.profile import History
from services.scoring.domain.reading import Past
from services.scoring.handlers.rulebooks import judges_of
from services.scoring.store import reading as store
from services.scoring.store.records import trait_facts_of

router = APIRouter(tags=["scoring"])


class _HangsOnFragment(Protocol):
    @property
    def fragment_id(self) -> str: ...


_OfFragment = TypeVar("_OfFragment", bound=_HangsOnFragment)


@router.get("/v1/scoring/people")
async def search_profiles(
    reading: Read,
    q: Annotated[str | None, Query(min_length=1, max_length=200, description="A part of the name (either order), the company or the e-mail")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")] = None,
    limit: Limit = 50,
) -> PeoplePage:
    """People in the order of their first appearance. Any script, without case and accents; of one or two letters the beginning of a word."""
    found = await store.search_people(reading.session, q, cursor, limit + 1)
    grid = (await judges_of(reading)).active.grid
    items = [_present(person, reading.now, grid) for person in found[:limit]]
    return PeoplePage(items=items, next_cursor=found[limit - 1].person_id if len(found) > limit else None)


@router.post("/v1/scoring/people:lookup")
async def look_people_up(reading: Read, body: LookupAsOfRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer with the survivor; unknown ids are left out."""
    found = await store.people(reading.session, set(body.person_ids))
    people = {person.person_id: person for person in found.values()}
    views = await _views(reading, people, body.as_of)
    return LookupAnswer(items=[views[key] for key in sorted(views)], current={asked: person.person_id for asked, person in sorted(found.items())})


@router.get("/v1/scoring/people/{person_id}", responses=problem_responses(404))
async def person(
    reading: Read,
    person_id: PersonId,
    as_of: AsOf = None,
    history: Annotated[bool, Query(description="Also the claims that are not believed, by attribute, the 50 most believed of each")] = False,
) -> PersonView:
    """One person: profile with where each value comes from, scores, and the cell of the grid.

    With `as_of`, what had happened by then decides: facts and receipts of later date do not count.
    """
    current = await find_person(reading, person_id)
    views = await _views(reading, {current.person_id: current}, as_of)
    view = views[current.person_id]
    return await _with_history(reading, view, as_of) if history else view


async def find_person(reading: Context, person_id: str) -> Person:
    """Who answers to `person_id`. Raises PersonNotFound."""
    found = await store.people(reading.session, [person_id])
    for current in found.values():
        return current
    raise PersonNotFound(f"Nothing was ever heard of {person_id}")


async def _views(reading: Context, people: Mapping[str, Person], as_of: datetime | None) -> dict[str, PersonView]:
    judges = await judges_of(reading)
    if as_of is None:
        return {key: _present(person, reading.now, judges.active.grid) for key, person in people.items()}
    fragments = await store.fragment_ids_of(reading.session, list(people))
    owner = {fragment_id: key for key, owned in fragments.items() for fragment_id in owned}
    pasts = {key: Past(as_of) for key in people}
    async for facts in trait_facts_of(reading.session, owner, as_of):
        for key, told in _by_owner(facts, owner).items():
            pasts[key].learn(told)
    async for receipts in store.earned_until(reading.session, owner, as_of):
        for key, earned in _by_owner(receipts, owner).items():
            pasts[key].earn((one.points_e4, one.half_life, one.at) for one in earned)
    latest = await store.latest_facts(reading.session, owner, as_of)
    views = {}
    for key, current in people.items():
        snapshot = pasts[key].snapshot(judges)
        latest_at = max((moment for fragment_id, moment in latest.items() if owner[fragment_id] == key), default=None)
        views[key] = _view(current, snapshot.attributes, snapshot.standing, latest_at)
        await asyncio.sleep(0)  # rules were asked
    return views


def _by_owner(rows: Iterable[_OfFragment], owner: Mapping[str, str]) -> dict[str, list[_OfFragment]]:
    found: dict[str, list[_OfFragment]] = {}
    for row in rows:
        found.setdefault(owner[row.fragment_id], []).append(row)
    return found


def _present(person: Person, now: datetime, grid: Grid) -> PersonView:
    standing = person.standing(max(now, person.evaluated_at), grid)
    return _view(person, person.fit.attributes, standing, person.latest_at)


def _view(person: Person, attributes: Mapping[str, Attribute], standing: Standing, latest_at: datetime | None) -> PersonView:
    return PersonView(
        person_id=person.person_id,
        graph_version=person.graph_version,
        is_test=person.is_test,
        name=display_name(attributes),
        profile=dict(sorted(attributes.items())),
        scores=standing.told(),
        latest_fact_at=latest_at,
    )


async def _with_history(reading: Context, view: PersonView, as_of: datetime | None) -> PersonView:
    fragments = await store.fragment_ids_of(reading.session, [view.person_id])
    claims = History()
    async for facts in trait_facts_of(reading.session, fragments[view.person_id], as_of):
        claims.add(facts)
    return view.model_copy(update={"history": claims.by_attribute()})
