"""Variables that look like a setting and are none: a setting that nobody reads is a mistake, told with what was meant.

What begins like ours and belongs to somebody else: the links that Kubernetes and Docker put into a container's
environment (IDENTITY_SERVICE_HOST, IDENTITY_PORT_8000_TCP), CGI's GATEWAY_INTERFACE, the secrets that an env file has
for all processes (IDENTITY_NATS_PASSWORD), and whatever RAPPORT_FOREIGN lists: names with commas between, a * at the
end of one stands for the rest.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

FOREIGN_VARIABLE: Final = "RAPPORT_FOREIGN"
SECRETS: Final = ("DATABASE_PASSWORD", "OWNER_PASSWORD", "NATS_PASSWORD")
"""What an env file has for each process, beside its settings."""
_LINKS: Final = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?|NAME|ENV_\w+")
SECRET_CHARACTERS: Final = 24
"""A key of ours has more; one of fewer can be guessed by whoever has time."""
_UNFIT: Final = re.compile(r"[^!-~]")
_OTHERS: Final = frozenset({"GATEWAY_INTERFACE"})


def unknown_names(prefix: str, fields: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that begin with `prefix` and set nothing, each with the known one that comes closest, or ""."""
    known = {f"{prefix}{field}".upper() for field in fields}
    mistaken = [
        name
        for name in environment
        if name.upper().startswith(prefix.upper()) and name.upper() not in known and not _is_foreign(prefix, name)
    ]
    foreign = [each.strip() for each in environment.get(FOREIGN_VARIABLE, "").split(",") if each.strip()]
    return {name: _closest(name, known) for name in mistaken if not _is_listed(name, foreign)}


def describe_unknown(unknown: Mapping[str, str]) -> str:
    """What to do about them, in one line."""
    slips = "; ".join(
        f"{name}: there is no such setting" + (f", did you mean {meant}?" if meant else "")
        for name, meant in unknown.items()
    )
    return f"{slips} (what belongs to another program is listed in {FOREIGN_VARIABLE})"


def weakness_of(secret: str, least: int = SECRET_CHARACTERS) -> str:
    """Why nobody should be let in by `secret`, which is not quoted; empty when it will do."""
    if len(secret) < least:
        return f"it has {len(secret)} characters, and {least} is the least: `rapport keys new` makes such"
    if _UNFIT.search(secret):
        return "it holds a space or a sign that no header carries: take letters, digits, - and _"
    return ""


def _is_foreign(prefix: str, name: str) -> bool:
    rest = name[len(prefix) :].upper()
    return rest in SECRETS or name.upper() in _OTHERS or _LINKS.fullmatch(rest) is not None


def _is_listed(name: str, foreign: Iterable[str]) -> bool:
    return any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in foreign)


def _closest(name: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)), "")
