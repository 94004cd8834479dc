"""Every object of every overlay is what the API of two versions of Kubernetes says it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.kubernetes_schemas import complaints
from tests.support.kubernetes_tools import KUBERNETES
from tests.support.manifests import OVERLAYS, PRODUCTION, of_kind, title


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_objects_fit_the_schemas(overlays: dict[str, list[dict[str, Any]]], overlay: str, version: str) -> None:
    wrong = {title(one): found for one in overlays[overlay] if (found := complaints(one, version))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", "spec.template.spec.containers.0.readynessProbe", {}),
        ("Deployment", "spec.replicas", "two"),
        ("NetworkPolicy", "spec.egres", []),
        ("PodMonitor", "spec.podMetricsEndpoints.0.prot", "inner"),
        ("ScaledObject", "spec.triggers.0.metadata.threshold", 5),
        ("Cluster", "spec.instances", 0),
    ],
)
def test_a_mistake_is_seen(overlays: dict[str, list[dict[str, Any]]], kind: str, path: str, value: object) -> None:
    one = copy.deepcopy(of_kind(overlays[PRODUCTION], kind)[0])
    *way, last = path.split(".")
    inner: Any = one
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[last] = value
    assert complaints(one, "1.34") != []
