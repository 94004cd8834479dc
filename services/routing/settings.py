"""Routing's knobs."""

from __future__ import annotations

from pydantic import SecretStr

from chassis.settings import ServiceSettings


class RoutingSettings(ServiceSettings, env_prefix="ROUTING_"):
    """Read from ROUTING_*.

    Without a seed reps get no credentials on NATS; the gateway's alert stream is there for them all the same.
    """

    # of the account key that NATS expects grants to be signed with (`auth_callout { issuer }`)
    callout_seed: SecretStr | None = None
    callout_account: str = "REPS"  # the account of the server's configuration that reps are let into
    public_nats_url: str | None = None  # what reps connect to; default: nats_url without user and password
