"""The gateway's knobs; environment prefix GATEWAY_."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings
from contracts.limits import FORM_FILES_BYTES, REJECTS
from gateway.routes import UPSTREAMS


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
    capture_prefixes: tuple[str, ...] = Field(
        default=(), description="Paths that may precede /v1, beside those of the sources; a JSON list"
    )
    api_origins: tuple[str, ...] = Field(
        default=(),
        description="Browser origins that may call the API, a JSON list; captures and forms may come from anywhere",
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many of our own stand in front and append to X-Forwarded-For"
    )
    bootstrap_api_key: str | None = Field(
        default=None,
        description="The first API key, an administrator's; another one here replaces it at the next start",
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
