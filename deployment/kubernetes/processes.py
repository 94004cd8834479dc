"""One file for each process: account, deployment, service, disruption budget, migration, policies."""

from __future__ import annotations

from typing import Any, Final

from chassis.version import VERSION
from deployment.catalogue import PORT, ServiceProcess
from deployment.kubernetes import policies
from deployment.kubernetes.labels import DOOR, MIGRATION, component, metadata, selector
from deployment.kubernetes.pods import migration_spec, process_pod

Manifest = dict[str, Any]
REPLICAS: Final = 2
_REPLACE: Final = {
    # a job cannot be changed, only made again: Argo CD and Flux are told so, kubectl is helped by its name
    "argocd.argoproj.io/sync-options": "Force=true,Replace=true",
    "kustomize.toolkit.fluxcd.io/force": "enabled",
}


def manifests(process: ServiceProcess) -> list[Manifest]:
    """All that exists because of `process`, in the order in which it is needed."""
    return [
        _account(process),
        _migration(process),
        _deployment(process),
        _service(process),
        _budget(process),
        policies.of_process(process),
        policies.of_migration(process),
    ]


def _object(api: str, kind: str, process: ServiceProcess, **content: Any) -> Manifest:
    labels = selector(process.name, component(process))
    return {"apiVersion": api, "kind": kind, "metadata": metadata(process.name, labels), **content}


def _account(process: ServiceProcess) -> Manifest:
    return _object("v1", "ServiceAccount", process, automountServiceAccountToken=False)


def _deployment(process: ServiceProcess) -> Manifest:
    labels = selector(process.name, component(process))
    spec = {
        "replicas": REPLICAS,
        "revisionHistoryLimit": 3,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": process_pod(process)},
    }
    return _object("apps/v1", "Deployment", process, spec=spec)


def _service(process: ServiceProcess) -> Manifest:
    labels = selector(process.name, component(process))
    spec: Manifest = {
        "type": "ClusterIP",
        "selector": labels,
        "ports": [{"name": "http", "port": PORT, "targetPort": "http", "appProtocol": "http"}],
    }
    if component(process) != DOOR:
        # the gateway reaches a service whether it is ready or not: reads are answered, a rulebook is mended
        spec["publishNotReadyAddresses"] = True
    return _object("v1", "Service", process, spec=spec)


def _budget(process: ServiceProcess) -> Manifest:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(process.name, component(process))}}
    return _object("policy/v1", "PodDisruptionBudget", process, spec=spec)


def _migration(process: ServiceProcess) -> Manifest:
    labels = selector(process.name, MIGRATION)
    described = metadata(f"{process.name}-migrate-{VERSION.replace('.', '-')}", labels) | {"annotations": _REPLACE}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": described,
        "spec": migration_spec(process, labels),
    }
