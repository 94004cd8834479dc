"""What scoring rules may speak of: the interaction, for engagement; the profile, for fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from contracts.values import Interaction, InteractionKind
from people_kernel.profile import PROFILE_VARIABLES
from rulebook.vocabulary import MAP, STRING, Vocabulary, one_of

PROFILE = "profile"
"""The kind that fit rules listen to: a profile that changed."""

_INTERACTION_VARIABLES = {
    "interaction.kind": one_of(*InteractionKind),
    "interaction.name": STRING,
    "interaction.source": one_of("web", "server"),
    "page.path": STRING,
    "page.url": STRING,
    "page.title": STRING,
    "page.referrer": STRING,
    "campaign.name": STRING,
    "campaign.source": STRING,
    "campaign.medium": STRING,
    "campaign.term": STRING,
    "campaign.content": STRING,
    "properties": MAP,
}
OF_PROFILE = frozenset(PROFILE_VARIABLES)
VOCABULARY = Vocabulary(variables={**_INTERACTION_VARIABLES, **PROFILE_VARIABLES}, kinds=[*InteractionKind, PROFILE])

_CAMPAIGN = {f"campaign.{part}": part for part in ("name", "source", "medium", "term", "content")}


def interaction_facts(interaction: Interaction) -> dict[str, Any]:
    """What engagement rules can know."""
    page = page_of(interaction)
    campaign = _mapping(interaction.context.get("campaign"))
    url = page.get("url")
    facts: dict[str, Any] = {
        "interaction.kind": interaction.kind.value,
        "interaction.name": interaction.name,
        "interaction.source": interaction.source_kind.value,
        "page.path": page.get("path") or _path_of(url),
        "page.url": url,
        "page.title": page.get("title"),
        "page.referrer": page.get("referrer"),
        "properties": interaction.properties,
    }
    for fact, part in _CAMPAIGN.items():
        facts[fact] = campaign.get(part)
    return facts


def page_of(interaction: Interaction) -> dict[str, Any]:
    """The page that it happened on. A page call describes it itself; other calls carry it in their context."""
    return {**_mapping(interaction.context.get("page")), **(interaction.properties if interaction.kind is InteractionKind.PAGE else {})}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _path_of(url: Any) -> str | None:
    try:
        return urlsplit(url).path or None if isinstance(url, str) else None
    except ValueError:  # a bracket that is no IPv6 address
        return None
