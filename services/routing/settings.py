"""Routing's knobs."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class RoutingSettings(ServiceSettings, env_prefix="ROUTING_"):
    """Read from ROUTING_*.

    Without a seed reps get no credentials on NATS; the gateway's alert stream is there for them all the same.
    """

    callout_seed: SecretStr | None = Field(
        default=None,
        description="Seed of the account key that NATS expects grants to be signed with (`auth_callout { issuer }`)",
    )
    callout_account: str = Field(
        default="REPS", description="The account of the server's configuration that reps are let into"
    )
    revoker_nats_url: str | None = Field(
        default=None,
        description="NATS for the user `revoker`, who ends connections of reps whose key was replaced or who left; "
        "without it these stay until they hang up",
    )
    public_nats_url: str | None = Field(
        default=None, description="What reps connect to; by default nats_url without user and password"
    )
