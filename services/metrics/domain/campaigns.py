"""Campaigns, and which of them a tag belongs to."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts.ids import hash_id
from contracts.values import Interaction, InteractionKind

LONGEST = 200  # characters of a value; what is longer is cut, here and in a campaign's matches alike
CLICK_IDS = ("dclid", "fbclid", "gbraid", "gclid", "li_fat_id", "msclkid", "ttclid", "twclid", "wbraid")
"""Parameters that advertising networks add to a link. The value is new with every
click; which one it is names the network.
"""

_PARTS = ("source", "medium", "name", "content", "term")
_IN_QUERY = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_content": "content",
    "utm_term": "term",
    "utm_id": "key",
}
_IN_CONTEXT = {**{part: part for part in _PARTS}, "id": "key"}
_LONGEST_QUERY = 4_000


@dataclass(frozen=True, slots=True)
class Tag:
    """One combination of values, folded; equal combinations are one tag. `key` names a campaign outright."""

    source: str | None = None
    medium: str | None = None
    name: str | None = None
    content: str | None = None
    term: str | None = None
    key: str | None = None
    click_ids: tuple[str, ...] = ()

    @property
    def tag_id(self) -> str:
        parts = (self.source, self.medium, self.name, self.content, self.term, self.key)
        return hash_id("tag", *(part or "" for part in parts), *self.click_ids)


def folded(value: str) -> str:
    """One spelling: NFKC, case-folded, trimmed, cut at LONGEST."""
    return unicodedata.normalize("NFKC", value.replace("\0", "")).casefold().strip()[:LONGEST].strip()


def tag_of(interaction: Interaction) -> Tag | None:
    """The tag that an interaction carries: in its context, or, for a page call that has none there, in the address of
    the page.
    """
    context = interaction.context
    parts = _texts(_mapping(context.get("campaign")), _IN_CONTEXT)
    clicks = {name for name in _mapping(context.get("click_ids")) if name in CLICK_IDS}
    if interaction.kind is InteractionKind.PAGE and not parts:
        query = _query_of(interaction)
        parts = _texts(query, _IN_QUERY)
        clicks |= query.keys() & set(CLICK_IDS)
    if not parts and not clicks:
        return None
    return Tag(**parts, click_ids=tuple(sorted(clicks)))


def _texts(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not values:
        return found
    for theirs, ours in names.items():
        value = values.get(theirs)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and (text := folded(str(value))):
            found[ours] = text
    return found


def _query_of(interaction: Interaction) -> dict[str, str]:
    """The page's query; a page call describes its page in its properties and in its context."""
    for page in (interaction.properties, _mapping(interaction.context.get("page"))):
        for name in ("search", "url"):
            text = page.get(name)
            # no parameter without it, and most addresses have none
            if isinstance(text, str) and "=" in text and (query := _parsed(text, is_url=name == "url")):
                return query
    return {}


def _parsed(text: str, *, is_url: bool) -> dict[str, str]:
    try:
        query = urlsplit(text[:_LONGEST_QUERY]).query if is_url else text[:_LONGEST_QUERY].removeprefix("?")
        return dict(parse_qsl(query, max_num_fields=100))
    except ValueError:  # no address, or more parameters than an address has
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


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
    demands most wins; else the oldest campaign.
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

    def campaign_of(self, tag: Tag) -> str | None:
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
                age
                for chosen in combinations(parts, size)
                if (age := self._by_match.get(frozenset(chosen))) is not None
            ]
            if found:
                return min(found)[1]
        return None
