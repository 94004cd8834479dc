"""Field types take what their schema says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.web.fields import Moment

MOMENT = TypeAdapter(Moment)


@pytest.mark.parametrize("value", ["0", "0.5", "1e3", 0, 1_700_000_000, "-1", "", "yesterday", "2026-03-01T08:00:00"])
def test_a_moment_is_not_a_number_and_has_a_time_zone(value: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(value)


def test_a_moment_is_written_as_rfc_3339_says() -> None:
    assert MOMENT.validate_python("2026-03-01T09:00:00+01:00") == datetime(2026, 3, 1, 8, tzinfo=UTC)
