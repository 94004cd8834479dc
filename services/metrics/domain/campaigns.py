"""Campaigns, and which of them a tag belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from itertools import combinations

from contracts.campaigns import CampaignTag, folded

Given = frozenset[tuple[str, str]]
"""(part, folded value) of everything a match demands, or a tag has."""


class Channel(StrEnum):
    """By which way a campaign reaches people."""

    WEB = "web"
    EMAIL = "email"
    SEARCH = "search"
    SOCIAL = "social"
    EVENT = "event"
    PRINT = "print"
    PHONE = "phone"
    PARTNER = "partner"
    OTHER = "other"


class Purpose(StrEnum):
    """Whether a campaign sells or teaches."""

    PROMOTIONAL = "promotional"
    EDUCATIONAL = "educational"


@dataclass(frozen=True, slots=True)
class CampaignMatch:
    """What a tag must have to belong to a campaign; what is None may be anything.

    `click_id` is the parameter's name, e.g. gclid.
    """

    source: str | None = None
    medium: str | None = None
    name: str | None = None
    content: str | None = None
    term: str | None = None
    click_id: str | None = None

    @property
    def given(self) -> Given:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return frozenset((part, folded(value)) for part, value in values if value is not None)


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was done to win people, known by the tags on its links.

    Dates are for the reader: they do not limit what matches.
    """

    campaign_id: str
    name: str
    channel: Channel
    purpose: Purpose
    is_direct: bool
    matches: tuple[CampaignMatch, ...]
    starts_on: date | None
    ends_on: date | None
    external_id: str | None
    created_at: datetime
    created_by: str
    updated_at: datetime


class CampaignDirectory:
    """Finds the campaign of a tag at a cost that does not grow with the number of campaigns.

    A tag that names a campaign (by its id, or by its external id) belongs to it; else the match that
    demands most wins; of those that demand as much the one that asks for a click id, which the network itself writes
    and nobody mistypes; else the oldest campaign. So a click id beside UTM values that no campaign claims belongs to
    whoever claims the click.
    """

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self._by_key: dict[str, str] = {}
        self._by_match: dict[Given, tuple[datetime, str]] = {}
        for campaign in campaigns:
            age = (campaign.created_at, campaign.campaign_id)
            for match in campaign.matches:
                self._by_match[match.given] = min(age, self._by_match.get(match.given, age))
            if campaign.external_id is not None:
                self._by_key.setdefault(folded(campaign.external_id), campaign.campaign_id)
        self._by_key.update({folded(campaign.campaign_id): campaign.campaign_id for campaign in campaigns})

    def campaign_of(self, tag: CampaignTag) -> str | None:
        """The campaign that `tag` belongs to."""
        if tag.key is not None and tag.key in self._by_key:
            return self._by_key[tag.key]
        parts = [
            (part, value)
            for part in ("source", "medium", "name", "content", "term")
            if (value := getattr(tag, part)) is not None
        ]
        parts += [("click_id", click_id) for click_id in tag.click_ids[:3]]
        for size in range(len(parts), 0, -1):
            found = [
                (all(part != "click_id" for part, _ in chosen), *age)
                for chosen in combinations(parts, size)
                if (age := self._by_match.get(frozenset(chosen))) is not None
            ]
            if found:
                return min(found)[2]
        return None
