"""The gateway's knobs; environment prefix GATEWAY_."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, StrongSecret, Texts
from contracts.limits import FORM_FILES_BYTES, REJECTS
from contracts.rates import (
    ADDRESS_EVENTS,
    CONNECTIONS_AN_ADDRESS,
    PERSON_EVENTS,
    SERVER_EVENTS,
    WEB_EVENTS,
    WRONG_KEYS,
)
from gateway.admission import Numbers
from gateway.domain.addresses import PRIVATE, Network, counted_as, network_of
from gateway.domain.webhooks.addresses import Guard
from gateway.oidc.claims import ROLES, ClaimRules
from gateway.oidc.key_set import safe_address
from gateway.routes import UPSTREAMS

_PATH = re.compile(r"(/[A-Za-z0-9_\-.]+){2,6}")
_TAKEN = ("/v1/", "/api/", "/beacon/")
_ORIGIN = re.compile(r"https?://[^/\s?#@]+")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """As browsers write them, which ends no address with a slash; anything else would never be met, in silence."""
    found = tuple(value.rstrip("/").lower() for value in values)
    if any(not _ORIGIN.fullmatch(value) for value in found):
        raise ValueError("an origin is scheme and host, as https://app.example.com, with a port if it has its own")
    return found


def _ports(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or any(not (value.isascii() and value.isdigit() and 0 < int(value) < 65536) for value in values):
        raise ValueError("ports are numbers from 1 to 65535, as 443, 8443")
    return values


def _own_networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ValueError(f"{value!r} is no network; write 10.20.0.0/16 or fd12:3456::/32") from None
    return values


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(network_of(value)) for value in values)


def _paths(values: tuple[str, ...]) -> tuple[str, ...]:
    """Two parts at least, and none that is a door already: a path that covers the API would close it."""
    if any(not _PATH.fullmatch(value) or value.startswith(_TAKEN) for value in values):
        raise ValueError("a path is as /collect/tp2, and begins with none of /v1/, /api/, /beacon/")
    return values


AMinute = Annotated[int, Field(ge=0, le=100_000_000)]


def _mapping(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        name, _, role = value.rpartition("=")
        if not name or role not in ROLES:
            raise ValueError(f"a pair is <value of the claim>=<role>; roles are {', '.join(sorted(ROLES))}")
    return values


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
        default=None,
        description="The gateway as browsers see it, as https://leads.example.com; by default the address that the"
        " connection came to, and never what a request says",
    )
    capture_prefixes: Texts = Field(
        default=(), description="Paths that may precede /v1, beside those of the sources; with commas between"
    )
    api_origins: Annotated[Texts, AfterValidator(_origins)] = Field(
        default=(),
        description="Browser origins that may call the API, as https://app.example.com, with commas between; captures"
        " and forms may come from anywhere",
    )
    snowplow_paths: Annotated[Texts, AfterValidator(_paths)] = Field(
        default=(),
        description="Paths of Snowplow's POSTs beside its own (a tracker's postPath), as /collect/tp2, with commas",
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
    audit_days: int = Field(
        default=365, ge=1, le=3650, description="For how many days it can be read who saw or changed what"
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="The sign-in service (OpenID Connect) whose tokens are taken beside API keys, as it stands in their"
        " `iss`; unset: none",
    )
    oidc_audience: Texts = Field(
        default=(), description="What a token must be meant for (`aud`): one of these, with commas between"
    )
    oidc_jwks_url: Annotated[str, AfterValidator(safe_address)] | None = Field(
        default=None, description="Where the issuer's public keys are; unset: the issuer is asked (discovery)"
    )
    oidc_jwks_file: Path | None = Field(
        default=None, description="A file with them (a JWK set), read anew like an address: for hosts without a way out"
    )
    oidc_role_claim: str = Field(
        default="roles", description="The claim that names roles; a dotted path for one inside another"
    )
    oidc_role_mapping: Annotated[Texts, AfterValidator(_mapping)] = Field(
        default=(),
        description="Which value of that claim is which role, as lead-sales=sales, with commas between; unset: the"
        " values are the roles",
    )
    oidc_rep_claim: str = Field(default="rep_id", description="The claim that says which rep somebody is")
    oidc_teams_claim: str = Field(default="teams", description="The claim that names teams")
    oidc_leeway_seconds: float = Field(
        default=30.0, ge=0, le=300, description="How far the issuer's clock may be from ours"
    )
    oidc_refresh_seconds: float = Field(
        default=900.0,
        gt=0,
        le=86_400,
        description="How often the issuer's keys are fetched; a new key is looked for at once",
    )
    body_limit: int = Field(
        default=FORM_FILES_BYTES, ge=1024, description="Bytes of a request body, a form with files above all"
    )
    webhook_key: StrongSecret | None = Field(
        default=None,
        description="What secrets of webhooks are encrypted under in the store; by default a key derived from"
        " GATEWAY_TOKEN_PRIVATE_KEY: set this one before you change that",
    )
    webhook_ports: Annotated[Texts, AfterValidator(_ports)] = Field(
        default=("443",), description="Ports that webhooks may be sent to; with commas between"
    )
    webhook_networks: Annotated[Texts, AfterValidator(_own_networks)] = Field(
        default=(),
        description="Private networks of your own that webhooks may reach, as 10.20.0.0/16, with commas between; else"
        " addresses of the internet alone",
    )
    webhook_loopback: bool = Field(
        default=False,
        description="Webhooks may go to this machine itself, by http too and to any port: for trying them out",
    )
    webhook_timeout_seconds: float = Field(
        default=15.0, ge=1, le=30, description="How long a receiver of webhooks may take to answer"
    )
    webhook_patience_hours: float = Field(
        default=24.0,
        gt=0,
        le=24 * 30,
        description="A webhook that has failed for so long without one success is switched off; what it missed waits",
    )
    events_a_minute: AMinute = Field(
        default=WEB_EVENTS,
        description="Events a minute of a source with a public key that has no number of its own; 0: not counted",
    )
    server_events_a_minute: AMinute = Field(default=SERVER_EVENTS, description="The same of one with a secret key")
    address_events_a_minute: AMinute = Field(
        default=ADDRESS_EVENTS,
        description="Events a minute from one address (IPv6: a network of /64) with public keys; 0: not counted",
    )
    person_events_a_minute: AMinute = Field(
        default=PERSON_EVENTS,
        description="Events a minute that name the same device, address or user, with public keys; 0: not counted",
    )
    uncounted_networks: Annotated[Texts, AfterValidator(_networks)] = Field(
        default=tuple(map(str, PRIVATE)),
        description="Addresses of our own, whose events and connections are counted for their source alone: proxies,"
        " load balancers; visitors behind those are counted once GATEWAY_TRUSTED_PROXIES says so",
    )
    wrong_keys: AMinute = Field(
        default=WRONG_KEYS,
        description="Unknown keys a minute from one address that are answered 401; further ones 429; 0: all are 401",
    )
    connections_an_address: int = Field(
        default=CONNECTIONS_AN_ADDRESS,
        ge=0,
        le=100_000,
        description="Connections of one address; beyond it the one that waits longest gives way; 0: any number",
    )

    @property
    def webhook_guard(self) -> Guard:
        """Where webhooks may lead."""
        return Guard(frozenset(map(int, self.webhook_ports)), self.webhook_networks, self.webhook_loopback)

    @property
    def numbers(self) -> Numbers:
        """What may come in a minute."""
        return Numbers(
            self.events_a_minute,
            self.server_events_a_minute,
            self.address_events_a_minute,
            self.person_events_a_minute,
            self._ours,
        )

    @property
    def _ours(self) -> tuple[Network, ...]:
        return tuple(map(network_of, self.uncounted_networks))

    def counted_connection(self, address: str | None) -> str | None:
        """As what the connections of an address are counted. Those of our own proxies are not."""
        return None if self.trusted_proxies else counted_as(address, self._ours)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.oidc_issuer is not None:
            safe_address(self.oidc_issuer)
            if not self.oidc_audience:
                raise ValueError("GATEWAY_OIDC_AUDIENCE is missing: tokens for anything else would be taken")
        return self

    @property
    def oidc_rules(self) -> ClaimRules | None:
        """What is expected of tokens; None: none are taken."""
        if self.oidc_issuer is None:
            return None
        mapping = dict(pair.rsplit("=", 1) for pair in self.oidc_role_mapping)
        return ClaimRules(
            self.oidc_issuer,
            self.oidc_audience,
            self.oidc_role_claim,
            mapping,
            self.oidc_rep_claim,
            self.oidc_teams_claim,
            self.oidc_leeway_seconds,
        )

    @property
    def upstreams(self) -> dict[str, str]:
        """Service -> where it answers."""
        return {name: getattr(self, f"{name}_url") for name in UPSTREAMS}
