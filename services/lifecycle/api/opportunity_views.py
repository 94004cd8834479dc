"""What is asked and answered about opportunities."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.values import Money
from services.lifecycle.api.views import Note, OccurredAt, Reason

Status = Literal["open", "won", "lost"]
Step = Annotated[str, Field(min_length=1, max_length=100, description="Your own word for how far it is", examples=["proposal"])]


class Amount(BaseModel):
    """An amount in a currency; decimal text, so that nobody rounds it."""

    model_config = ConfigDict(extra="forbid")

    amount: str = Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$", description="Decimal text with a point", examples=["12500.00"])
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])

    def money(self) -> Money:
        return Money(amount=Decimal(self.amount), currency=self.currency)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    occurred_at: OccurredAt | None = None


class Only(BaseModel):
    """Which deals to list."""

    person_id: str | None = Field(default=None, min_length=1, max_length=64, description="Only those of this person")
    status: Status | None = Field(default=None, description="Only those that are open, won or lost")
    include_test: bool = Field(default=False, description="Those of test people too; a person who is named is always answered for")
    cursor: str | None = Field(default=None, max_length=128, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page")


class OpenRequest(_Request):
    """There may be a deal."""

    person_id: str = Field(min_length=1, max_length=64, examples=["per_01J8Z0"])
    name: str = Field(min_length=1, max_length=200, examples=["Forklifts for Lübeck"])
    amount: Amount | None = None
    step: Step | None = None
    external_id: str | None = Field(
        default=None, min_length=1, max_length=200, description="Your system's id; the same one brings the deal up to date"
    )


class AdvanceRequest(_Request):
    """Another step, or another amount."""

    step: Step | None = None
    amount: Amount | None = None


class WinRequest(_Request):
    """The deal was made."""

    amount: Amount | None = None


class LoseRequest(_Request):
    """There will be no deal."""

    reason: Reason
    note: Note | None = None


class OpportunityView(BaseModel):
    """A deal."""

    opportunity_id: str = Field(examples=["opp_01J8Z0"])
    person_id: str = Field(description="Who it belongs to now")
    name: str
    status: Status
    amount: Money | None
    step: str | None
    external_id: str | None
    opened_at: AwareDatetime = Field(description="When it happened")
    created_at: AwareDatetime = Field(description="When it was told")
    created_by: str
    closed_at: AwareDatetime | None
    reason: str | None
    note: str | None
    is_test: bool


class OpportunitiesPage(BaseModel):
    """One page of opportunities, the newest first."""

    items: list[OpportunityView]
    next_cursor: str | None
