"""Who may reach whom, as NetworkPolicies: the ownership of stores and streams, and nothing besides.

All is forbidden first (`k8s/base/policies.yaml`); what is no process of ours has its policy beside it.
"""

from __future__ import annotations

from typing import Any

from deployment.catalogue import GATEWAY, PORT, ServiceProcess
from deployment.kubernetes.labels import (
    BROKER,
    COMPONENT,
    DOOR,
    MIGRATION,
    NATS,
    NATS_PORT,
    SERVICE,
    STORE_PORT,
    component,
    metadata,
    selector,
    store_label,
)

Manifest = dict[str, Any]


def of_process(process: ServiceProcess) -> Manifest:
    """A process reaches NATS and the pods that hold its own store, the gateway all services besides; a service is
    reached by the gateway.
    """
    egress = [_to(selector(NATS, BROKER), NATS_PORT), _to({store_label(process.name): "true"}, STORE_PORT)]
    ingress = []
    if process.name == GATEWAY:
        egress.append(_to({COMPONENT: SERVICE}, PORT))
    else:
        ingress.append(_from({COMPONENT: DOOR}, PORT))
    labels = selector(process.name, component(process))
    return _policy(process.name, labels, ingress, egress)


def of_migration(process: ServiceProcess) -> Manifest:
    """Who changes the tables of a store reaches that store and is reached by nobody."""
    egress = [_to({store_label(process.name): "true"}, STORE_PORT)]
    return _policy(f"{process.name}-migrate", selector(process.name, MIGRATION), [], egress)


def _policy(name: str, labels: dict[str, str], ingress: list[Manifest], egress: list[Manifest]) -> Manifest:
    rules: Manifest = {"ingress": ingress} if ingress else {}
    rules |= {"egress": egress} if egress else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, labels),
        "spec": {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"], **rules},
    }


def _to(labels: dict[str, str], port: int) -> Manifest:
    return {"to": [{"podSelector": {"matchLabels": labels}}], "ports": [_port(port)]}


def _from(labels: dict[str, str], port: int) -> Manifest:
    return {"from": [{"podSelector": {"matchLabels": labels}}], "ports": [_port(port)]}


def _port(number: int) -> Manifest:
    return {"protocol": "TCP", "port": number}
