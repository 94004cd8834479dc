"""What somebody most likely meant who was refused: the field that is spelt otherwise, the key that opens another door.

Asked only when something is refused, and never of more than a few names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

_MOST_NAMES: Final = 200  # of an event that are looked at
_LONGEST_NAME: Final = 64
_NOT_A_LETTER: Final = re.compile(r"[\W_]+")
_SPELT_OTHERWISE: Final[Mapping[str, tuple[str, ...]]] = {
    "userId": ("userid", "user", "uid", "userids", "customerid", "contactid", "externalid", "distinctid", "id"),
    "anonymousId": ("anonymousid", "anonymous", "anonid", "anonymid", "deviceid", "visitorid", "clientid", "cookieid"),
    "previousId": ("previousid", "previous", "oldid", "from", "aliasid"),
    "groupId": ("groupid", "group", "accountid", "companyid", "organizationid", "teamid"),
    "event": ("event", "eventname", "eventtype", "action", "name", "trackname"),
    "batch": ("batch", "events", "messages", "items", "data", "batches"),
    "type": ("type", "kind", "eventtype", "method", "messagetype"),
    "email": ("email", "emailaddress", "mail"),
}


def instead(body: Mapping[str, Any], field: str) -> str | None:
    """`did you mean ...?` where `body` has what looks like `field` under another name."""
    written = _written(body, field)
    return None if written is None else f"did you mean `{field}`? `{written}` is not read as one"


def who(event: Mapping[str, Any]) -> str | None:
    """The same for whatever names the person."""
    for field in ("anonymousId", "userId"):
        if (hint := instead(event, field)) is not None:
            return hint
    outside = [event, event.get("properties"), event.get("context")]
    if any(isinstance(place, dict) and _written(place, "email") is not None for place in outside):
        return "did you mean `traits.email`? An address elsewhere is not read as the person's own"
    traits = event.get("traits")
    if isinstance(traits, dict) and _written(traits, "email") is not None:
        return "the e-mail address in `traits` is not one: send name@host.domain"
    return None


def kind(event: Mapping[str, Any], named: Any, kinds: Iterable[str]) -> str | None:
    """The same for the type of an event."""
    if isinstance(named, str) and named:
        close = get_close_matches(named[:_LONGEST_NAME].strip().lower(), list(kinds), 1)
        return f"did you mean `{close[0]}`?" if close else None
    return instead(event, "type")


def _written(body: Mapping[str, Any], field: str) -> str | None:
    """The name in `body` that looks like `field` and is not spelt so."""
    known = _SPELT_OTHERWISE[field]
    names = [name for name in islice(body, _MOST_NAMES) if name != field and len(name) <= _LONGEST_NAME]
    plain = {_NOT_A_LETTER.sub("", name).lower(): name for name in reversed(names) if body[name] not in (None, "")}
    for spelling in known:
        if spelling in plain:
            return plain[spelling]
    close = get_close_matches(known[0], list(plain), 1, cutoff=0.85)
    return plain[close[0]] if close else None
