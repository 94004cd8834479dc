"""Back-ups on Kubernetes: a job every night into a volume, and one that brings an archive back when it is told to."""

from __future__ import annotations

from typing import Any, Final

from chassis.version import VERSION
from deployment.catalogue import PROCESSES
from deployment.kubernetes import settings
from deployment.kubernetes.labels import BROKER, NATS, NATS_PORT, PART, STORE_PORT, SUITE, metadata, selector
from deployment.kubernetes.pods import CONTAINER_RIGHTS, POD_RIGHTS

Manifest = dict[str, Any]
NAME: Final = "backup"
FOLDER: Final = "/backups"
_KEPT_DAYS: Final = 7
_TAKE: Final = (
    f"f={FOLDER}/rapport-$$(date -u +%Y%m%d-%H%M).tar; "  # Kubernetes makes one $ of two
    'python -P -m cli backup "$f" && python -P -m cli backup "$f" --verify '
    f"&& find {FOLDER} -name 'rapport-*.tar' -mtime +{_KEPT_DAYS} -delete"
)
_BRING_BACK: Final = f'python -P -m cli restore "{FOLDER}/$ARCHIVE" $OPTIONS'
_LABELS: Final = selector(NAME, NAME)


def manifests() -> list[Manifest]:
    """Account, volume, both jobs (that which restores is never due), and whom they reach."""
    return [
        _object("v1", "ServiceAccount", NAME, automountServiceAccountToken=False),
        _object("v1", "PersistentVolumeClaim", NAME, spec=_CLAIM),
        _object("batch/v1", "CronJob", NAME, spec=_cron("0 3 * * *", _TAKE, _environment(restores=False))),
        _object(
            "batch/v1",
            "CronJob",
            "restore",
            spec={**_cron("0 0 1 1 *", _BRING_BACK, _environment(restores=True)), "suspend": True},
        ),
        _object("networking.k8s.io/v1", "NetworkPolicy", NAME, spec=_policy()),
    ]


_CLAIM: Final = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Gi"}}}


def _object(api: str, kind: str, name: str, **content: Any) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": metadata(name, _LABELS), **content}


def _cron(schedule: str, script: str, environment: Manifest) -> Manifest:
    container = {
        "name": NAME,
        "image": f"rapport/tools:{VERSION}",
        "workingDir": FOLDER,
        "command": ["/bin/sh", "-c", script],
        **environment,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "securityContext": CONTAINER_RIGHTS,
        "volumeMounts": [{"name": NAME, "mountPath": FOLDER}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
    pod = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": {**POD_RIGHTS, "fsGroup": POD_RIGHTS["runAsGroup"]},
        "containers": [container],
        "volumes": [
            {"name": NAME, "persistentVolumeClaim": {"claimName": NAME}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "128Mi"}},
        ],
    }
    return {
        "schedule": schedule,
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": {"backoffLimit": 1, "template": {"metadata": {"labels": _LABELS}, "spec": pod}}},
    }


def _environment(*, restores: bool) -> Manifest:
    """Where everything is, as the processes are told; who restores is the owner of each store as well."""
    variables = [
        settings.secret("BACKUP_NATS_PASSWORD", "BACKUP_NATS_PASSWORD"),
        settings.plain("BACKUP_NATS_URL", f"nats://backup:$(BACKUP_NATS_PASSWORD)@{NATS}:{NATS_PORT}"),
    ]
    for process in PROCESSES:
        roles = [("DATABASE", process.name, "DATABASE_URL")]
        roles += [("OWNER", f"{process.name}_owner", "MIGRATION_DATABASE_URL")] if restores else []
        for kind, role, url in roles:
            password = f"{process.prefix}{kind}_PASSWORD"
            variables += [
                settings.secret(password, password),
                settings.plain(f"{process.prefix}{url}", settings.store_url(process, role, password)),
            ]
    if restores:
        variables += [settings.plain("ARCHIVE", "say-which.tar"), settings.plain("OPTIONS", "")]
    return {"envFrom": [settings.from_config(settings.STORE, settings.STORE_PREFIX)], "env": variables}


def _policy() -> Manifest:
    stores = {"matchLabels": {PART: SUITE, "app.kubernetes.io/component": "store"}}
    return {
        "podSelector": {"matchLabels": _LABELS},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [
            {
                "to": [{"podSelector": {"matchLabels": selector(NATS, BROKER)}}],
                "ports": [{"protocol": "TCP", "port": NATS_PORT}],
            },
            {"to": [{"podSelector": stores}], "ports": [{"protocol": "TCP", "port": STORE_PORT}]},
        ],
    }
