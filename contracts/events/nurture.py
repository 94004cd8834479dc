"""What nurture says: which treatment was chosen for whom."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from contracts.events import rulebooks
from contracts.events.person import PersonEvent
from contracts.values import Receipt


class TreatmentSelected(PersonEvent):
    """A treatment was chosen; its receipt names the runners-up and why not they."""

    wire_name: ClassVar[str] = "nurture.treatment.selected.v1"
    owner: ClassVar[str] = "nurture"

    selection_id: str
    treatment_id: str
    revision: int  # of the treatment
    channel: str
    campaign_id: str | None = None
    buying_stage: str
    occurred_at: AwareDatetime
    is_test: bool = False
    receipt: Receipt


class RulebookActivated(rulebooks.RulebookActivated):
    """From here on in the stream, another version of the nurture rulebook decides."""

    wire_name: ClassVar[str] = "nurture.rulebook.activated.v1"
    owner: ClassVar[str] = "nurture"
