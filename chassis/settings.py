"""What every service can be told by its environment.

A service derives its own: `class ScoringSettings(ServiceSettings, env_prefix="SCORING_")`.

No secret has a default; what is missing or wrong is reported by the name of its variable, and never by its value.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
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
    database_url: str  # sqlite:///path or postgresql://...
    # SQLite: normal may lose the last commits at a power cut; for stores that can be replayed
    durability: Literal["full", "normal"] = "full"
    nats_url: str = "nats://127.0.0.1:4222"
    nats_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    token_public_key: str  # Ed25519, base64 or PEM; several, separated by commas, while keys rotate
    lanes: Annotated[int, Field(ge=1, le=LANES)] = 1
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
    drain_seconds: Annotated[float, Field(gt=0)] = 10.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01  # of traces that begin here; a parent's decision is kept

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as refusal:
            raise SettingsRefused(self._explain(refusal)) from None  # the cause could quote a secret

    @classmethod
    def _explain(cls, refusal: ValidationError) -> str:
        prefix = cls.model_config.get("env_prefix", "")
        lines = [
            f"{prefix}{'.'.join(map(str, error['loc']))}".upper() + f": {error['msg']}"
            for error in refusal.errors(include_input=False)
        ]
        return "the environment is incomplete; " + "; ".join(lines)
