"""What every service can be told by its environment.

A service derives its own: `class ScoringSettings(ServiceSettings, env_prefix="SCORING_")`.

No secret has a default; what is missing or wrong is reported by the name of its variable, and never by its value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.limits import LANES


class SettingsRefused(Exception):
    """The environment does not say what the service needs to know."""


Milliseconds = Annotated[float, Field(ge=0, le=5000)]
Niceness = Annotated[int, Field(ge=0, le=19)]


class ServiceSettings(BaseSettings):
    """The knobs that all services share."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000  # 0: any free one
    # where probes and metrics answer too, metrics there alone; unset: probes on `port`, and a service's metrics
    inner_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    database_url: str  # sqlite:///path or postgresql://...
    # run: at start; await: wait until `python -m services.<name>.main migrate` has been run
    migrations: Literal["run", "await"] = "run"
    migration_wait_seconds: Annotated[float, Field(ge=0)] = 300.0  # of `migrate`, for a database that is not there yet
    migration_database_url: str = ""  # with the role that owns the tables, for `run` and `migrate`; empty: database_url
    # SQLite: normal may lose the last commits at a power cut; for stores that can be replayed
    durability: Literal["full", "normal"] = "full"
    nats_url: str = "nats://127.0.0.1:4222"
    nats_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    token_public_key: str  # Ed25519, base64 or PEM; several, separated by commas, while keys rotate
    lanes: Annotated[int, Field(ge=1, le=LANES)] = 1
    # where it is there, it wins over `lanes`, also while the process runs (chassis.lanes)
    lanes_file: Path | None = None
    batch_size: Annotated[int, Field(ge=1, le=500)] = 250
    # at most so long the reader of a stream rests after a batch, namely as long as that took; what comes is gathered
    rest_ms: Milliseconds = 10.0
    # so long it waits for more besides, while more comes; for services that nobody waits for
    linger_ms: Milliseconds = 0.0
    niceness: Niceness = 0  # how far others on the same machine go first when there is too little of it; as in nice(1)
    body_limit: Annotated[int, Field(ge=1024)] = 2_000_000  # bytes of a request body; a longer one answers 413
    stuck_seconds: Annotated[float, Field(gt=0)] = 15.0
    """For how long work may stand still before /readyz says so.

    An outage of five seconds is noticed up to five seconds late (the longest wait between two tries) and may show
    in none of the parts: 15 leaves some room.
    """
    # so long an end begins with: not ready, all is still answered, and each answer ends its connection
    notice_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0
    drain_seconds: Annotated[float, Field(gt=0)] = 10.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01  # of traces that begin here; a parent's decision is kept

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as refusal:
            # the cause could quote a secret
            raise SettingsRefused(explain(refusal, self.model_config.get("env_prefix", ""))) from None

    @field_validator("inner_port")
    @classmethod
    def _is_another(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value == info.data.get("port"):
            raise ValueError("the inner port must be another than the port; choose a free one")
        return value

    @property
    def owner_url(self) -> str:
        """With which the store is prepared: the owner's where migrations are run and one is given."""
        return (self.migration_database_url if self.migrations == "run" else "") or self.database_url

    @property
    def ports(self) -> list[int]:
        """Those that this process listens on."""
        return [port for port in (self.port, self.inner_port) if port]


def explain(refusal: ValidationError, prefix: str) -> str:
    """What is missing or wrong in the environment, by the names of its variables."""
    lines = [
        f"{prefix}{'.'.join(map(str, error['loc']))}".upper() + f": {error['msg']}"
        for error in refusal.errors(include_input=False)
    ]
    return "the environment is incomplete; " + "; ".join(lines)
