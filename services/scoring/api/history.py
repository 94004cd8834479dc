"""Why the scores are what they are, and what people did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Read
from chassis.store.statements import Row
from people_kernel.api.paging import AsOf, Cursor, Limit, PersonId, from_cursor, to_cursor
from people_kernel.api.receipts import ReceiptsPage
from services.scoring.api.people import find_person
from services.scoring.api.views import FactView, TimelinePage
from services.scoring.domain.rules import NAME
from services.scoring.domain.vocabulary import page_of
from services.scoring.store import reading as store
from services.scoring.store.encoding import interaction_of

router = APIRouter(tags=["scoring"])


@router.get("/v1/scoring/people/{person_id}/receipts", responses=problem_responses(404))
async def receipts(reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50) -> ReceiptsPage:
    """Why fit and engagement are what they are, newest first.

    The score at a moment is the sum of all contributions made by then: `points` of fit as they are, those of engagement halved for each
    `half_life_days` that has passed since.
    """
    place = from_cursor(cursor)
    owner, fragments = await _fragments(reading, person_id)
    found = await store.receipts_page(reading.session, fragments, as_of, place, limit + 1)
    items = [receipt.told(owner) for receipt in found[:limit]]
    return ReceiptsPage(items=items, next_cursor=to_cursor(items[-1].at, items[-1].receipt_id) if len(found) > limit else None)


@router.get("/v1/scoring/people/{person_id}/timeline", responses=problem_responses(404))
async def timeline(reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50) -> TimelinePage:
    """What this person did, newest first: every interaction, whether it was worth points or not."""
    place = from_cursor(cursor)
    _, fragments = await _fragments(reading, person_id)
    found = await store.timeline_page(reading.session, fragments, as_of, place, limit + 1)
    items = [_fact_view(row) for row in found[:limit]]
    return TimelinePage(items=items, next_cursor=to_cursor(items[-1].occurred_at, items[-1].interaction_id) if len(found) > limit else None)


async def _fragments(reading: Context, person_id: str) -> tuple[str, list[str]]:
    person = await find_person(reading, person_id)
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
