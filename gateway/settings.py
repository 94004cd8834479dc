"""The gateway's knobs; environment prefix GATEWAY_."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, StrongSecret, Texts
from contracts.limits import FORM_FILES_BYTES, REJECTS
from gateway.routes import UPSTREAMS

_ORIGIN = re.compile(r"https?://[^/\s?#@]+")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """As browsers write them, which ends no address with a slash; anything else would never be met, in silence."""
    found = tuple(value.rstrip("/").lower() for value in values)
    if any(not _ORIGIN.fullmatch(value) for value in found):
        raise ValueError("an origin is scheme and host, as https://app.example.com, with a port if it has its own")
    return found


class GatewaySettings(ServiceSettings):
    """Beside what every service can be told: keys, upstreams, and who may call from where."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    token_private_key: str = Field(description="What the inner tokens are signed with: Ed25519, base64 or PEM")
    identity_url: str = Field(default="http://127.0.0.1:8001", description="Where identity answers")
    scoring_url: str = Field(default="http://127.0.0.1:8002", description="Where scoring answers")
    lifecycle_url: str = Field(default="http://127.0.0.1:8003", description="Where lifecycle answers")
    nurture_url: str = Field(default="http://127.0.0.1:8004", description="Where nurture answers")
    routing_url: str = Field(default="http://127.0.0.1:8005", description="Where routing answers")
    metrics_url: str = Field(default="http://127.0.0.1:8006", description="Where metrics answers")
    public_url: str | None = Field(
        default=None, description="The gateway as browsers see it; by default as the request came in"
    )
    capture_prefixes: Texts = Field(
        default=(), description="Paths that may precede /v1, beside those of the sources; with commas between"
    )
    api_origins: Annotated[Texts, AfterValidator(_origins)] = Field(
        default=(),
        description="Browser origins that may call the API, as https://app.example.com, with commas between; captures"
        " and forms may come from anywhere",
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many of our own stand in front and append to X-Forwarded-For"
    )
    bootstrap_api_key: StrongSecret | None = Field(
        default=None,
        description="The first API key, an administrator's, of 24 characters at least; another one here replaces it at"
        " the next start",
    )
    bootstrap_write_key: str | None = Field(
        default=None, description="The write key of the first source; another one here replaces it at the next start"
    )
    patience_seconds: float = Field(
        default=4.0,
        ge=0,
        le=30,
        description="So long a service that was found away is waited for before callers are told; restarts take less",
    )
    refresh_seconds: float = Field(
        default=2.0, gt=0, description="How late another replica's change to sources, forms or keys is seen"
    )
    alerts_keep_alive_seconds: float = Field(
        default=15.0,
        ge=0.1,
        le=300,
        description="After so long without an alert a listener is told that the stream is still there, and a rep who "
        "became inactive is hung up on",
    )
    rejects_kept: int = Field(
        default=REJECTS, ge=1, le=100_000, description="Refused captures that are kept for each source"
    )
    body_limit: int = Field(
        default=FORM_FILES_BYTES, ge=1024, description="Bytes of a request body, a form with files above all"
    )

    @property
    def upstreams(self) -> dict[str, str]:
        """Service -> where it answers."""
        return {name: getattr(self, f"{name}_url") for name in UPSTREAMS}
