"""From which pages a public key may be used: exact origins, or all hosts below a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

WRITTEN: Final = r"^https?://((\*\.)?[A-Za-z0-9][A-Za-z0-9\-._]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$"
_HIDDEN: Final = "null"  # what a browser says where a page may not tell
_ORIGIN: Final = re.compile(r"(https?)://(\*\.)?([^/\s?#@*]{1,253})/?", re.IGNORECASE)
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def clean_origin(written: str) -> str:
    """As browsers write it: `https://app.example.com`; `https://*.example.com` for all hosts below. ValueError."""
    found = _ORIGIN.fullmatch(written.strip())
    if found is None or not _is_host(found[3]):
        raise ValueError("an origin is scheme and host, as https://app.example.com or https://*.example.com")
    scheme, below, host = found[1].lower(), found[2] or "", found[3].lower()
    return f"{scheme}://{below}{host.removesuffix(_USUAL_PORTS[scheme])}"


def _is_host(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")  # refuses brackets around what is no address
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def origin_told(origin: str, referer: str) -> str:
    """Of which page a request tells: its Origin, or else that of its Referer; empty when neither says."""
    if origin and origin != _HIDDEN:
        return origin.lower()
    try:
        parts = urlsplit(referer)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower() if parts.netloc else ""


def is_allowed(origins: Sequence[str], told: str) -> bool:
    """Whether a page of the origin `told` may use a key that is tied to `origins` (each clean)."""
    if told in origins:
        return True
    scheme, _, host = told.partition("://")
    return any(
        below and scheme == allowed_scheme and host.endswith(f".{rest}")
        for allowed_scheme, below, rest in (allowed.partition("://*.") for allowed in origins)
    )
