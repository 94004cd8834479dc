"""Sources and their rejects as the API takes and tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from contracts.rates import ORIGINS
from contracts.values import SourceKind
from gateway.admin.access import AdminRequest, AdminView, Name
from gateway.admin.rotation import STATE, ExpiresAt, KeyLifeView
from gateway.domain.key_life import KeyState
from gateway.domain.keys import MIN_GIVEN_KEY
from gateway.domain.origins import WRITTEN, clean_origin
from gateway.domain.refusal import RejectKind

Prefix = Annotated[str, Field(max_length=100, pattern=r"^/?[A-Za-z0-9][A-Za-z0-9_\-/]*$", examples=["/capture"])]
GivenKey = Annotated[
    str,
    Field(
        min_length=MIN_GIVEN_KEY,
        max_length=200,
        pattern=r"^[\x21-\x39\x3b-\x7e]+(:[\x21-\x39\x3b-\x7e]+)?$",  # as id:secret it is one of Jitsu's
        examples=["wk_6f1d2a0c9b"],
    ),
]
AppId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", examples=["www"])]
AppIds = Annotated[
    list[AppId],
    Field(
        max_length=20,
        description="Snowplow's `appId` of what sends: events with it are this source's. For web sources only, as"
        " anybody can name it",
    ),
]

PropertyPath = Annotated[str, Field(max_length=256, pattern=r"^properties\.[^\x00]+$")]
TraitName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
PropertyMapping = Annotated[
    dict[PropertyPath, TraitName],
    Field(
        max_length=50,
        description="Property of track events -> trait of the person; else properties are not about the person",
        examples=[{"properties.budget": "budget"}],
    ),
]

Origin = Annotated[
    str,
    Field(max_length=300, pattern=WRITTEN, examples=["https://www.acme.test", "https://*.acme.test"]),
    AfterValidator(clean_origin),
]
Origins = Annotated[
    list[Origin],
    Field(
        max_length=ORIGINS,
        description="web: pages that may use the key, as https://www.acme.test, or https://*.acme.test for all hosts"
        " below; empty: any. A request that names no page is refused then, except a form's",
    ),
]
EventsAMinute = Annotated[
    int,
    Field(
        ge=0,
        le=100_000_000,
        strict=True,
        description="Beyond so many the source is answered 429; 0: not counted. Left out, it is as the gateway's"
        " settings have it for the kind",
    ),
]


class SourceWish(AdminRequest):
    """A source to be made."""

    name: Name = Field(examples=["www.acme.test"])
    kind: SourceKind = Field(
        default=SourceKind.WEB,
        description="web: public key, identifiers are claims; server: secret key, identifiers are vouched for",
    )
    write_key: GivenKey | None = Field(
        default=None, description="Bring your own key, as when SDKs are already configured; else one is made"
    )
    prefixes: list[Prefix] = Field(default=[], max_length=10, description="Paths that may precede /v1")
    app_ids: AppIds = Field(default=[])
    is_test: StrictBool = Field(default=False, description="Walks the whole flow, never reaches reports")
    mapping: PropertyMapping = Field(default={})
    origins: Origins = Field(default=[])
    events_a_minute: EventsAMinute | None = None
    expires_at: ExpiresAt = None


class SourceChange(AdminRequest):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    prefixes: list[Prefix] | None = Field(default=None, max_length=10)
    app_ids: AppIds | None = None
    is_test: StrictBool | None = None
    is_enabled: StrictBool | None = Field(default=None, description="A source that is switched off answers 401")
    mapping: PropertyMapping | None = None
    origins: Origins | None = None
    events_a_minute: EventsAMinute | None = None


class SourceView(KeyLifeView):
    """A source; its key is shown by its end only."""

    source_id: str = Field(examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    name: str
    kind: SourceKind
    write_key_hint: str = Field(examples=["...ceqt"])
    prefixes: list[str]
    is_test: bool
    is_enabled: bool
    key_state: KeyState = STATE
    created_at: datetime
    mapping: dict[str, str] | None = None
    origins: list[str] | None = Field(default=None, description="Pages that may use the key; none: any")
    events_a_minute: int | None = Field(default=None, description="null: as the settings have it for the kind")
    app_ids: list[str] | None = None


class NewSourceView(SourceView):
    """A source just made; the only answer that holds its key."""

    write_key: str


class SourcePage(AdminView):
    """Sources in the order they were made."""

    items: list[SourceView]
    next_cursor: str | None


class RejectView(AdminView):
    """Something a source sent that was not taken, or a form in which nobody was found."""

    reject_id: int
    kind: RejectKind = Field(description="unrecognized: it was taken, and nobody was found in it")
    form_id: str | None = None
    is_kept_whole: bool = Field(
        default=False, description="POST /v1/forms/{form_id}/rejects/{reject_id}:replay reads it again"
    )
    replayed_at: datetime | None = None
    at: datetime
    field: str
    reason: str
    excerpt: str = Field(description="How it began")


class RejectPage(AdminView):
    """Rejects, newest first."""

    items: list[RejectView]
    next_cursor: str | None
