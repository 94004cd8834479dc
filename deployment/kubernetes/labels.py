"""How pods are called, so that services, policies and budgets find them."""

from __future__ import annotations

from typing import Any, Final

from chassis.version import VERSION
from deployment.catalogue import GATEWAY, ServiceProcess

SUITE: Final = "rapport"
NAME, COMPONENT, PART = "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of"
RELEASE: Final = "app.kubernetes.io/version"
SERVICE, DOOR, MIGRATION, BROKER, DATABASES = "service", "gateway", "migration", "broker", "databases"
"""Components: what a pod is for. Those of the first two are processes of ours that run."""

NATS: Final = "nats"
STORE_PORT: Final = 5432
NATS_PORT, NATS_CLUSTER_PORT, NATS_MONITOR_PORT = 4222, 6222, 8222
DNS_PORT: Final = 53


def component(process: ServiceProcess) -> str:
    """What a process is for."""
    return DOOR if process.name == GATEWAY else SERVICE


def selector(name: str, what: str) -> dict[str, str]:
    """What finds the pods of `name` that are there for `what`; a label of a selector never changes."""
    return {NAME: name, COMPONENT: what, PART: SUITE}


def store_label(name: str) -> str:
    """A pod that carries it (with the value "true") holds the store of `name`."""
    return f"{SUITE}/store-{name}"


def metadata(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """Of an object of this release."""
    return {"name": name, "labels": {**labels, RELEASE: VERSION}}
