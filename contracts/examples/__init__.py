"""One invented example per event; golden files, schemas and documentation are made from them. Nobody in here exists."""

from __future__ import annotations

from contracts.envelope import Event
from contracts.examples import people, walk

EXAMPLES: tuple[Event, ...] = (*people.EXAMPLES, *walk.EXAMPLES)
