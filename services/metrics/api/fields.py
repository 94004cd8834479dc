"""Fields that several routes take."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from chassis.context import Context
from chassis.routes import READING, WRITING
from services.metrics.domain.asking import Reporting

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _refuse_all_but_days(value: Any) -> Any:
    # pydantic would take 0 for 1970-01-01, and a midnight for its day
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("day", "A day is written like 2026-03-01")
    if not isinstance(value, str | date):
        raise PydanticCustomError("day", "A day is written like 2026-03-01")
    return value


def _full(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "There is nothing in it but white space")
    return text


Read = Annotated[Context[Reporting], READING]
Write = Annotated[Context[Reporting], WRITING]
"""Contexts that know the reporting currency and time zone."""
Day = Annotated[date, BeforeValidator(_refuse_all_but_days, json_schema_input_type=date)]
"""A day of the reporting time zone."""
NOT_BLANK = AfterValidator(_full)
CampaignId = Annotated[str, Path(min_length=1, max_length=64, description="A campaign", examples=["cmp_01J8Z0"])]
MAY_WRITE = ("marketing", "ops", "admin")
MAY_READ = ("marketing", "sales", "manager", "ops", "admin")
