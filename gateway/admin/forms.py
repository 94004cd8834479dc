"""Forms: how the posts to each are read."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictBool

from chassis.errors import Conflict, NotFound
from chassis.store.session import Session
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from gateway import store
from gateway.admin import replays
from gateway.admin.access import (
    WATCHERS,
    AdminRequest,
    AdminView,
    ApiCaller,
    Cursor,
    FormId,
    Limit,
    Name,
    State,
    next_cursor,
)
from gateway.admin.sources import SourceNotFound
from gateway.domain.forms.presets import Preset
from gateway.domain.keys import hash_of, key_from
from gateway.domain.secret_box import NONCE_BYTES, SecretBox
from gateway.store import FormRow, KeyTaken, SourceRow
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["forms"])
router.include_router(replays.router)

DEFAULT_SOURCE_ID = "src_default"
_SECRETS = {"webhook_secret", "verify_token"}
FieldName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
Target = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[@A-Za-z][A-Za-z0-9_.]*$")]
ReturnUrl = Annotated[
    str, Field(max_length=2_000, pattern=r"^https?://[^\s\\@\x00]+$", examples=["https://www.acme.test/thanks"])
]
Mapping = Annotated[
    dict[FieldName, Target],
    Field(
        max_length=500,
        description=(
            "Field -> trait (email, firstName, company, ...) or special target. A field goes by its name or label, and"
            " in nested JSON by its key or dotted path, with or without the numbers in it"
        ),
        examples=[{"lead.contact.mail_1": "email", "What is your budget?": "budget"}],
    ),
]
WebhookSecret = Annotated[
    str,
    Field(
        min_length=4,
        max_length=200,
        description=(
            "What a service has to send along or to sign with: Google's google_key, the HandshakeKey of Wufoo and"
            " Formstack; the signing keys of Typeform, Webflow and Calendly, Meta's app secret. Kept encrypted; what"
            " proves to know neither key is refused"
        ),
    ),
]
VerifyToken = Annotated[
    str,
    Field(min_length=4, max_length=200, description="Meta's hub.verify_token; default: webhook_secret. Kept as a hash"),
]


class FormWish(AdminRequest):
    """A form to be made."""

    name: Name = Field(description="What you call it", examples=["Demo request"])
    form_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")] | None = Field(
        default=None, description="A readable id; else one is made", examples=["demo-request"]
    )
    source_id: str | None = Field(
        default=None,
        max_length=64,
        description="Which source its posts belong to; default: the installation's first",
        examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"],
    )
    preset: Preset | None = Field(
        default=None, description="Whose field names it has; default: recognised post by post"
    )
    mapping: Mapping = Field(default={})
    honeypot: FieldName | None = Field(
        default=None, description="A field that no human sees; posts that fill it are flagged", examples=["website_2"]
    )
    return_urls: list[ReturnUrl] = Field(
        default=[], max_length=50, description="Where a post may ask to be sent on to: these pages and what lies below"
    )
    webhook_secret: WebhookSecret | None = Field(
        default=None,
        description="What a form service has to send along, or to sign its posts with; null: nothing is asked for",
        examples=["whs-9f2c1e7b"],
    )
    verify_token: VerifyToken | None = Field(
        default=None,
        description="What Meta's webhooks send as hub.verify_token; null: webhook_secret is asked for",
        examples=["vt-51d0a8"],
    )


class FormChange(AdminRequest):
    """What is to be different; what is left out stays."""

    name: Name | None = Field(default=None, description="What you call it from now on", examples=["Demo request"])
    preset: Preset | None = Field(default=None, description="Whose field names it has; null: recognised post by post")
    mapping: Mapping | None = Field(
        default=None, description="Field -> trait or special target, in place of the mapping it has"
    )
    honeypot: FieldName | None = Field(
        default=None, description="A field that no human sees; null: there is none any more", examples=["website_2"]
    )
    return_urls: list[ReturnUrl] | None = Field(
        default=None, max_length=50, description="Where a post may ask to be sent on to, in place of those it has"
    )
    is_enabled: StrictBool | None = Field(default=None, description="A form that is switched off answers 404")
    webhook_secret: WebhookSecret | None = Field(
        default=None, description="null: none is asked for any more", examples=["whs-9f2c1e7b"]
    )
    verify_token: VerifyToken | None = Field(
        default=None, description="null: webhook_secret is asked for", examples=["vt-51d0a8"]
    )


class FormView(AdminView):
    """A form. Its id is public: it stands in the page."""

    form_id: str = Field(description="The form's id; posts go to /v1/forms/{form_id}", examples=["demo-request"])
    source_id: str = Field(
        description="The source that its posts belong to", examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"]
    )
    name: str = Field(description="What you call it", examples=["Demo request"])
    preset: Preset | None = Field(description="Whose field names it has; null: recognised post by post")
    mapping: dict[str, str] = Field(
        description="Field -> trait or special target", examples=[{"lead.contact.mail_1": "email"}]
    )
    honeypot: str | None = Field(description="A field that no human sees; null: there is none", examples=["website_2"])
    return_urls: list[str] = Field(
        description="Where a post may ask to be sent on to: these pages and what lies below",
        examples=[["https://www.acme.test/thanks"]],
    )
    is_enabled: bool = Field(description="Whether posts are taken")
    has_webhook_secret: bool = Field(description="Whether a post has to bring a secret or be signed with it")
    has_verify_token: bool = Field(description="Whether it has a verify token of its own")
    created_at: datetime = Field(description="When it was made", examples=["2026-03-02T09:30:00Z"])


class FormPage(AdminView):
    """Forms by id."""

    items: list[FormView] = Field(description="The forms of this page")
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])


class FormIdTaken(Conflict):
    """Another form has this id."""

    slug = "form-id-taken"


class FormUnknown(NotFound):
    """No form has this id."""

    slug = "form-unknown"


@router.post("/v1/forms", status_code=201, responses=problem_responses(401, 403, 404, 409))
async def create_form(wish: FormWish, context: Write, caller: ApiCaller, state: State) -> FormView:
    """Make a form; then post to /v1/forms/{form_id}."""
    require(caller, *WATCHERS)
    source_id = wish.source_id or DEFAULT_SOURCE_ID
    if "\x00" in source_id or await store.get(context.session, SourceRow, source_id) is None:
        raise SourceNotFound("There is no such source", field="body.source_id", remedy="Name one of GET /v1/sources")
    row = new_form(wish, wish.form_id or key_from("form_", secrets.token_bytes(10)), source_id, context.now)
    _set_secrets(row, wish, state.box)
    try:
        await store.add(context.session, row)
    except KeyTaken:
        raise FormIdTaken(
            "Another form has this id", field="body.form_id", remedy="Choose another, or leave it out"
        ) from None
    return FormView.model_validate(row)


def new_form(wish: FormWish, form_id: str, source_id: str, now: datetime) -> FormRow:
    """The row of a new form."""
    kept = wish.model_dump(mode="json", exclude={"form_id", "source_id", *_SECRETS})
    return FormRow(form_id=form_id, source_id=source_id, is_enabled=True, created_at=now, **kept)


@router.get("/v1/forms", responses=problem_responses(401, 403))
async def list_forms(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> FormPage:
    """All forms."""
    require(caller, *WATCHERS)
    rows = await store.page_of(reading.session, FormRow, "form_id", from_id_cursor(cursor), limit)
    return FormPage(
        items=[FormView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "form_id")
    )


@router.get("/v1/forms/{form_id}", responses=problem_responses(401, 403, 404))
async def read_form(form_id: FormId, reading: Read, caller: ApiCaller) -> FormView:
    """One form."""
    require(caller, *WATCHERS)
    return FormView.model_validate(await _found(reading.session, form_id))


@router.patch("/v1/forms/{form_id}", responses=problem_responses(401, 403, 404))
async def change_form(form_id: FormId, change: FormChange, context: Write, caller: ApiCaller, state: State) -> FormView:
    """Change how a form is read; from the next post on."""
    require(caller, *WATCHERS)
    row = await _found(context.session, form_id)
    _set_secrets(row, change, state.box)
    for name, value in change.model_dump(mode="json", exclude_unset=True, exclude=_SECRETS).items():
        if value is not None or name in ("preset", "honeypot"):  # these two can be taken away
            setattr(row, name, value)
    await store.change(context.session, row)
    return FormView.model_validate(row)


def _set_secrets(row: FormRow, wish: FormWish | FormChange, box: SecretBox) -> None:
    """Those that `wish` names, or takes away."""
    if "webhook_secret" in wish.model_fields_set:
        secret, nonce = wish.webhook_secret, secrets.token_bytes(NONCE_BYTES)
        row.secret_hash = None if secret is None else hash_of(secret)
        row.secret_sealed = None if secret is None else box.seal(secret, row.form_id, nonce)
    if "verify_token" in wish.model_fields_set:
        row.verify_hash = None if wish.verify_token is None else hash_of(wish.verify_token)


async def _found(session: Session, form_id: str) -> FormRow:
    row: FormRow | None = await store.get(session, FormRow, form_id)
    if row is None:
        raise FormUnknown("There is no such form", field="path.form_id")
    return row
