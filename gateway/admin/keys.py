"""API keys: people and tools, and what they may do."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from chassis.errors import Conflict, NotFound
from chassis.store.session import Session, lock
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write, runtime_of
from contracts.ids import derive_id
from gateway import store
from gateway.admin.access import AdminRequest, AdminView, ApiCaller, Cursor, KeyId, Limit, Name, next_cursor
from gateway.admin.rotation import (
    STATE,
    ExpiresAt,
    KeyLifeView,
    KeySetElsewhere,
    RotationWish,
    check_expiry,
    rotate,
)
from gateway.domain.key_life import KeyState, state_of
from gateway.domain.keys import API_KEY_PREFIX, ENTROPY_BYTES, hash_of, hint_of, key_from
from gateway.secret_index import life_of_key
from gateway.store import ApiKeyRow
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["keys"])

BOOTSTRAP_KEY_ID = "key_bootstrap"


class Role(StrEnum):
    """What a caller may be."""

    MARKETING = "marketing"
    SALES = "sales"
    MANAGER = "manager"
    AGENT = "agent"  # call centre, chat
    OPS = "ops"
    ADMIN = "admin"


# a part of a subject
RepId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$", examples=["rep_51NFZWSYTYHZGXQPZ2RTZ8R8JX"])]
Short = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class KeyWish(AdminRequest):
    """A key to be made."""

    subject: Name = Field(
        description="Whose key it is; recorded with every change they make", examples=["dana@acme.test"]
    )
    roles: list[Role] = Field(
        min_length=1, max_length=len(Role), description="What the caller may be; each adds to what they may do"
    )
    rep_id: RepId | None = Field(default=None, description="The rep this caller is, for sales")
    teams: list[Short] = Field(
        default=[], max_length=50, description="Teams the caller belongs to", examples=[["enterprise", "west"]]
    )
    expires_at: ExpiresAt = None


class KeyView(KeyLifeView):
    """A key, shown by its end only."""

    key_id: str = Field(description="The key's id", examples=["key_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    hint: str = Field(description="How the key ends", examples=["...ceqt"])
    subject: str = Field(
        description="Whose key it is; recorded with every change they make", examples=["dana@acme.test"]
    )
    roles: list[Role] = Field(description="What the caller may be")
    rep_id: str | None = Field(
        description="The rep this caller is; null: none", examples=["rep_51NFZWSYTYHZGXQPZ2RTZ8R8JX"]
    )
    teams: list[str] = Field(description="Teams the caller belongs to", examples=[["enterprise", "west"]])
    is_revoked: bool = Field(description="Whether it was revoked")
    state: KeyState = STATE
    created_at: datetime = Field(description="When it was made", examples=["2026-03-02T09:30:00Z"])


class NewKeyView(KeyView):
    """A key just made; the only answer that holds it."""

    api_key: str = Field(
        description="The key itself, told in this answer and never again",
        examples=["rk_mfrggzdfmztwq2lknnwg23tpobyxe43u"],
    )


class KeyPage(AdminView):
    """Keys in the order they were made."""

    items: list[KeyView] = Field(description="The keys of this page")
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])


class KeyNotFound(NotFound):
    """No key has this id."""

    slug = "key-not-found"


class KeyIsRevoked(Conflict):
    """A revoked key stays revoked."""

    slug = "key-is-revoked"


@router.post("/v1/keys", status_code=201, responses=problem_responses(401, 403))
async def create_key(wish: KeyWish, context: Write, caller: ApiCaller) -> NewKeyView:
    """Make an API key. It is told once, here."""
    require(caller, Role.ADMIN)
    check_expiry(wish.expires_at, context.now)
    key = key_from(API_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    row = new_key(wish, key, context.now)
    await store.add(context.session, row)
    return _told(row, key, context.now)


def new_key(wish: KeyWish, key: str, now: datetime) -> ApiKeyRow:
    """The row of a new key."""
    hashed = hash_of(key)
    return ApiKeyRow(
        key_id=derive_id("key", now, hashed),
        key_hash=hashed,
        hint=hint_of(key),
        subject=wish.subject,
        roles=sorted({role.value for role in wish.roles}),
        rep_id=wish.rep_id,
        teams=sorted(set(wish.teams)),
        is_revoked=False,
        created_at=now,
        expires_at=wish.expires_at,
    )


@router.get("/v1/keys", responses=problem_responses(401, 403))
async def list_keys(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> KeyPage:
    """All keys with their state, those that expired and were revoked too."""
    require(caller, Role.ADMIN)
    rows = await store.page_of(reading.session, ApiKeyRow, "key_id", from_id_cursor(cursor), limit)
    return KeyPage(items=[key_view(row, reading.now) for row in rows], next_cursor=next_cursor(rows, limit, "key_id"))


@router.post("/v1/keys/{key_id}:rotate", responses=problem_responses(401, 403, 404, 409))
async def rotate_key(
    key_id: KeyId, wish: RotationWish, context: Write, caller: ApiCaller, request: Request
) -> NewKeyView:
    """Give a key another secret, told once, here. The one before stays good for the overlap, and is refused after it;
    a second rotation within the overlap ends the oldest at once.
    """
    require(caller, Role.ADMIN)
    row = await _held_key(context.session, key_id)
    if row.is_revoked:
        raise KeyIsRevoked("The key was revoked", field="path.key_id", remedy="Make another with POST /v1/keys")
    if key_id == BOOTSTRAP_KEY_ID and getattr(runtime_of(request).settings, "bootstrap_api_key", None) is not None:
        raise KeySetElsewhere(
            "This key is set by GATEWAY_BOOTSTRAP_API_KEY, which would put it back at the next start",
            field="path.key_id",
            remedy="Change the setting and restart, or work with a key of POST /v1/keys",
        )
    key = key_from(API_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    rotate(row, hash_of(key), wish, context.now)
    row.hint = hint_of(key)
    await store.change(context.session, row)
    return _told(row, key, context.now)


@router.delete(
    "/v1/keys/{key_id}", status_code=204, response_class=Response, responses=problem_responses(401, 403, 404)
)
async def revoke_key(key_id: KeyId, context: Write, caller: ApiCaller) -> None:
    """Revoke a key, with the secret before its rotation: known here before this is answered, and told at once to every
    other gateway process.
    """
    require(caller, Role.ADMIN)
    row = await _held_key(context.session, key_id)
    row.is_revoked = True
    await store.change(context.session, row)


async def found_key(session: Session, key_id: str) -> ApiKeyRow:
    """The key of this id. Raises KeyNotFound."""
    row: ApiKeyRow | None = None if "\x00" in key_id else await store.get(session, ApiKeyRow, key_id)
    if row is None:
        raise KeyNotFound("There is no such key", field="path.key_id")
    return row


async def _held_key(session: Session, key_id: str) -> ApiKeyRow:
    """The same until the transaction ends: of two changes at once neither undoes the other."""
    await lock(session, [key_id.replace("\x00", "")])
    return await found_key(session, key_id)


def key_view(row: ApiKeyRow, now: datetime) -> KeyView:
    """A key as it stands."""
    return KeyView.model_validate({**row.model_dump(exclude={"key_hash", "previous_hash"}), "state": _state(row, now)})


def _told(row: ApiKeyRow, key: str, now: datetime) -> NewKeyView:
    return NewKeyView(**key_view(row, now).model_dump(), api_key=key)


def _state(row: ApiKeyRow, now: datetime) -> KeyState:
    return state_of(life_of_key(row), now)
