"""Field types that take what their JSON Schema says, no more and no less.

pydantic alone takes `true` and `"5"` for an integer, and strict pydantic refuses `5.0`, which JSON Schema calls one.
(Query parameters arrive as text: they are plain `int`.)
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, StrictBool
from pydantic_core import PydanticCustomError


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise PydanticCustomError("whole_number", "Input should be a whole number")


WHOLE = BeforeValidator(_whole)
"""Marks an integer of a body, after its bounds (which would not reach the document otherwise):
`Annotated[int, Field(ge=0, le=10**9), WHOLE]`.

Give bounds: stores hold 64 bits.
"""

Truth = StrictBool
"""`true` or `false`, and not 1 or "yes"."""

_NUMBER = re.compile(r"[-+]?\d*\.?\d*(e[-+]?\d+)?", re.IGNORECASE)


def _refuse_numbers(value: object) -> object:
    # pydantic would take 0 for 1970, and so would nobody who asks
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise PydanticCustomError("moment", "A moment is written like 2026-03-01T08:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_refuse_numbers, json_schema_input_type=AwareDatetime)]
"""A moment with its time zone, in a body or in the query."""
