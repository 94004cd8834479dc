"""Field types for JSON bodies that take what their JSON Schema says, no more and no less.

pydantic alone takes `true` and `"5"` for an integer, and strict pydantic refuses `5.0`, which JSON Schema calls one. (Query parameters arrive as
text: they are plain `int`.)
"""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator, StrictBool
from pydantic_core import PydanticCustomError


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise PydanticCustomError("whole_number", "Input should be a whole number")


WHOLE = BeforeValidator(_whole)
"""Marks an integer of a body, after its bounds (which would not reach the document otherwise): `Annotated[int, Field(ge=0, le=10**9), WHOLE]`.

Give bounds: stores hold 64 bits.
"""

Truth = StrictBool
"""`true` or `false`, and not 1 or "yes"."""
