"""What is asked and answered when a treatment is selected."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chassis.web.fields import WHOLE, Truth
from contracts.values import JsonObject, Receipt

Name = Annotated[str, Field(min_length=1, max_length=512)]


class SelectWish(BaseModel):
    """For whom, and where it will be shown."""

    model_config = ConfigDict(extra="forbid")

    user_id: Name | None = Field(default=None, description="Not with a public write key", examples=["u-1001"])
    email: Name | None = Field(
        default=None,
        description="Not with a public write key: anybody can type an address",
        examples=["ada@example.com"],
    )
    anonymous_id: Name | None = Field(
        default=None, description="As analytics SDKs keep it", examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"]
    )
    person_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="With an API key only, and alone", examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"]
    )
    channel: Literal["web", "email", "phone", "post", "event", "any"] = Field(
        default="web", description="Where it is to be shown; `any`: the best. With a public write key `web` alone"
    )
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(
        default=1, description="So many treatments at most", examples=[1]
    )
    context: JsonObject = Field(
        default={},
        description="What the page knows, for the receipt; at most 2,000 bytes",
        examples=[{"page": "/pricing"}],
    )
    dry_run: Truth = Field(default=False, description="Only say what would be chosen; with an API key only")
    writeKey: Annotated[str, Field(max_length=200)] | None = Field(  # noqa: N815
        default=None, description="A source's write key, if it comes in no header", examples=["wk_6f1d2a0c9b"]
    )


class ShownTreatment(BaseModel):
    """A treatment as anybody may see it."""

    treatment_id: str | None = Field(
        default=None, description="The treatment's id", examples=["trt_5DJAJZ480XBQMNE5ZAFDHH2QFH"]
    )
    name: str | None = Field(
        default=None,
        description="What it is called in the catalogue",
        examples=["Guide: planning the first ninety days"],
    )
    channel: str | None = Field(default=None, description="By which way it reaches somebody", examples=["web"])
    content: JsonObject | None = Field(
        default=None,
        description="What is shown: headline, text, address, picture, words on the button",
        examples=[{"headline": "Ninety days, planned", "url": "https://www.tidewater.example/guide"}],
    )


class SiteSelection(BaseModel):
    """What a write key is answered: the catalogue's content, nothing about the person."""

    treatment: ShownTreatment | None = Field(description="Null: nothing fits")
    alternatives: list[ShownTreatment] = Field(description="The next best, as many as `limit` leaves room for")


class FullSelection(SiteSelection):
    """What an API key is answered: also for whom, why, and why not the others."""

    model_config = ConfigDict(extra="allow")

    person_id: str | None = Field(
        default=None, description="Null for a stranger", examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"]
    )
    stage: str | None = Field(default=None, description="Where they are on the way", examples=["engaged"])
    buying_stage: str | None = Field(
        default=None, description="What they need to hear next", examples=["consideration"]
    )
    why_not: list[JsonObject] = Field(
        default=[],
        description="What does not fit, each with its reasons in words",
        examples=[
            [{"treatment_id": "trt_5DJAJZ480XBQMNE5ZAFDHH2QFH", "reasons": ["is for decision, not for awareness"]}]
        ],
    )
    receipt: Receipt | None = Field(default=None, description="Null for a stranger: there is nobody to hang it on")
    selection_id: str | None = Field(
        default=None, description="Null when nothing was recorded", examples=["sel_01J8Z0"]
    )
    is_reused: bool = Field(default=False, description="The answer of a moment ago, because nothing changed since")
    degraded: list[str] = Field(
        default=[],
        description="`identity`: names could not be looked up, and a stranger was answered for",
        examples=[[]],
    )
