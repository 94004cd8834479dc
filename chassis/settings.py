"""What every service can be told by its environment.

A service derives its own: `class ScoringSettings(ServiceSettings, env_prefix="SCORING_")`.

No secret has a default; what is missing or wrong is reported by the name of its variable, and never by its value.
A variable with the prefix that is no setting stops the start: see `chassis.setting_names`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from chassis.bus.streams import ALERTS, DEAD, KEPT_DAYS
from chassis.setting_names import describe_unknown, unknown_names, weakness_of
from contracts.limits import KEPT_SECONDS, LANES


class SettingsRefused(Exception):
    """The environment does not say what the service needs to know."""


Milliseconds = Annotated[float, Field(ge=0, le=5000)]
Niceness = Annotated[int, Field(ge=0, le=19)]
LINGER = "For how long a reader waits for more, while more comes, in ms; for services that nobody waits for"


def _strong(secret: str) -> str:
    if why := weakness_of(secret):
        raise ValueError(why)
    return secret


def _parted(value: object) -> object:
    """A list as people write it: with commas between, or as JSON."""
    if not isinstance(value, str):
        return value
    if not value.strip().startswith("["):
        return [part for each in value.split(",") if (part := each.strip())]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('it begins like a JSON list and is none; write ["one", "two"], or one, two') from None


StrongSecret = Annotated[str, AfterValidator(_strong)]
"""What lets somebody in: long enough not to be guessed, and fit for a header."""
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parted)]
"""With commas between them, or a JSON list."""


class ServiceSettings(BaseSettings):
    """The knobs that all services share."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on; 0.0.0.0 in a container")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0 takes any free one")
    inner_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Where probes and metrics answer too, and metrics there alone; unset: probes on the port, and a"
        " service's metrics",
    )
    database_url: str = Field(description="Its store: sqlite:///path or postgresql://user:password@host/database")
    migrations: Literal["run", "await"] = Field(
        default="run",
        description="run: at the start; await: wait until `python -m services.<name>.main migrate` has been run",
    )
    migration_database_url: str = Field(
        default="", description="Its store with the role that owns the tables, for migrations; empty: the same"
    )
    migration_wait_seconds: float = Field(
        default=300.0, ge=0, description="How long `migrate` waits for a database that is not there yet"
    )
    durability: Literal["full", "normal"] = Field(
        default="full",
        description="SQLite: normal may lose the last commits at a power cut; for stores that can be replayed",
    )
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="NATS, with its own user and password")
    nats_replicas: int = Field(default=1, ge=1, le=5, description="How many servers keep each stream; 3 in a cluster")
    alerts_days: int = Field(
        default=KEPT_DAYS[ALERTS], ge=1, le=3650, description="For how many days alerts can be read"
    )
    dead_days: int = Field(
        default=KEPT_DAYS[DEAD],
        ge=7,
        le=3650,
        description="For how many days dead letters can be read",
    )
    token_public_key: str = Field(
        description="What the gateway's tokens are verified with: Ed25519, base64 or PEM; several, with commas between,"
        " while keys rotate"
    )
    lanes: int = Field(
        default=1, ge=1, le=LANES, description="Ordered ways that messages travel in; the same in all processes"
    )
    lanes_file: Path | None = Field(
        default=None,
        description="A file that tells the number of lanes, also while the process runs; where it is there, it wins",
    )
    batch_size: int = Field(default=250, ge=1, le=500, description="Messages that share a transaction at most")
    rest_ms: Milliseconds = Field(
        default=10.0,
        description="At most so long a reader rests after a batch, namely as long as that took, in ms; what comes"
        " meanwhile is gathered",
    )
    linger_ms: Milliseconds = Field(default=0.0, description=LINGER)
    niceness: Niceness = Field(
        default=0,
        description="How far others on the same machine go first when there is too little of it; as in nice(1)",
    )
    body_limit: int = Field(default=2_000_000, ge=1024, description="Bytes of a request body; a longer one answers 413")
    keep_alive_seconds: int = Field(
        default=KEPT_SECONDS,
        ge=5,
        le=3600,
        description="So long a connection is kept for a next request; longer than a balancer in front keeps its own",
    )
    stuck_seconds: float = Field(
        default=15.0,  # an outage of five seconds is noticed up to five seconds late: that leaves some room
        gt=0,
        description="For how long work may stand still before /readyz says so",
    )
    notice_seconds: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="So long an end begins with: not ready, all is still answered, each answer ends its connection",
    )
    drain_seconds: float = Field(default=10.0, gt=0, description="What an orderly end may take")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged")
    log_format: Literal["json", "console"] = Field(default="json", description="One JSON object a line, or for eyes")
    sample_ratio: float = Field(
        default=0.01, ge=0, le=1, description="Of traces that begin here; a parent's decision is kept"
    )

    @property
    def kept_days(self) -> dict[str, int]:
        """For how long the streams are kept that are not facts."""
        return {ALERTS: self.alerts_days, DEAD: self.dead_days}

    def __init__(self, **values: Any) -> None:
        prefix = str(type(self).model_config.get("env_prefix", ""))
        if prefix and (unknown := unknown_names(prefix, type(self).model_fields, os.environ)):
            raise SettingsRefused(describe_unknown(unknown))
        try:
            super().__init__(**values)
        except ValidationError as refusal:
            # the cause could quote a secret
            raise SettingsRefused(explain(refusal, self.model_config.get("env_prefix", ""))) from None
        except SettingsError as refusal:  # what is neither text nor number is read as JSON
            field = next((name for name in type(self).model_fields if f'"{name}"' in str(refusal)), "a setting")
            raise SettingsRefused(
                f"the environment is not understood; {f'{prefix}{field}'.upper()}: it takes JSON, such as"
                ' ["one", "two"] or {"name": "value"}'
            ) from None

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
