"""A real API server takes every object of every overlay, warns of nothing, and sees no change the second time.

Pod Security is enforced: the pods that the controllers would make are offered to it as well.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import api_server
from tests.support.api_server import ApiServer
from tests.support.kubernetes_schemas import custom_definitions
from tests.support.manifests import OVERLAYS, PRODUCTION, WORKLOADS, Manifest, labels_of, of_kind, pod_of, title

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(600)]


_WRITES = ("resourceVersion", "managedFields")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, overlays: dict[str, list[Manifest]]) -> Iterator[ApiServer]:
    with api_server.running(tmp_path_factory.mktemp("api-server")) as found:
        needed = {(one["apiVersion"], one["kind"]) for objects in overlays.values() for one in objects}
        for kind, definition in sorted(custom_definitions().items()):
            if kind in needed:
                found.define(definition)
        yield found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_is_taken_without_a_warning_and_once(
    server: ApiServer, overlays: dict[str, list[Manifest]], overlay: str
) -> None:
    server.warnings.clear()
    objects = _elsewhere(overlays[overlay], overlay.replace("overlays/", "rapport-"))
    first = {title(one): _version(server.apply(one)) for one in objects}
    second = {title(one): _version(server.apply(one)) for one in objects}
    assert server.warnings == []
    assert second == first
    for kind, count in sorted(Counter(one["kind"] for one in objects).items()):
        sys.stdout.write(f"{overlay}: {count} {kind} applied, unchanged by a second apply\n")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_let_in_where_pod_security_is_enforced(
    server: ApiServer, overlays: dict[str, list[Manifest]], overlay: str
) -> None:
    namespace = f"pods-{overlay.replace('overlays/', '')}"
    objects = _elsewhere(overlays[overlay], namespace)
    for one in of_kind(objects, "Namespace", "ServiceAccount"):
        server.apply(one)
    server.warnings.clear()
    pods = [_pod(one, namespace) for one in of_kind(objects, *WORKLOADS)]
    for pod in pods:
        server.apply(pod)
    assert server.warnings == []
    sys.stdout.write(f"{overlay}: {len(pods)} pods let in under restricted Pod Security\n")


def test_a_pod_of_root_is_refused(server: ApiServer, overlays: dict[str, list[Manifest]]) -> None:
    objects = _elsewhere(overlays[PRODUCTION], "pods-refused")
    for one in of_kind(objects, "Namespace", "ServiceAccount"):
        server.apply(one)
    pod = _pod(of_kind(objects, "Deployment")[0], "pods-refused")
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        server.apply(pod)


def test_what_no_schema_knows_is_refused(server: ApiServer, overlays: dict[str, list[Manifest]]) -> None:
    one = copy.deepcopy(of_kind(overlays[PRODUCTION], "HTTPRoute")[0])
    one["spec"]["rules"][0]["timeouts"] = {"request": "for ever"}
    namespace = of_kind(overlays[PRODUCTION], "Namespace")[0]
    server.apply(namespace)
    with pytest.raises(AssertionError, match="timeouts"):
        server.apply(one, dry=True)


def _version(stored: Manifest) -> object:
    """What changes when an object does."""
    if stored["kind"] not in ("Gateway", "PersistentVolumeClaim"):
        return stored["metadata"]["resourceVersion"]
    # of these the server stores the status that it begins with at the second write; nothing else may differ
    described = {key: value for key, value in stored["metadata"].items() if key not in _WRITES}
    return {**stored, "metadata": described}


def _elsewhere(objects: list[Manifest], namespace: str) -> list[Manifest]:
    """The same in a namespace of its own, namespaces first."""
    moved = copy.deepcopy(objects)
    for one in moved:
        if one["kind"] == "Namespace":
            one["metadata"]["name"] = namespace
        else:
            one["metadata"]["namespace"] = namespace
    return sorted(moved, key=lambda one: one["kind"] != "Namespace")


def _pod(workload: Manifest, namespace: str) -> Manifest:
    """The pod that a controller would make."""
    name = f"{workload['metadata']['name']}-{workload['kind'].lower()}"
    spec: dict[str, Any] = copy.deepcopy(pod_of(workload))
    claims = workload["spec"].get("volumeClaimTemplates", [])
    spec["volumes"] = [
        *spec.get("volumes", []),
        *({"name": one["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{name}-data"}} for one in claims),
    ]
    for constraint in spec.get("topologySpreadConstraints", []):
        constraint.pop("matchLabelKeys", None)  # of the hash that a controller puts there
    metadata = {"name": name, "namespace": namespace, "labels": labels_of(workload)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
