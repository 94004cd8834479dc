"""The files of `k8s/` that are written by this package, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from deployment.catalogue import PROCESSES
from deployment.kubernetes import archives
from deployment.kubernetes.autoscalers import scaled_objects
from deployment.kubernetes.broker import broker_config
from deployment.kubernetes.databases import databases_script
from deployment.kubernetes.processes import manifests

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "k8s"
ALERTS: Final = ROOT / "observability" / "alerts.yaml"
LANES: Final = 4
"""Of the base; `k8s/base/processes.env` says the same to the processes."""
NODES: Final = 3
_ABOUT: Final = (
    "# Written by `python -m deployment.kubernetes`: a change belongs there, or into a patch of an overlay.\n"
)
_ABOUT_SQL: Final = "-- Written by `python -m deployment.kubernetes`.\n"


def files() -> dict[str, str]:
    """Path under `k8s/` -> content."""
    written = {f"base/processes/{process.name}.yaml": _yaml(manifests(process)) for process in PROCESSES}
    written |= {
        "base/processes/kustomization.yaml": _yaml([_kustomization(f"{one.name}.yaml" for one in PROCESSES)]),
        "base/nats/nats.conf": broker_config(NODES, LANES),
        "overlays/local/nats.conf": broker_config(1, 1),
        "components/backup/backup.yaml": _yaml(archives.manifests()),
        "components/databases/databases.sql": _ABOUT_SQL + databases_script(),
        "components/keda/scaled-objects.yaml": _yaml(scaled_objects(LANES)),
    }
    return written | _monitoring()


def _monitoring() -> dict[str, str]:
    """What the operator of Prometheus is told; with the alerts, where they are kept."""
    folder, resources = "components/monitoring", ["pod-monitor.yaml"]
    written = {}
    if ALERTS.exists():
        resources.append("rules.yaml")
        written[f"{folder}/rules.yaml"] = _yaml([alert_rules(ALERTS.read_text())])
    written[f"{folder}/kustomization.yaml"] = _yaml(
        [{"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "resources": resources}]
    )
    return written


def alert_rules(text: str) -> dict[str, Any]:
    """The rule file of Prometheus as the resource that its operator reads."""
    labels = {"app.kubernetes.io/part-of": "rapport"}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "rapport", "labels": labels},
        "spec": yaml.safe_load(text),
    }


def _kustomization(names: Iterable[str]) -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(names)}


class _Plain(yaml.SafeDumper):
    """Without anchors: what repeats stands there again, as whoever patches it expects."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(documents: list[dict[str, Any]]) -> str:
    return _ABOUT + yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=118)
