"""The receipts of a service over HTTP."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Table

from chassis.web.problems import problem_responses
from chassis.web.routes import Read
from contracts.values import Receipt
from people_kernel.api.pages import AsOf, Cursor, Limit, NextCursor, PersonId, from_cursor, to_cursor
from people_kernel.errors import PersonNotFound as PersonNotFound  # some still look for it here
from people_kernel.store.people import load_fragments_of, load_receipts, survivors


class ReceiptsPage(BaseModel):
    """Why things were decided as they were, newest first."""

    items: list[Receipt] = Field(description="The receipts of this page")
    next_cursor: NextCursor


def receipts_router(service: str, receipts: Table, fragments: Table) -> APIRouter:
    """The route /v1/<service>/people/{person_id}/receipts."""
    router = APIRouter(tags=[service])

    @router.get(
        f"/v1/{service}/people/{{person_id}}/receipts",
        responses=problem_responses(404),
        operation_id=f"list_{service}_receipts",
    )
    async def read_receipts(
        reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50
    ) -> ReceiptsPage:
        """Why this service decided as it did about a person, newest first."""
        place = from_cursor(cursor)
        owner = (await survivors(reading.session, fragments, [person_id])).get(person_id)
        if owner is None:
            raise PersonNotFound(f"Nothing was ever heard of {person_id}")
        owned = (await load_fragments_of(reading.session, fragments, [owner]))[owner]
        found = await load_receipts(reading.session, receipts, owned, (as_of, place, limit + 1))
        items = [receipt.model_copy(update={"person_id": owner}) for receipt in found[:limit]]
        return ReceiptsPage(
            items=items, next_cursor=to_cursor(items[-1].at, items[-1].receipt_id) if len(found) > limit else None
        )

    return router
