"""Looking many people up at once: the question that all services are asked alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chassis.http.fields import Moment

Current = Annotated[dict[str, str], Field(description="Asked id -> the person who answers to it", examples=[{"per_01J8Z9": "per_01J8Z0"}])]


class LookupRequest(BaseModel):
    """Whom to look up."""

    model_config = ConfigDict(extra="forbid")

    person_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(min_length=1, max_length=200, examples=[["per_01J8Z0"]])


class LookupAsOfRequest(LookupRequest):
    """Whom to look up, and at which moment."""

    as_of: Moment | None = Field(default=None, description="What was the case at that moment")
