"""The gateway's knobs; environment prefix GATEWAY_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings
from contracts.limits import FORM_FILES_BYTES, REJECTS
from gateway.routes import UPSTREAMS


class GatewaySettings(ServiceSettings):
    """Beside what every service can be told: keys, upstreams, and who may call from where."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    token_private_key: str  # Ed25519, base64 or PEM; signs the inner tokens
    identity_url: str = "http://127.0.0.1:8001"
    scoring_url: str = "http://127.0.0.1:8002"
    lifecycle_url: str = "http://127.0.0.1:8003"
    nurture_url: str = "http://127.0.0.1:8004"
    routing_url: str = "http://127.0.0.1:8005"
    metrics_url: str = "http://127.0.0.1:8006"
    public_url: str | None = None  # as browsers see the gateway; None: as the request came in
    capture_prefixes: tuple[str, ...] = ()  # paths that may precede /v1, beside those of the sources
    # browser origins that may call the API; captures and forms may come from anywhere
    api_origins: tuple[str, ...] = ()
    # how many of our own stand in front and append to X-Forwarded-For
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    bootstrap_api_key: str | None = None
    bootstrap_write_key: str | None = None
    # how late another replica's change to sources, forms or keys is seen
    # so long a service that was found away is waited for before callers are told; restarts take less
    patience_seconds: Annotated[float, Field(ge=0, le=30)] = 4.0
    refresh_seconds: Annotated[float, Field(gt=0)] = 2.0
    rejects_kept: Annotated[int, Field(ge=1, le=100_000)] = REJECTS  # per source
    body_limit: Annotated[int, Field(ge=1024)] = FORM_FILES_BYTES  # of a form with files

    @property
    def upstreams(self) -> dict[str, str]:
        """Service -> where it answers."""
        return {name: getattr(self, f"{name}_url") for name in UPSTREAMS}
