"""The two stages a person is in: how far they are with buying, and how far we are with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANONYMOUS = "anonymous"
"""The lifecycle stage of somebody of whom lifecycle said nothing yet."""


class BuyingStage(StrEnum):
    """How far somebody is with buying, in their own eyes."""

    AWARENESS = "awareness"  # has a question
    CONSIDERATION = "consideration"  # looks for ways to solve it
    DECISION = "decision"  # chooses among offers
    CUSTOMER = "customer"  # has bought


@dataclass(frozen=True, slots=True)
class Buying:
    """A buying stage and why: the rule that gave it, and its reason."""

    stage: BuyingStage
    rule: str
    rulebook: str
    sentence: str
