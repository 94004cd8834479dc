"""The write key of a source: another secret for it."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from pydantic import Field

from chassis.store.session import lock
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Write, runtime_of
from gateway import store
from gateway.admin.access import KEEPERS, ApiCaller, SourceId
from gateway.admin.rotation import KeySetElsewhere, RotationWish, rotate
from gateway.admin.source_views import GivenKey, NewSourceView
from gateway.admin.sources import WriteKeyTaken, found_source, source_view
from gateway.domain.keys import ENTROPY_BYTES, WRITE_KEY_PREFIX, hash_of, hint_of, key_from
from gateway.store import KeyTaken

router = APIRouter(tags=["sources"])


class WriteKeyRotation(RotationWish):
    """How a write key is rotated."""

    write_key: GivenKey | None = Field(default=None, description="Bring your own key; else one is made")


@router.post("/v1/sources/{source_id}:rotate", responses=problem_responses(401, 403, 404, 409))
async def rotate_write_key(
    source_id: SourceId, wish: WriteKeyRotation, context: Write, caller: ApiCaller, request: Request
) -> NewSourceView:
    """Give a source another write key, told once, here. The one before stays good for the overlap, so that pages and
    servers can be changed in that time, and is refused after it.
    """
    require(caller, *KEEPERS)
    await lock(context.session, [source_id.replace("\x00", "")])
    row = await found_source(context.session, source_id)
    own = getattr(runtime_of(request).settings, "bootstrap_write_key", None)
    if own is not None and hash_of(own) == row.write_key_hash:
        raise KeySetElsewhere(
            "This write key is set by GATEWAY_BOOTSTRAP_WRITE_KEY, which would put it back at the next start",
            field="path.source_id",
            remedy="Change the setting and restart, or use a source of POST /v1/sources",
        )
    write_key = wish.write_key or key_from(WRITE_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    if hash_of(write_key) == row.write_key_hash:
        raise WriteKeyTaken("This is the key that the source has", field="body.write_key", remedy="Choose another")
    rotate(row, hash_of(write_key), wish, context.now)
    row.write_key_hint = hint_of(write_key)
    try:
        await store.change(context.session, row)
    except KeyTaken:
        raise WriteKeyTaken(
            "Another source has this write key", field="body.write_key", remedy="Leave it out, and one is made"
        ) from None
    return NewSourceView(**source_view(row, context.now).model_dump(), write_key=write_key)
