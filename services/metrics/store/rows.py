"""Rows from and to values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from typing import Any

from chassis.store.statements import Row
from contracts.campaigns import CampaignTag
from people_kernel.people import Placement
from services.metrics.domain.campaigns import Campaign, CampaignMatch, Channel, Purpose
from services.metrics.domain.workspace import Presence

Fragment = tuple[Placement, Presence]
"""Whose a fragment is, and what is known of it as such."""

_TAG_PARTS = ("source", "medium", "name", "content", "term", "key")


def fragment_row(fragment: Fragment) -> dict[str, Any]:
    placement, presence = fragment
    return {"person_id": placement.person_id, "graph_version": placement.graph_version, **presence._asdict()}


def fact_row(fact: Any) -> dict[str, Any]:
    """A touch or a fact: its fields are called like the columns."""
    return {name: getattr(fact, name) for name in _names(type(fact))}  # type: ignore[arg-type]  # a class is hashable


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def tag_row(tag_id: str, tag: CampaignTag, campaign_id: str | None) -> dict[str, Any]:
    parts = {part: getattr(tag, part) for part in _TAG_PARTS}
    return {"tag_id": tag_id, **parts, "click_ids": " ".join(tag.click_ids), "campaign_id": campaign_id}


def tag_of(values: Mapping[str, Any]) -> CampaignTag:
    return CampaignTag(**{part: values[part] for part in _TAG_PARTS}, click_ids=tuple(values["click_ids"].split()))


def campaign_row(campaign: Campaign) -> dict[str, Any]:
    matches = [
        {part: value for part, value in asdict(match).items() if value is not None} for match in campaign.matches
    ]
    return {
        **asdict(campaign),
        "channel": campaign.channel.value,
        "purpose": campaign.purpose.value,
        "matches": matches,
    }


def campaign_of(row: Row) -> Campaign:
    values = row._asdict()
    return Campaign(
        **{
            **values,
            "channel": Channel(row.channel),
            "purpose": Purpose(row.purpose),
            "matches": tuple(CampaignMatch(**match) for match in row.matches),
        }
    )
