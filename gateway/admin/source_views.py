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

    name: Name = Field(description="What you call it", examples=["www.acme.test"])
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
    events_a_minute: EventsAMinute | None = Field(
        default=None,
        description="Beyond so many the source is answered 429; 0: not counted; null: as the settings have it",
        examples=[60000],
    )
    expires_at: ExpiresAt = None


class SourceChange(AdminRequest):
    """What is to be different; what is left out stays."""

    name: Name | None = Field(default=None, description="What you call it from now on", examples=["www.acme.test"])
    prefixes: list[Prefix] | None = Field(
        default=None, max_length=10, description="Paths that may precede /v1, in place of those it has"
    )
    app_ids: AppIds | None = Field(
        default=None, description="Snowplow's `appId`s that lead to it, in place of those it has"
    )
    is_test: StrictBool | None = Field(
        default=None, description="Whether it walks the whole flow and never reaches reports"
    )
    is_enabled: StrictBool | None = Field(default=None, description="A source that is switched off answers 401")
    mapping: PropertyMapping | None = Field(
        default=None, description="Property of track events -> trait, in place of the mapping it has"
    )
    origins: Origins | None = Field(
        default=None, description="Pages that may use the key, in place of those it has; empty: any"
    )
    events_a_minute: EventsAMinute | None = Field(
        default=None, description="Beyond so many the source is answered 429; 0: not counted", examples=[60000]
    )


class SourceView(KeyLifeView):
    """A source; its key is shown by its end only."""

    source_id: str = Field(description="The source's id", examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    name: str = Field(description="What you call it", examples=["www.acme.test"])
    kind: SourceKind = Field(description="web: its identifiers are claims; server: they are vouched for")
    write_key_hint: str = Field(description="How its write key ends", examples=["...ceqt"])
    prefixes: list[str] = Field(description="Paths that may precede /v1", examples=[["/capture"]])
    is_test: bool = Field(description="Whether it walks the whole flow and never reaches reports")
    is_enabled: bool = Field(description="Whether its captures are taken; else they are answered 401")
    key_state: KeyState = STATE
    created_at: datetime = Field(description="When it was made", examples=["2026-03-02T09:30:00Z"])
    mapping: dict[str, str] | None = Field(
        default=None,
        description="Property of track events -> trait of the person; null or empty: none",
        examples=[{"properties.budget": "budget"}],
    )
    origins: list[str] | None = Field(
        default=None, description="Pages that may use the key; none: any", examples=[["https://www.acme.test"]]
    )
    events_a_minute: int | None = Field(
        default=None, description="null: as the settings have it for the kind", examples=[60000]
    )
    app_ids: list[str] | None = Field(
        default=None, description="Snowplow's `appId`s that lead to it; null or empty: none", examples=[["www"]]
    )


class NewSourceView(SourceView):
    """A source just made; the only answer that holds its key."""

    write_key: str = Field(
        description="The write key itself, told in this answer and never again", examples=["wk_6f1d2a0c9b"]
    )


class SourcePage(AdminView):
    """Sources in the order they were made."""

    items: list[SourceView] = Field(description="The sources of this page")
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])


class RejectView(AdminView):
    """Something a source sent that was not taken, or a form in which nobody was found."""

    reject_id: int = Field(description="Its number; later ones are greater", examples=[4711])
    kind: RejectKind = Field(description="unrecognized: it was taken, and nobody was found in it")
    form_id: str | None = Field(
        default=None, description="The form it was posted to; null: to none", examples=["demo-request"]
    )
    is_kept_whole: bool = Field(
        default=False, description="POST /v1/forms/{form_id}/rejects/{reject_id}:replay reads it again"
    )
    replayed_at: datetime | None = Field(
        default=None,
        description="When it was read again and somebody was found; null: not yet",
        examples=["2026-03-02T09:30:00Z"],
    )
    at: datetime = Field(description="When it came", examples=["2026-03-02T09:30:00Z"])
    field: str = Field(description="Dotted path of the field that was refused; `body` for a form", examples=["userId"])
    reason: str = Field(
        description="Why it was not taken, or nobody was found", examples=["must be a string, not an array"]
    )
    excerpt: str = Field(description="How it began", examples=['{"type": "track", "userId": []}'])


class RejectPage(AdminView):
    """Rejects, newest first."""

    items: list[RejectView] = Field(description="The rejects of this page")
    next_cursor: str | None = Field(description="Send it as `cursor`; null after the last page", examples=[None])
