"""What is said to the suite as a whole, and to those who run it: variables of no process alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "RAPPORT_"


@dataclass(frozen=True)
class Setting:
    """One variable. `default` is None where it must be given."""

    variable: str
    type: str
    default: str | None
    meaning: str
    process: str

    @property
    def is_required(self) -> bool:
        return self.default is None


_UP, _COMMAND, _ALL = "make up, rapport up", "rapport", "each"
_NUMBER, _TEXT, _URL = "whole number", "text", "address"

SUITE_SETTINGS: Final = (
    Setting("PORT", _NUMBER, "8080", "The gateway's port; 0 takes that of the last time", "make up, make demo"),
    Setting("RAPPORT_PORT", _NUMBER, "8080", "The same", "rapport up"),
    Setting("NATS_PORT", _NUMBER, "that of the last time", "NATS's port", _UP),
    Setting("NATS_MONITOR_PORT", _NUMBER, "that of the last time", "The port of NATS's monitor", _UP),
    Setting(
        "BASE_PORT", _NUMBER, "those of the last time", "NATS, its monitor and the services take this and the next", _UP
    ),
    Setting("VAR", "folder", "var", "The suite's folder: stores, streams, logs, keys", "make"),
    Setting("RAPPORT_VAR", "folder", "var", "The same", _COMMAND),
    Setting(
        "RAPPORT_DATABASE",
        _URL,
        "those of the last time, at first SQLite",
        "Where the stores are: a PostgreSQL server (postgresql://user:password@host:5432/; each process gets a database"
        " and a role), or an address with {service} in it. The choice is kept in the folder",
        _UP,
    ),
    Setting("DATABASE", _URL, "RAPPORT_DATABASE", "The same; what stands on a command line shows in `ps`", _UP),
    Setting("DETACH", "1", "none", "Return when every process is ready", "make up"),
    Setting("FORK", "0", "none", "Start an interpreter for each process instead of forking", "make up"),
    Setting("RAPPORT_FORK", "0", "none", "The same", "rapport up"),
    Setting(
        "RAPPORT_PATIENCE_SECONDS",
        "number",
        "60",
        "For how long nothing of a suite that starts may move (use a processor, wait for one, use the disk)",
        _UP,
    ),
    Setting("RAPPORT_URL", _URL, "as in rapport.env", "The gateway that a command asks", _COMMAND),
    Setting("RAPPORT_API_KEY", "secret text", "as in rapport.env", "The key it asks with", _COMMAND),
    Setting("RAPPORT_WRITE_KEY", "secret text", "as in rapport.env", "The key of the first source", "who sends"),
    Setting("RAPPORT_NATS_URL", _URL, "as in rapport.env", "NATS for an observer, who reads", "who reads events"),
    Setting("RAPPORT_OPERATOR_NATS_URL", _URL, "as in rapport.env", "NATS for an operator", _COMMAND),
    Setting(
        "RAPPORT_FOREIGN",
        "texts, commas between",
        "none",
        "Variables that begin like a setting and belong to somebody else, as METRICS_TOKEN or GATEWAY_*",
        _ALL,
    ),
    Setting("RAPPORT_INNER_URL", _URL, "as in rapport.env", "Where the gateway tells how it is", "who watches"),
    Setting("RAPPORT_IMAGES", _TEXT, "rapport", "Where the images are", "docker compose"),
    Setting("RAPPORT_VERSION", _TEXT, "this version", "Which images run", "docker compose"),
    Setting("RAPPORT_SERVICE", _TEXT, "that of the image", "Which process a container runs", "the image"),
    Setting("RAPPORT_REVISION", _TEXT, "none", "The commit an image was built from", _ALL),
    Setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        _URL,
        "none",
        "Where traces are sent; more variables of OpenTelemetry's hold too",
        _ALL,
    ),
)
SUITE_NAMES: Final = tuple(one.variable for one in SUITE_SETTINGS)
