"""Signed consent links: made for a person with an API key, opened by the person in a browser.

Looking changes nothing, because mail scanners look at every link; only the button does. No script, no cookie, and
nothing about the person on the page.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import HTMLResponse, Response

from chassis.errors import NotFound, Problem
from chassis.runtime import Runtime
from chassis.web.auth import Principal
from chassis.web.fields import WHOLE
from chassis.web.problems import MEDIA_TYPE, problem_responses
from contracts.values import Consent, ConsentChannel
from gateway.access.rights import refuse_unseen
from gateway.access.table import operation
from gateway.admin.access import AdminRequest, AdminView, ApiCaller, State
from gateway.domain.consent_link import ConsentLink, LinkOutlived, LinkUnknown, new_link
from gateway.proxy import AnsweredBadly
from gateway.requests import Incoming
from gateway.settings import GatewaySettings

router = APIRouter(tags=["consent"])

_MAKING: Final = operation("POST", "/v1/people/{person_id}/consent-links")
CONFIRMING: Final = "link"  # the role of who opened a signed link; no key has it
_SECONDS: Final = 5.0
_STYLE: Final = "body{font-family:system-ui;margin:20vh auto;max-width:32em;text-align:center}"
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
_BY: Final = {
    ConsentChannel.ANY: "by e-mail, phone or post",
    ConsentChannel.EMAIL: "by e-mail",
    ConsentChannel.PHONE: "by phone",
    ConsentChannel.POST: "by post",
}
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>{style}</style></head>\n<body><h1>{title}</h1>{rest}</body></html>\n"
)
_PROBLEM: Final = "#/components/schemas/ProblemDocument"
_PAGES: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": said,
        "content": {
            "text/html": {"schema": {"type": "string"}},
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}},
        },
    }
    for status, said in (
        (404, "Nobody here signed this link"),
        (410, "It has run out, or its person is not there any more"),
        (503, "Nothing was recorded: to be tried again"),
    )
}
PersonId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=r"^per_[0-9A-Z]+$",
        description="Whom the link is for; an id that a merge absorbed counts for the survivor",
        examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"],
    ),
]
Token = Annotated[
    str,
    Path(
        min_length=1,
        max_length=2_000,
        description="The last part of the link's address, as it was sent",
        examples=["eyJhbGciOi..."],
    ),
]


class ConsentLinkWish(AdminRequest):
    """What the person will be asked to confirm."""

    channel: ConsentChannel = Field(description="By which way they are asked about being reached; `any` is all of them")
    consent: Consent = Field(description="What the person is to confirm")
    expires_in_days: Annotated[int, Field(ge=1, le=90), WHOLE] = Field(
        default=14, description="How long it is good", examples=[14]
    )


class ConsentLinkView(AdminView):
    """A link to be sent to the person, and to nobody else."""

    url: str = Field(
        description="The link itself: whoever has it can confirm",
        examples=["https://leads.example.com/v1/consent/eyJhbGciOi..."],
    )
    person_id: str = Field(
        description="Whom it is about: the survivor, if they were merged", examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"]
    )
    channel: ConsentChannel = Field(description="By which way they may be reached, or not")
    consent: Consent = Field(description="What the person confirms by it")
    expires_at: datetime = Field(description="Until when it is good", examples=["2026-03-16T09:30:00Z"])


@router.post("/v1/people/{person_id}/consent-links", status_code=201, responses=problem_responses(401, 403, 404, 504))
async def make_consent_link(
    person_id: PersonId, body: ConsentLinkWish, request: Request, state: State, caller: ApiCaller
) -> ConsentLinkView:
    """A signed link to a page on which this person grants or withdraws being reached, with one button. What they
    confirm is verified: it lifts a withdrawal. Send it to an address or number of theirs.
    """
    await refuse_unseen(state.upstreams, caller, _MAKING, [person_id])
    runtime: Runtime[object] = request.app.state.runtime
    path = f"/v1/people/{person_id}/consent"
    try:
        known = await state.upstreams.ask("identity", "GET", path, caller, timeout_seconds=_SECONDS)
    except AnsweredBadly:
        raise NotFound(f"There is no person {person_id}") from None
    lives = (runtime.clock(), body.expires_in_days)
    link = new_link(known["person_id"], (body.channel, body.consent), caller.subject, lives)
    assert isinstance(runtime.settings, GatewaySettings)
    base = Incoming(request.scope).base_url(runtime.settings.public_url)
    return ConsentLinkView(
        url=f"{base}/v1/consent/{state.consent_links.token_of(link)}",
        person_id=link.person_id,
        channel=link.channel,
        consent=link.consent,
        expires_at=link.expires_at,
    )


@router.get("/v1/consent/{token}", response_class=HTMLResponse, responses=_PAGES)
async def show_consent_link(token: Token, request: Request, state: State) -> Response:
    """The page behind a signed link: says what will be recorded, and has one button. Changes nothing."""
    link = _read(token, request, state)
    if isinstance(link, Response):
        return link
    if link.consent is Consent.GRANTED:
        title, button = f"May we contact you {_BY[link.channel]}?", "Yes, you may"
    else:
        title, button = f"Shall we no longer contact you {_BY[link.channel]}?", "Do not contact me"
    return _page(title, f'<form method="post"><button>{button}</button></form><p>If not, just close this page.</p>')


@router.post("/v1/consent/{token}", response_class=HTMLResponse, responses=_PAGES)
async def confirm_consent_link(token: Token, request: Request, state: State) -> Response:
    """Records what the link says, once however often it is sent."""
    link = _read(token, request, state)
    if isinstance(link, Response):
        return link
    said = {"channel": link.channel.value, "consent": link.consent.value, "reference": link.reference}
    caller = Principal(f"link:{link.issued_by}", frozenset({CONFIRMING}))
    path = f"/v1/people/{link.person_id}:confirm-consent"
    try:
        await state.upstreams.ask("identity", "POST", path, caller, json=said, timeout_seconds=_SECONDS)
    except AnsweredBadly:
        return _page("This link cannot be used", "<p>Please ask for a new one.</p>", 410)
    except Problem:
        return _page("That did not work", "<p>Nothing was recorded. Please try again in a moment.</p>", 503)
    done = "You may hear from us" if link.consent is Consent.GRANTED else "You will not hear from us"
    return _page("Thank you", f"<p>{done} {_BY[link.channel]}.</p>")


def _read(token: str, request: Request, state: State) -> ConsentLink | Response:
    runtime: Runtime[object] = request.app.state.runtime
    try:
        return state.consent_links.read(token, runtime.clock())
    except LinkOutlived:
        return _page("This link has run out", "<p>Nothing was changed. Please ask for a new one.</p>", 410)
    except LinkUnknown:
        return _page("This link is not known here", "<p>Nothing was changed. Is the address complete?</p>", 404)


def _page(title: str, rest: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, style=_STYLE, rest=rest), status, headers=dict(_HEADERS))
