"""Which methods a path takes, for the `Allow` header of a 405 (RFC 9110, 15.5.6).

Starlette names those of the first route that matches, but one path may have several routes, and `/people/{id}` also matches
`/people/x:merge`. The service's own OpenAPI document knows better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def allowed_methods(paths: Mapping[str, Mapping[str, Any]], path: str) -> tuple[str, ...]:
    """The methods of the template that says most about `path` (has most fixed characters); empty when none matches."""
    matching = [template for template in paths if _pattern(template).fullmatch(path)]
    if not matching:
        return ()
    best = max(matching, key=lambda template: len(re.sub(r"{[^}]*}", "", template)))
    return tuple(sorted(method.upper() for method in paths[best]))


@lru_cache(maxsize=512)
def _pattern(template: str) -> re.Pattern[str]:
    fixed = re.split(r"{[^}]*}", template)
    return re.compile("[^/]+".join(map(re.escape, fixed)))
