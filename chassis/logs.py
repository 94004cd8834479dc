"""Logs: one JSON object a line on standard output, with the trace it belongs to, and without secrets or personal data.

Events are static strings, `<noun>.<past>`, plus fields: `log.info("referral.accepted", person_id=...)`. The standard
library's logging (uvicorn, nats, SQLAlchemy) goes the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from chassis.telemetry import current_ids

MASK = "***"
_SECRET_KEY = re.compile(
    r"(?i)(authorization|cookie|secret|passw|token|credential|(write|api|private)_?key|database_url|nats_url|dsn)"
)
_PERSONAL_KEY = re.compile(
    r"(?i)(^|_)(e_?mail|phone|mobile|first_?name|last_?name|full_?name|address|birthday|ip|user_agent|traits|anonymous_id)(_|$)"
)
_EMAIL_IN_TEXT = re.compile(r"[^\s@'\"<>(),;:=/]+@[^\s@'\"<>(),;:/]+\.[^\s@'\"<>(),;:/.]+")
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)")
_KEY_IN_TEXT = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Unfailing:
    """Where lines go that may be lost: a disk that is full and a reader that was killed are no reason to fail work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logs(
    service: str, level: str = "info", log_format: Literal["json", "console"] = "json", stream: TextIO | None = None
) -> None:
    """Sets the process's logging up; called once, by `serve`."""
    output = stream or sys.stdout
    written = cast(TextIO, _Unfailing(output))

    def add_service(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
        fields["service"] = service
        return fields

    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_service,
        add_trace,
        structlog.processors.format_exc_info,
        mask,
        structlog.dev.ConsoleRenderer(colors=output.isatty()) if log_format == "console" else render_json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(_LEVELS[level])


def add_trace(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Names the trace that was running."""
    ids = current_ids()
    if ids is not None:
        fields["trace_id"], fields["span_id"] = ids
    return fields


def mask(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Hides secrets and personal data, by the names of fields and by the look of texts, however deep."""
    for name, value in fields.items():
        fields[name] = _masked(name, value)
    return fields


def render_json(_logger: WrappedLogger, _method: str, fields: EventDict) -> str:
    """One line of JSON; what JSON does not know is written as its repr, and lone surrogates as question marks."""
    try:
        return orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(
            {name: repr(value).encode("utf-8", "replace").decode() for name, value in fields.items()}
        ).decode()


def _masked(name: str, value: Any) -> Any:
    if _SECRET_KEY.search(name) or _PERSONAL_KEY.search(name):
        return value if value is None else MASK
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {key: _masked(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", inner) for inner in value]
    if isinstance(value, BaseException):
        return masked_text(repr(value))
    return value


def masked_text(text: str) -> str:
    """The text without e-mail addresses, passwords in URLs and bearer tokens."""
    if "@" in text:
        text = _EMAIL_IN_TEXT.sub(MASK, _PASSWORD_IN_URL.sub(MASK, text))
    return _KEY_IN_TEXT.sub(rf"\1 {MASK}", text)


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] is not None else None
        fields: dict[str, Any] = {"logger": record.name} | ({"exc_info": exc_info} if exc_info else {})
        logger.log(max(record.levelno, logging.DEBUG), record.getMessage(), **fields)


def _route_standard_logging(level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_ToStructlog()]
    root.setLevel(max(level, logging.INFO))  # the debug output of libraries quotes whole messages
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in ("httpx", "aiosqlite", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
