"""What an installation decides about its figures."""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from chassis.settings import LINGER, Milliseconds, ServiceSettings
from services.metrics.domain.measures import ASIDE, LINE, MILESTONES, ReportSettings, StageOrder

StageName = Annotated[str, Field(min_length=1, max_length=64)]


class MetricsSettings(ServiceSettings, env_prefix="METRICS_"):
    """Metrics' knobs: one reporting currency and time zone, and the order of the stages where the process is not the
    default one (as JSON lists).
    """

    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$", description="What all amounts are reported in")
    # reports need no more, and most of what there is to hear ends here
    linger_ms: Milliseconds = Field(default=400.0, description=LINGER)
    time_zone: str = Field(default="UTC", description="Days of costs and bare dates in reports begin at midnight here")
    stages: tuple[StageName, ...] = Field(default=LINE, description="From the first visit to the sale; a JSON list")
    stages_aside: tuple[StageName, ...] = Field(
        default=ASIDE, description="What people leave the line for; a JSON list"
    )

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise ValueError("this is no time zone of the IANA database, such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _is_a_process(self) -> Self:
        named = [*self.stages, *self.stages_aside]
        if len(set(named)) < len(named):
            raise ValueError("a stage stands twice in stages and stages_aside")
        missing = sorted(set(MILESTONES.values()) - set(self.stages))
        if missing:
            raise ValueError(f"stages lacks {', '.join(missing)}, which the campaign report counts")
        return self

    def reporting(self) -> ReportSettings:
        return ReportSettings(self.currency, ZoneInfo(self.time_zone), StageOrder(self.stages, self.stages_aside))
