"""What answers about rulebooks look like."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

LONGEST_TEXT = 100_000  # characters of a rulebook; the longest default has 11,000


class RulebookView(BaseModel):
    """One version of a rulebook, without its text."""

    version: int
    label: str = Field(description="How receipts name it", examples=["scoring@1"])
    state: str = Field(examples=["draft", "active"])
    digest: str = Field(description="SHA-256 of the content")
    created_at: AwareDatetime
    created_by: str
    activated_at: AwareDatetime | None
    activated_by: str | None


class RulebookText(RulebookView):
    """One version with its text."""

    text: str = Field(description="YAML, as it was sent")


class RulebooksPage(BaseModel):
    """All versions, the latest first."""

    items: list[RulebookView]
    next_cursor: str | None = None


class DraftRequest(BaseModel):
    """A new version, as JSON; `text/yaml` with the bare text does as well."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="The rulebook's YAML")
