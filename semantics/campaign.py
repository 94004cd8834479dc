"""The campaign's tag that an interaction carries.

Looked at, in this order: `context.campaign`; the address of a page call, in its properties; `context.page`, which every
call may carry. UTM values are taken together from the first place that has any, since values of two places make a tag
that nobody made; click ids are taken from all. An address is read whatever was done to it on the way: its query, its
fragment (`#utm_source=..`, `#/route?utm_source=..`), `&amp;` for `&`, and values that were encoded twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, unquote_plus

from contracts.campaigns import CLICK_IDS, CampaignTag, folded
from contracts.values import Interaction, InteractionKind

_PARTS: Final = ("source", "medium", "name", "content", "term")
_IN_QUERY: Final = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_content": "content",
    "utm_term": "term",
    "utm_id": "key",
}
_IN_CONTEXT: Final = {**{part: part for part in _PARTS}, "id": "key", **_IN_QUERY}
_CLICKS: Final = frozenset(CLICK_IDS)
_LONGEST_ADDRESS: Final = 4_000  # characters that are looked at
_MOST_PARAMETERS: Final = 100
# asked of every address, and as good as none has any of it: the rest is for those that do
_MARK: Final = re.compile("utm_|utm%5f|clk?id|braid|li_fat", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(?:^|(?<=[?#&;]))utm_\w{2,10}%3D[^?#]*", re.IGNORECASE)  # a query that was encoded whole
_MORE: Final = re.compile(r"&(?=utm_\w{2,10}=)", re.IGNORECASE)  # in a value: the parameters behind it came along
# what an advertising system was to put in, and did not
_UNFILLED: Final = re.compile(
    r"\{+[^{}]*\}+|\[[^\[\]]*\]|%[\w.]+%|\$\{.*\}|__\w+__|\(not set\)|null|undefined", re.IGNORECASE
)
_AMPERSAND: Final = re.compile(r"&(?:amp;|#0*38;|#x26;)+", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[?#&]|;(?=utm_)")
_ESCAPED: Final = re.compile("%[0-9A-Fa-f]{2}")
_MOST_ESCAPES: Final = 2  # what was encoded more than three times somebody did on purpose


class AddressTag(NamedTuple):
    """What an address says of the campaign: UTM values by our names, and click ids by theirs, as they were written."""

    parts: Mapping[str, str]
    clicks: Mapping[str, str]


_NOTHING: Final = AddressTag({}, {})


def campaign_of(interaction: Interaction) -> CampaignTag | None:
    """The tag that an interaction carries, by the order above; values are folded in case."""
    context = interaction.context
    given = context.get("campaign")
    parts: dict[str, str] = {}
    clicks: set[str] = set()
    if isinstance(given, dict):
        parts, clicks = _texts(given), {name for name in given if name in _CLICKS}
    clicks.update(name for name in _mapping(context.get("click_ids")) if name in _CLICKS)
    for text in _addresses(interaction):
        if _MARK.search(text) is not None:
            tag = in_address(text)
            parts = parts or _texts(tag.parts)
            clicks.update(tag.clicks)
    return CampaignTag(**parts, click_ids=tuple(sorted(clicks))) if parts or clicks else None


def in_address(text: str) -> AddressTag:
    """What a page's address, or the query of one, says. Of a parameter that comes twice the first value counts."""
    text = text[:_LONGEST_ADDRESS]
    if _MARK.search(text) is None:
        return _NOTHING
    parts: dict[str, str] = {}
    clicks: dict[str, str] = {}
    text = _WHOLE.sub(lambda found: unquote(found[0]), _AMPERSAND.sub("&", text))
    for parameter in _BETWEEN.split(text, _MOST_PARAMETERS):
        name, found, value = parameter.partition("=")
        if not found or not value or _MARK.search(name) is None:
            continue
        name = unquote_plus(name).strip().lower()
        if (part := _IN_QUERY.get(name)) is not None and (said := _decoded(value)):
            _tell(parts, part, said)
        elif name in _CLICKS:
            clicks.setdefault(name, _decoded(value))
    return AddressTag(parts, clicks)


def _tell(parts: dict[str, str], part: str, said: str) -> None:
    """What a parameter says, and what the ones say that were encoded into its value."""
    own, *more = _MORE.split(said, _MOST_PARAMETERS)
    parts.setdefault(part, own)
    for name, _, value in (one.partition("=") for one in more):
        if (other := _IN_QUERY.get(name.lower())) is not None and value:
            parts.setdefault(other, value)


def _addresses(interaction: Interaction) -> Iterator[str]:
    """Where it happened: the query alone, then the address whole. The address in the properties of anything but a
    page call is another's: a link that was followed, a file.
    """
    page = _mapping(interaction.context.get("page"))
    places = (interaction.properties, page) if interaction.kind is InteractionKind.PAGE else (page,)
    for place in places:
        search, url = _with_parameters(place.get("search")), _with_parameters(place.get("url"))
        if search and search not in url:
            yield search
        if url:
            yield url


def _with_parameters(text: Any) -> str:
    """An address that has any; most have none."""
    return text[:_LONGEST_ADDRESS] if isinstance(text, str) and ("=" in text or "%3" in text) else ""


def _decoded(value: str) -> str:
    """The value of a parameter, also where it was encoded once or twice too often."""
    text = unquote_plus(value)
    for _ in range(_MOST_ESCAPES):
        if _ESCAPED.search(text) is None or "\ufffd" in (once_more := unquote(text)):
            return text
        text = once_more
    return text


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for theirs, ours in _IN_CONTEXT.items():
        value = values.get(theirs)
        is_told = isinstance(value, str | int | float) and not isinstance(value, bool)
        if is_told and (text := folded(str(value))) and _UNFILLED.fullmatch(text) is None:
            found.setdefault(ours, text)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
