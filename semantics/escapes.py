"""Characters that a page wrote as HTML would have them: `O&#039;Neil`, `Smith &amp; Sons`, `&lt;ada@acme.example&gt;`.

Site builders escape what somebody typed before they pass it on, some of them twice.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

# whole ones only: `AT&T` and `R&D; more` are no escapes
_ENTITY: Final = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|rsquo|lsquo|[a-zA-Z](?:uml|acute|grave|circ|cedil|tilde|ring)|szlig|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});"
)
_TIMES: Final = 2


def unescaped(text: str) -> str:
    """`text` as it was typed."""
    for _ in range(_TIMES):
        if "&" not in text or _ENTITY.search(text) is None:
            return text
        text = _ENTITY.sub(lambda found: unescape(found[0]), text)
    return text
