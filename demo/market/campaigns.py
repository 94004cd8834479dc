"""What the company spends on being found, and how a visit says which campaign brought it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

WEEKS = 5
_FULL_MARKET = 300  # people; smaller markets cost less, so that a lead costs about the same


@dataclass(frozen=True)
class DemoCampaign:
    """A campaign with the UTM values of its links.

    `weekly` is what it costs in each week of the market, oldest first.
    """

    key: str
    name: str
    channel: str
    purpose: str
    source: str
    medium: str
    weekly: tuple[int, ...]
    share: float  # of all visitors

    @property
    def utm(self) -> dict[str, str]:
        """As analytics SDKs send it in `context.campaign`."""
        return {"name": self.key, "source": self.source, "medium": self.medium}


CAMPAIGNS = (
    DemoCampaign(
        "workshop-planning",
        "Search: workshop planning",
        "search",
        "promotional",
        "searchpage",
        "cpc",
        (1500, 1500, 1400, 1400, 1200),
        0.27,
    ),
    DemoCampaign(
        "depot-leads",
        "Social: people who run depots",
        "social",
        "promotional",
        "pronetwork",
        "paid_social",
        (1100, 1100, 1000, 900, 900),
        0.16,
    ),
    DemoCampaign(
        "quiet-floor",
        "Webinar: the quiet shop floor",
        "event",
        "educational",
        "newsletter",
        "email",
        (0, 900, 900, 300, 0),
        0.15,
    ),
    DemoCampaign(
        "monthly-letter", "Monthly letter", "email", "educational", "letter", "email", (240, 0, 240, 0, 240), 0.10
    ),
    DemoCampaign(
        "integrators",
        "Partners who integrate",
        "partner",
        "promotional",
        "integrators",
        "referral",
        (300, 300, 300, 300, 300),
        0.08,
    ),
)
ORGANIC_SHARE = 0.24


@dataclass(frozen=True)
class Cost:
    """What one week of one campaign cost."""

    campaign: DemoCampaign
    week: int
    incurred_on: date
    amount: Decimal


def costs(now: datetime, people: int) -> tuple[Cost, ...]:
    """The bills of the market's weeks."""
    factor = Decimal(people) / _FULL_MARKET
    first = (now - timedelta(weeks=WEEKS)).date()
    return tuple(
        Cost(campaign, week, first + timedelta(weeks=week, days=3), (euros * factor).quantize(Decimal("0.01")))
        for campaign in CAMPAIGNS
        for week, euros in enumerate(campaign.weekly)
        if euros
    )
