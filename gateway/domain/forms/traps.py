"""Traps for robots: fields that no human sees, by the names that kits and form builders give them.

A trap tells a robot when something stands in it. Fields that a kit fills in itself beside its trap (`honeypot_time`,
a signed moment) are none, and neither is a name that people are asked for elsewhere (`website`, `comment`): a form that
uses such a name for its trap says so itself (`Form.honeypot`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

# compared without case; hyphens, spaces and dots count as underscores, and those in front do not count
_NAMES: Final = frozenset(
    (
        "gotcha",  # Formspree, Getform, Basin, Formcarry
        "honey",  # FormSubmit
        "ohnohoney",
        "beesknees",  # Craft CMS
        "bot_field",  # Netlify
        "botfield",
        "botcheck",  # Web3Forms
        "bot_check",
        "bot_trap",
        "spam_trap",
        "spamtrap",
        "hpot",
        "email_address_check",  # Brevo
        "ag9uzxlwb3q",  # Zoho: `aG9uZXlwb3Q`, "honeypot" in base 64
        "frm_verify",  # Formidable
        "leave_blank",
        "leave_empty",
        "leave_this_blank",
        "leave_this_empty",
        "leave_this_field_blank",
        "leave_this_field_empty",
        "do_not_fill",
        "do_not_fill_this",
        "dont_fill",
        "dontfill",
        "leaveblank",
        "contact_me_by_fax_only",
        "contact_by_fax_only",
        "pi_extra_field",  # Pardot
        "alt_s",  # WP Armour
        "honey_field",
        "honeyfield",
        "js_honey",
        "sweet_honey",
        "bottrap",
    )
)
_HONEYPOT: Final = re.compile(r"honey_?pot")
# what a kit fills in itself beside its trap: when the page was made, and a signature over it
_FILLED_BY_KIT: Final = re.compile(r"(time|timestamp|date|token|key|hash|nonce|signature|start|started|loaded)$")
_SHAPES: Final = re.compile(
    r"""
      b_[0-9a-f]{8,}_[0-9a-f]{6,}      # Mailchimp: account and list
    | hp_\w+
    | (?:\w+_)?ak_hp_\w+               # Akismet
    | nf_field_hp(?:_\w+)?             # Ninja Forms
    | apbct_+email_id_\w+              # CleanTalk
    | (?:form|field|jetpack|hidden)_hp
    | (?:\w+_)?(?:website|url|homepage|web|link|email|e_mail|mail|name|phone|tel|fax|company|address|message|comment)_hp
    | my_name_[a-z0-9]{8,}             # Laravel (spatie): the name and random letters
    | item_+\d+_+fluent_(?:sf|checkme_?)
    """,
    re.VERBOSE,
)
_INSIDE: Final = re.compile(r"\[([^\[\]]+)\]$")  # wpforms[hp]: the field of a form's name is in brackets
_NAMES_INSIDE: Final = frozenset(("hp", "hny", "trap"))
_SEPARATORS: Final = re.compile(r"[-\s.]+")
# what scripts write into a box that nobody ticked, and into a text that nobody typed
_EMPTY: Final = frozenset(("", "false", "0", "off", "no", "null", "undefined"))


def is_trap(name: str) -> bool:
    """Whether a field of this name is one that kits lay out for robots."""
    inside = _INSIDE.search(name)
    plain = _plain(inside[1] if inside else name)
    if (inside or name.startswith("_")) and plain in _NAMES_INSIDE:
        return True
    if _HONEYPOT.search(plain):
        return not _FILLED_BY_KIT.search(plain)
    return plain in _NAMES or _SHAPES.fullmatch(plain) is not None


def is_sprung(values: Iterable[Any]) -> bool:
    """Whether somebody filled in a trap that holds `values`: a blank, or a box that is not ticked, is a human's."""
    return any(str(value).strip().casefold() not in _EMPTY for value in values if value is not None)


def _plain(name: str) -> str:
    return _SEPARATORS.sub("_", name.strip().casefold()).strip("_")
