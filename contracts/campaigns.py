"""The tag by which a campaign is known."""

from __future__ import annotations

import unicodedata
from typing import Final

from contracts.ids import hash_id
from contracts.values import Value

LONGEST: Final = 200  # characters of a value; what is longer is cut, here and in a campaign's matches alike
CLICK_IDS: Final = ("dclid", "fbclid", "gbraid", "gclid", "li_fat_id", "msclkid", "ttclid", "twclid", "wbraid")
"""Parameters that advertising networks add to a link. The value is new with every
click; which one it is names the network.
"""


class CampaignTag(Value):
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
