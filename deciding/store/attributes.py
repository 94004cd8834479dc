"""How a profile is written as text, canonically: equal profiles give equal texts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson

from contracts.events.scoring import Attribute
from contracts.values import Strength
from deciding.profile import Attributes

_STRENGTHS: Final = {one.value: one for one in Strength}  # a third of what `Strength(...)` costs


def attributes_to_text(attributes: Attributes) -> str:
    """`{name: [value, strength, source, interaction, moment]}` as canonical JSON."""
    written = {
        name: [one.value, one.strength.value, one.source_id, one.interaction_id, one.occurred_at.isoformat()] for name, one in attributes.items()
    }
    return orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()


def attributes_from_text(text: str) -> dict[str, Attribute]:
    """The profile that `attributes_to_text` wrote."""
    # validated, though what is read was checked when it was written: `model_construct` is Python, and takes five times as long
    return {
        name: Attribute(
            value=value,
            strength=_STRENGTHS[strength],
            source_id=source_id,
            interaction_id=interaction_id,
            occurred_at=datetime.fromisoformat(occurred_at),
        )
        for name, (value, strength, source_id, interaction_id, occurred_at) in orjson.loads(text).items()
    }
