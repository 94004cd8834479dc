"""What was recognized before its facts travelled with it, read again by the same functions."""

from __future__ import annotations

from contracts.campaigns import CampaignTag
from contracts.values import Interaction
from semantics.campaign import campaign_of
from semantics.facts import Facts, facts_of


def facts_anew(interaction: Interaction) -> Facts:
    """The facts that identity would tell of it today."""
    return facts_of(interaction)


def campaign_anew(interaction: Interaction) -> CampaignTag | None:
    """The campaign's tag that identity would tell of it today."""
    return campaign_of(interaction)
