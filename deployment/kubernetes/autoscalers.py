"""KEDA: services follow what waits on JetStream for them, the gateway follows its load."""

from __future__ import annotations

from typing import Any, Final

from deployment.catalogue import GATEWAY, PROCESSES, SERVICES, ServiceProcess
from deployment.kubernetes.labels import component, metadata, selector
from deployment.kubernetes.processes import REPLICAS

Manifest = dict[str, Any]
LAG: Final = "rapport_consumer_lag_messages"
PROMETHEUS: Final = "http://prometheus-operated.monitoring.svc:9090"
WAITING_A_REPLICA: Final = 2_000
"""Messages: so many may wait for each process of a service before one more is started."""
_GATEWAY_MOST: Final = 10
_GATEWAY_LOAD: Final = "70"  # percent of the requested CPU


def scaled_objects(lanes: int) -> list[Manifest]:
    """One for each process; a service has no use for more processes than lanes, because a lane has one reader."""
    return [_scaled(process, lanes) for process in PROCESSES]


def lag_query(service: str) -> str:
    """How many messages wait for `service`: each of its processes asks NATS, and tells the same of a lane."""
    return f'sum(max by (stream, consumer) ({LAG}{{service="{service}"}}))'


def _scaled(process: ServiceProcess, lanes: int) -> Manifest:
    most, trigger = (_GATEWAY_MOST, _load()) if process.name == GATEWAY else (lanes, _lag(process))
    spec: Manifest = {
        "scaleTargetRef": {"name": process.name},
        "minReplicaCount": min(REPLICAS, most),  # never none: timers fire in it, and reads are answered
        "maxReplicaCount": most,
        "pollingInterval": 15,
        "cooldownPeriod": 300,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}}}},
        "triggers": [trigger],
    }
    if process.name in SERVICES:
        spec["fallback"] = {"failureThreshold": 4, "replicas": min(REPLICAS, most)}
    labels = selector(process.name, component(process))
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(process.name, labels),
        "spec": spec,
    }


def _lag(process: ServiceProcess) -> Manifest:
    return {
        "type": "prometheus",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": PROMETHEUS,
            "query": lag_query(process.name),
            "threshold": str(WAITING_A_REPLICA),
        },
    }


def _load() -> Manifest:
    return {"type": "cpu", "metricType": "Utilization", "metadata": {"value": _GATEWAY_LOAD}}
