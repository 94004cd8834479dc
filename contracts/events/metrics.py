"""What metrics says: what was spent."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from contracts.envelope import Event
from contracts.values import Money


class CostRecorded(Event):
    """Money was spent on a campaign. `incurred_on` is a day of the installation's reporting time zone."""

    wire_name: ClassVar[str] = "metrics.cost.recorded.v1"
    owner: ClassVar[str] = "metrics"

    cost_id: str
    campaign_id: str
    amount: Money
    incurred_on: date
    note: str | None = None

    @property
    def lane_key(self) -> str:
        return self.campaign_id
