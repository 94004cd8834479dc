"""The campaign's tag that an interaction carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts.campaigns import CLICK_IDS, CampaignTag, folded
from contracts.values import Interaction, InteractionKind

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


def campaign_of(interaction: Interaction) -> CampaignTag | None:
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
    return CampaignTag(**parts, click_ids=tuple(sorted(clicks)))


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
