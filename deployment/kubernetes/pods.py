"""The pods of our processes: what runs in them, with which rights, how they are asked and how they end."""

from __future__ import annotations

from typing import Any, Final

from chassis.settings import ServiceSettings
from chassis.version import VERSION
from deployment.catalogue import INNER_PORT, PORT, ServiceProcess
from deployment.kubernetes import settings
from deployment.kubernetes.labels import NAME

Manifest = dict[str, Any]
USER: Final = 10001
LANES: Final = "lanes"
PRE_STOP_SECONDS: Final = 5
"""After a pod is taken out of a service, so long others may still send to it: they learn it late."""
DRAIN_SECONDS: Final = int(ServiceSettings.model_fields["drain_seconds"].default)
_SPARE_SECONDS: Final = 15
GRACE_SECONDS: Final = PRE_STOP_SECONDS + DRAIN_SECONDS + _SPARE_SECONDS
_START_PERIOD, _START_FAILURES = 2, 300
"""Seconds, and how often: for ten minutes a process may wait for migrations before it is started again."""
_MIGRATE_SECONDS: Final = 3600
_KEPT_SECONDS: Final = 86_400

CONTAINER_RIGHTS: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
POD_RIGHTS: Final[Manifest] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
REQUESTS: Final = {"cpu": "100m", "memory": "192Mi"}
LIMITS: Final = {"cpu": "2", "memory": "512Mi"}


def process_pod(process: ServiceProcess) -> Manifest:
    """What a running process is."""
    container = {
        **_container(process, []),
        **settings.of_process(process),
        "ports": [{"name": "http", "containerPort": PORT}, {"name": "inner", "containerPort": INNER_PORT}],
        "startupProbe": _probe("/healthz", _START_PERIOD, _START_FAILURES),
        "livenessProbe": _probe("/healthz", 10, 6),
        # whether it can take what is sent to it, not whether its work moves: a service is mended over its own API
        "readinessProbe": _probe("/readyz/traffic", 5, 3),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
    }
    # a ConfigMap that is made when the number of lanes is changed while everything runs; `LANES_FILE` names the file
    container["volumeMounts"] = [
        *container["volumeMounts"],
        {"name": LANES, "mountPath": "/etc/lanes", "readOnly": True},
    ]
    pod = _pod(process.name, container)
    pod["volumes"] = [*pod["volumes"], {"name": LANES, "configMap": {"name": LANES, "optional": True}}]
    return {
        **pod,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "topologySpreadConstraints": [_spread(process, zone) for zone in ("kubernetes.io/hostname", _ZONE)],
    }


def migration_spec(process: ServiceProcess, labels: dict[str, str]) -> Manifest:
    """A job that brings the store of `process` to where this release needs it, and does nothing if it is there."""
    container = {**_container(process, ["migrate"]), **settings.of_migration(process)}
    return {
        "backoffLimit": 10,
        "activeDeadlineSeconds": _MIGRATE_SECONDS,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {
            "metadata": {"labels": labels},
            "spec": {**_pod(process.name, container), "restartPolicy": "OnFailure"},
        },
    }


def image(process: ServiceProcess) -> str:
    """As images are called here; an overlay says which registry has them (`images:`)."""
    return f"rapport/{process.name}:{VERSION}"


_ZONE: Final = "topology.kubernetes.io/zone"


def _container(process: ServiceProcess, words: list[str]) -> Manifest:
    return {
        "name": process.name,
        "image": image(process),
        "command": ["python", "-P", "-m", process.module, *words],
        "resources": {"requests": REQUESTS, "limits": LIMITS},
        "securityContext": CONTAINER_RIGHTS,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - its own, in memory of the node's disk
    }


def _pod(account: str, container: Manifest) -> Manifest:
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        # else every service beside it would come as a variable, IDENTITY_PORT among them, which is a setting of ours
        "enableServiceLinks": False,
        "securityContext": POD_RIGHTS,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "128Mi"}}],
    }


def _probe(path: str, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "inner"},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _spread(process: ServiceProcess, over: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": over,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {NAME: process.name}},
        "matchLabelKeys": ["pod-template-hash"],
    }
