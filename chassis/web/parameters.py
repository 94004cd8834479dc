"""Query parameters that no route reads are refused: taken in silence, `?sort=due` would look as if it had sorted."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from chassis.errors import BadInput, FieldError
from chassis.web.suggestions import near, query_names

_TOLD = 20


async def refuse_unknown_parameters(request: Request) -> None:
    """Raises BadInput that names each parameter the route does not read. Pages that are in no document take any."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not route.include_in_schema:
        return
    known = query_names(route)
    unknown = sorted({name for name in request.query_params if name not in known})
    if unknown:
        told = unknown[:_TOLD]
        raise BadInput(
            f"There is no parameter {', '.join(told)}",
            errors=[FieldError(f"query.{name}", "There is no such name here", _remedy(name, known)) for name in told],
        )


def _remedy(name: str, known: frozenset[str]) -> str:
    meant = near(name, known)
    if meant is not None:
        return f"Did you mean {meant}?"
    return f"Leave it out; known are: {', '.join(sorted(known))}" if known else "Leave it out; there is none"
