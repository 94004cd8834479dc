"""The configuration of NATS on Kubernetes: one node, or several that keep each stream together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deployment.kubernetes.labels import NATS, NATS_CLUSTER_PORT, NATS_MONITOR_PORT, NATS_PORT
from deployment.nats_config import ROUTE_USER, Cluster, NatsPlan, nats_config, static_users
from deployment.nats_values import ByName, PasswordsByName

STORE: Final = Path("/data/jetstream")
NODES: Final = f"{NATS}-nodes"
"""The headless service by which the nodes find each other."""
_CLUSTER_PASSWORD: Final = ByName("NATS_CLUSTER_PASSWORD")
_ABOUT: Final = (
    "# {nodes} node(s), {lanes} lane(s): python -m deployment.kubernetes nats --nodes {nodes} --lanes {lanes}\n"
)


def broker_config(nodes: int, lanes: int) -> str:
    """`nats.conf`, without a secret in it; node and passwords come from the environment of the container."""
    plan = NatsPlan(
        port=NATS_PORT,
        monitor_port=NATS_MONITOR_PORT,
        store=STORE,
        passwords=PasswordsByName(),
        issuer=ByName("CALLOUT_ISSUER"),
        lanes=lanes,
        host="0.0.0.0",  # noqa: S104 - in a pod of its own, behind policies
        server_name=ByName("POD_NAME"),
        cluster=_cluster(nodes) if nodes > 1 else None,
    )
    return _ABOUT.format(nodes=nodes, lanes=lanes) + nats_config(plan)


def users() -> tuple[str, ...]:
    """Whoever has a password in it."""
    return static_users()


def _cluster(nodes: int) -> Cluster:
    return Cluster(
        NATS, NATS_CLUSTER_PORT, _CLUSTER_PASSWORD, tuple(ByName(f"NATS_ROUTE_{node}") for node in range(nodes))
    )


def routes(nodes: int) -> dict[str, str]:
    """Variable of a container -> where a node hears the others; Kubernetes puts the password in."""
    address = f"nats-route://{ROUTE_USER}:$({_CLUSTER_PASSWORD.variable})@{NATS}-{{}}.{NODES}:{NATS_CLUSTER_PORT}"
    return {f"NATS_ROUTE_{node}": address.format(node) for node in range(nodes)}
