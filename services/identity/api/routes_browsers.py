"""Which browser is meant: the fragment of an anonymous id, and nothing of whoever it was linked to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.routes import READING
from contracts.values import Identifier, IdentifierKind
from semantics.identifiers import normalise
from services.identity.api.views import RequestBody, View
from services.identity.domain.recognition import RecognitionRules
from services.identity.store import queries

router = APIRouter(tags=["people"])


class BrowserName(RequestBody):
    """A browser by its name."""

    anonymous_id: str = Field(
        min_length=1,
        max_length=512,
        description="What the browser calls its visitor, in any spelling",
        examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"],
    )


class BrowserFragment(View):
    """What its facts hang on while nobody is named beside it."""

    anonymous_id: str = Field(
        description="In the one spelling that it is kept in", examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"]
    )
    fragment_id: str | None = Field(
        description="Null: nothing was ever captured of it", examples=["frg_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"]
    )


@router.post("/v1/browsers:lookup")
async def look_browser_up(reading: Annotated[Context[RecognitionRules], READING], body: BrowserName) -> BrowserFragment:
    """The fragment of a browser. A page may ask about its own browser with a public key; who is behind it, and whoever
    else goes by the names that were told there, is not looked at.
    """
    read = normalise(IdentifierKind.ANONYMOUS_ID, body.anonymous_id, reading.service.region)
    if not isinstance(read, Identifier):
        raise BadInput(f"Nobody can go by this anonymous_id: {read.reason}", field="body.anonymous_id")
    found = await queries.fragment_named(reading.session, IdentifierKind.ANONYMOUS_ID, read.value)
    return BrowserFragment(anonymous_id=read.value, fragment_id=found)
