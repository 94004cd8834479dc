"""The catalogue: what changes about a treatment makes a new revision, and no revision is ever rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.nurture.domain.treatments import TreatmentBody


@dataclass(frozen=True, slots=True)
class Entry:
    """A treatment in the catalogue with its newest revision, or with an older one that was asked for."""

    treatment_id: str
    revision: int
    latest: int
    external_id: str | None
    is_starter: bool
    created_at: datetime
    revised_at: datetime
    revised_by: str
    body: TreatmentBody


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody wants a treatment to be. `external_id` None leaves the one it has."""

    body: TreatmentBody
    external_id: str | None
    by: str
    at: datetime


def is_revision(entry: Entry, edit: Edit) -> bool:
    """Whether the edit says anything that the newest revision does not."""
    return entry.body != edit.body
