"""What a container is told: shared settings by ConfigMap, secrets by name, addresses by the names of services."""

from __future__ import annotations

from typing import Any, Final

from deployment.catalogue import GATEWAY, PORT, SERVICES, ServiceProcess
from deployment.kubernetes.labels import NATS, NATS_PORT
from deployment.nats_accounts import REVOKER

SECRET: Final = "rapport"  # noqa: S105 - the name of the Secret
SHARED, STORE = "processes", "postgres"
"""ConfigMaps: what every process is told, and where PostgreSQL is."""
STORE_PREFIX: Final = "POSTGRES_"
_OF_THE_GATEWAY: Final = ("TOKEN_PRIVATE_KEY", "BOOTSTRAP_API_KEY", "BOOTSTRAP_WRITE_KEY")
_OF_ROUTING: Final = ("CALLOUT_SEED",)

Variable = dict[str, Any]


def of_process(process: ServiceProcess) -> dict[str, list[Variable]]:
    """`envFrom` and `env` of a process that runs.

    Passwords stand under names that belong to no process (`NATS_PASSWORD`), and reach the settings inside an address.
    """
    own = [secret(f"{process.prefix}{name}", name) for name in (*_own_secrets(process), "TOKEN_PUBLIC_KEY")]
    return {
        "envFrom": [from_config(SHARED, process.prefix), from_config(STORE, STORE_PREFIX)],
        "env": [
            secret("DATABASE_PASSWORD", f"{process.prefix}DATABASE_PASSWORD"),
            secret("NATS_PASSWORD", f"{process.prefix}NATS_PASSWORD"),
            plain(f"{process.prefix}DATABASE_URL", store_url(process, process.name, "DATABASE_PASSWORD")),
            plain(f"{process.prefix}NATS_URL", f"nats://{process.name}:$(NATS_PASSWORD)@{NATS}:{NATS_PORT}"),
            *own,
            *_ending_connections(process),
            *_addresses(process),
        ],
    }


def of_migration(process: ServiceProcess) -> dict[str, list[Variable]]:
    """`envFrom` and `env` of the job that changes tables: as their owner, and with no other secret."""
    return {
        "envFrom": [from_config(STORE, STORE_PREFIX)],
        "env": [
            secret("OWNER_PASSWORD", f"{process.prefix}OWNER_PASSWORD"),
            plain(
                f"{process.prefix}MIGRATION_DATABASE_URL",
                store_url(process, f"{process.name}_owner", "OWNER_PASSWORD"),
            ),
        ],
    }


def store_url(process: ServiceProcess, role: str, password: str) -> str:
    """The address of a process's own store, for `role`; Kubernetes puts in what stands in `$( )`."""
    address = "$(POSTGRES_HOST):$(POSTGRES_PORT)"
    return f"postgresql://{role}:$({password})@{address}/{process.name}$(POSTGRES_OPTIONS)"


def from_config(name: str, prefix: str) -> Variable:
    """All of a ConfigMap."""
    return {"prefix": prefix, "configMapRef": {"name": name}}


def _own_secrets(process: ServiceProcess) -> tuple[str, ...]:
    return {GATEWAY: _OF_THE_GATEWAY, "routing": _OF_ROUTING}.get(process.name, ())


def _ending_connections(process: ServiceProcess) -> list[Variable]:
    """Routing ends the connections of reps who may not be there any more, as a user of its own."""
    if process.name != "routing":
        return []
    return [
        secret("REVOKER_NATS_PASSWORD", "REVOKER_NATS_PASSWORD"),
        plain("ROUTING_REVOKER_NATS_URL", f"nats://{REVOKER}:$(REVOKER_NATS_PASSWORD)@{NATS}:{NATS_PORT}"),
    ]


def _addresses(process: ServiceProcess) -> list[Variable]:
    if process.name != GATEWAY:
        return []
    return [plain(f"{process.prefix}{name.upper()}_URL", f"http://{name}:{PORT}") for name in SERVICES]


def plain(name: str, value: str) -> Variable:
    """A variable, in which `$(...)` is put in."""
    return {"name": name, "value": value}


def secret(name: str, key: str) -> Variable:
    """A variable that holds one value of the secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}
