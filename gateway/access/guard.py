"""Between the door and what is passed on: the table says who may, routing says on whom.

A caller who does not see everybody is refused what they may not see before any service hears of it: who is another's
and who is nobody's at all is answered by the same words, for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.responses import JSONResponse, Response

from chassis.errors import Forbidden, Malformed
from chassis.web.auth import Principal, require
from contracts.limits import EVENT_BYTES
from gateway.access.lists import page_of_leads, part_of
from gateway.access.policy import About, Operation, is_limited, narrowed
from gateway.access.rights import (
    refuse_unled_rep,
    refuse_unseen,
    refuse_unseen_accounts,
    refuse_unseen_deal,
    seen,
)
from gateway.access.table import POLICY
from gateway.domain.refusal import CaptureRefused
from gateway.proxy import AnsweredBadly, Exchange, Upstreams, pass_on
from gateway.requests import ClientGone, name_route, problem_of
from gateway.routes import Route


def allowed(caller: Principal, method: str, path: str) -> tuple[Operation, Principal]:
    """The line of the table, and the caller with the roles that it names. Raises Forbidden."""
    operation = POLICY.of(method, path)
    if operation is None:
        raise Forbidden("Nobody may do this yet", remedy="Ask an administrator: it stands in no line of the table")
    require(caller, *operation.roles)
    return operation, narrowed(caller, operation)


async def pass_guarded(
    upstreams: Upstreams, route: Route, names: Mapping[str, str], caller: Principal, exchange: Exchange
) -> None:
    """Pass a request on if the caller may ask it, and of whom they ask. Raises Forbidden, PersonNotFound,
    DealNotFound, and what routing's being away raises.
    """
    name_route(exchange.scope, route.path)
    operation, caller = allowed(caller, route.method, route.path)
    if is_limited(caller, operation):
        limited = _Limited(upstreams, route, names, caller, operation)
        settled = await limited.settle(exchange)
        if settled is None:
            return
        exchange = settled
    await pass_on(upstreams, route, names, caller, exchange)


class _Limited:
    """One request of a caller who does not see everybody."""

    def __init__(
        self, upstreams: Upstreams, route: Route, names: Mapping[str, str], caller: Principal, operation: Operation
    ) -> None:
        self._upstreams = upstreams
        self._route = route
        self._names = names
        self._caller = caller
        self._operation = operation

    async def settle(self, exchange: Exchange) -> Exchange | None:
        """What is to be passed on; None: it is answered already."""
        upstreams, caller, named = self._upstreams, self._caller, self._names
        match self._operation.about:
            case About.PERSON | About.ACCOUNT | About.NAMED:
                return await self._settle_named(exchange)
            case About.DEAL:
                await refuse_unseen_deal(upstreams, caller, named["opportunity_id"])
            case About.REP:
                await refuse_unled_rep(upstreams, caller, self._operation, named["rep_id"])
            case About.LEADS:
                return await self._settle_list(exchange)
        return exchange

    async def _settle_named(self, exchange: Exchange) -> Exchange | None:
        """Whom path and body name, in one question; and the body as it was read, so that no service reads another."""
        field = self._operation.body
        body = None if field is None else await _json_of(exchange)
        asked = body.get(field) if isinstance(body, dict) and field is not None else None
        if isinstance(asked, list):
            return await self._settle_lookup(exchange, body, asked)
        named = [*self._in_path(), *([asked] if isinstance(asked, str) else [])]
        refuse = refuse_unseen_accounts if self._operation.about is About.ACCOUNT else refuse_unseen
        await refuse(self._upstreams, self._caller, self._operation, named)
        return exchange if field is None else exchange.with_body(orjson.dumps(body))

    def _in_path(self) -> list[str]:
        kind = "account_id" if self._operation.about is About.ACCOUNT else "person_id"
        return [self._names[kind]] if kind in self._names else []

    async def _settle_lookup(self, exchange: Exchange, body: Any, asked: list[Any]) -> Exchange | None:
        if not all(isinstance(one, str) for one in asked):
            return exchange.with_body(orjson.dumps(body))  # the service says what is wrong with it
        visible = await seen(self._upstreams, self._caller, "person_ids", asked)
        known = [one for one in asked if one in visible]
        if asked and not known:
            await exchange.answer(JSONResponse({"items": [], "current": {}}))
            return None
        return exchange.with_body(orjson.dumps({**body, self._operation.body: known}))

    async def _settle_list(self, exchange: Exchange) -> Exchange | None:
        query = parse_qsl(exchange.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        named = [value for name, value in query if name == self._operation.query]
        if named:
            await refuse_unseen(self._upstreams, self._caller, self._operation, named)
            return exchange
        rest = [(name, value) for name, value in query if name != "cursor"]
        cursor = next((value for name, value in reversed(query) if name == "cursor"), None)
        part = part_of(self._upstreams, self._route.upstream, self._route.path, rest, self._caller)
        try:
            page = await page_of_leads(self._upstreams, self._caller, cursor, part)
        except AnsweredBadly as bad:
            await exchange.answer(Response(bad.body, status_code=bad.status, media_type=bad.media_type))
            return None
        await exchange.answer(JSONResponse(page))
        return None


async def _json_of(exchange: Exchange) -> Any:
    """Raises Malformed, TooLarge."""
    try:
        return orjson.loads(await exchange.read(EVENT_BYTES))
    except CaptureRefused as refused:
        raise problem_of(refused) from None
    except (orjson.JSONDecodeError, ClientGone):
        raise Malformed("The body is not JSON", remedy="Send a JSON object in UTF-8") from None
