"""`GET /readyz/forms`: are forms kept and reads answered here? What a load balancer follows that
would rather have a lead spooled than lost.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from chassis.errors import Unavailable
from gateway.admin.access import State

router = APIRouter(include_in_schema=False)


@router.get("/readyz/forms")
async def are_forms_kept(state: State) -> Response:
    """200 while forms are kept and reads answered, also when NATS is away; 503 when a form would be lost."""
    refusal = await state.keeping.why_not()
    if refusal:
        raise Unavailable(f"not ready for forms: {refusal}")
    return Response(b'{"status":"ready"}', media_type="application/json")
