"""Logs say what happened and keep secrets and people out."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanKind

from chassis.logs import configure_logs, mask, render_json
from chassis.telemetry import Telemetry


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where the logs go during the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("echo", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    """What was logged."""
    return [orjson.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_names_service_event_and_trace(output: io.StringIO) -> None:
    with Telemetry("echo", 0.0).span("work", SpanKind.INTERNAL) as span:
        structlog.get_logger().info("referral.accepted", referral_id="ref_1")
    (line,) = lines(output)
    assert (line["event"], line["service"], line["level"], line["referral_id"]) == (
        "referral.accepted",
        "echo",
        "info",
        "ref_1",
    )
    assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert line["at"].endswith("Z")


@pytest.mark.parametrize(
    "field",
    [
        "authorization",
        "write_key",
        "token",
        "password",
        "database_url",
        "set_cookie",
        "api_key",
        "email",
        "work_email",
        "phone",
        "first_name",
        "ip",
        "traits",
    ],
)
def test_fields_that_hold_secrets_or_people_are_masked(output: io.StringIO, field: str) -> None:
    structlog.get_logger().info(
        "thing.happened", **{field: "hush", "outer": {field: "hush", "list": [{field: "hush"}]}}
    )
    assert "hush" not in output.getvalue()
    assert lines(output)[0][field] == "***"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("cannot reach postgresql://rapport:hush@db/identity", "hush"),
        ("jane.doe+news@example.co.uk is not a number", "jane"),
        ("Authorization: Bearer eyJhbGciOiJFZERTQSJ9.e30.abc", "eyJ"),
    ],
)
def test_texts_that_look_like_secrets_or_people_are_masked(output: io.StringIO, text: str, secret: str) -> None:
    structlog.get_logger().info("thing.failed", reason=text, error=ValueError(text))
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger().exception("thing.failed")
    logging.getLogger("somewhere").error("went wrong: %s", text)
    assert secret not in output.getvalue()
    assert len(lines(output)) == 3


def test_the_standard_library_goes_the_same_way(output: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("half %d", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", UserWarning, stacklevel=1)
    assert lines(output)[0]["event"] == "half 1"
    assert "old ways" in lines(output)[1]["event"]
    logging.getLogger("nats").debug("whole message")
    assert len(lines(output)) == 2


def test_useful_words_are_left_alone(output: io.StringIO) -> None:
    structlog.get_logger().info(
        "batch.failed", consumer="echo", key="ref_1", description="tip of the ship", stream="SIGNAL", keyed=True
    )
    line = lines(output)[0]
    assert (line["key"], line["description"], line["keyed"]) == ("ref_1", "tip of the ship", True)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner)),
        max_size=5,
    )
)
def test_whatever_is_logged_becomes_one_line(fields: dict[str, Any]) -> None:
    line = render_json(None, "info", mask(None, "info", dict(fields)))
    assert "\n" not in line
    orjson.loads(line)


@pytest.mark.usefixtures("output")
def test_a_line_that_cannot_be_written_fails_no_work() -> None:
    """A full disk, or a reader that was killed."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    configure_logs("echo", stream=Broken())
    structlog.get_logger().info("work.done")
    logging.getLogger("uvicorn.error").error("not done")
