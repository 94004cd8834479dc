"""How every workload runs: as nobody, within limits, watched, by secrets that stand elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from chassis.version import VERSION
from deployment.catalogue import PROCESSES, ServiceProcess
from deployment.kubernetes.broker import broker_config
from tests.support.manifests import (
    LOCAL,
    OVERLAYS,
    WORKLOADS,
    Manifest,
    containers,
    labels_of,
    of_kind,
    pod_of,
    secret_keys,
    selects,
    title,
)

LASTING = ("Deployment", "StatefulSet")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_TAG = re.compile(r"[\w./-]+:v?\d+\.\d+[\w.-]*")
SHARED_KEYS = {"TOKEN_PUBLIC_KEY"}
OWN_KEYS = {
    "gateway": {"TOKEN_PRIVATE_KEY", "BOOTSTRAP_API_KEY", "BOOTSTRAP_WRITE_KEY"},
    "routing": {"CALLOUT_SEED", "REVOKER_NATS_PASSWORD"},
}
Overlays = dict[str, list[Manifest]]


def _all(overlays: Overlays, *kinds: str) -> Iterator[tuple[str, Manifest]]:
    for overlay in OVERLAYS:
        for one in of_kind(overlays[overlay], *kinds):
            yield f"{overlay} {title(one)}", one


def test_nothing_runs_as_root_or_may_become_it(overlays: Overlays) -> None:
    for name, one in _all(overlays, *WORKLOADS):
        rights = pod_of(one)["securityContext"]
        assert rights["runAsNonRoot"] is True, name
        assert rights["runAsUser"] > 0, name
        assert rights["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(one):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_everything_has_requests_and_limits(overlays: Overlays) -> None:
    for name, one in _all(overlays, *WORKLOADS):
        for container in containers(one):
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name


def test_what_lasts_is_probed_drained_and_spread(overlays: Overlays) -> None:
    for name, one in _all(overlays, *LASTING):
        for container in containers(one):
            assert set(PROBES) <= set(container), name
        if labels_of(one)["app.kubernetes.io/component"] in ("service", "gateway"):
            assert pod_of(one)["topologySpreadConstraints"], name
            assert one["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}, name


def test_there_is_time_to_drain(overlays: Overlays) -> None:
    for overlay in OVERLAYS:
        settings = _config(overlays[overlay], "processes")
        for one in of_kind(overlays[overlay], "Deployment"):
            (container,) = containers(one)
            before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            seconds = before + sum(float(settings[name]) for name in ("NOTICE_SECONDS", "DRAIN_SECONDS"))
            assert pod_of(one)["terminationGracePeriodSeconds"] > seconds, title(one)


def test_liveness_asks_nothing_that_a_restart_does_not_mend(overlays: Overlays) -> None:
    for name, one in _all(overlays, "Deployment"):
        (container,) = containers(one)
        paths = {probe: container[probe]["httpGet"]["path"] for probe in PROBES}
        assert paths == dict(zip(PROBES, ("/healthz", "/healthz", "/readyz/traffic"), strict=True)), name


def test_images_are_of_a_version(overlays: Overlays) -> None:
    for name, one in _all(overlays, *WORKLOADS):
        for container in containers(one):
            assert _TAG.fullmatch(container["image"]), (name, container["image"])
            if "/rapport/" in f"/{container['image']}":
                assert container["image"].endswith(f":{VERSION}"), name


def test_no_pod_has_a_token_or_hears_of_services_by_variables(overlays: Overlays) -> None:
    accounts = {overlay: of_kind(overlays[overlay], "ServiceAccount") for overlay in OVERLAYS}
    for overlay in OVERLAYS:
        assert all(one["automountServiceAccountToken"] is False for one in accounts[overlay])
    for name, one in _all(overlays, *WORKLOADS):
        assert pod_of(one)["automountServiceAccountToken"] is False, name
        assert pod_of(one)["enableServiceLinks"] is False, name
        overlay = name.partition(" ")[0]
        assert pod_of(one)["serviceAccountName"] in {one["metadata"]["name"] for one in accounts[overlay]}, name


def test_every_workload_that_lasts_has_a_disruption_budget(overlays: Overlays) -> None:
    for overlay in OVERLAYS:
        budgets = of_kind(overlays[overlay], "PodDisruptionBudget")
        for one in of_kind(overlays[overlay], *LASTING):
            found = [budget for budget in budgets if selects(budget["spec"]["selector"], labels_of(one))]
            assert len(found) == 1, title(one)


def test_secrets_stand_in_one_secret_alone(overlays: Overlays, secret_values: dict[str, str]) -> None:
    for overlay in OVERLAYS:
        for one in overlays[overlay]:
            if one["kind"] == "Secret":
                assert overlay == LOCAL, "a secret is generated where things are tried, and nowhere else"
                continue
            assert not [name for name, value in secret_values.items() if value in str(one)], title(one)
    for name, one in _all(overlays, *WORKLOADS):
        for container in containers(one):
            for variable in container.get("env", []):
                is_secret = re.search(r"PASSWORD$|_KEY$|SEED$", variable["name"])
                assert not is_secret or "secretKeyRef" in variable["valueFrom"], (name, variable["name"])


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_is_given_its_own_secrets_alone(overlays: Overlays, process: ServiceProcess) -> None:
    objects = [one for one in overlays[LOCAL] if labels(one).get("app.kubernetes.io/name") == process.name]
    (running,), (job,) = of_kind(objects, "Deployment"), of_kind(objects, "Job")
    own = {f"{process.prefix}DATABASE_PASSWORD", f"{process.prefix}NATS_PASSWORD"}
    assert {key for _, key in secret_keys(running)} == own | SHARED_KEYS | OWN_KEYS.get(process.name, set())
    assert {key for _, key in secret_keys(job)} == {f"{process.prefix}OWNER_PASSWORD"}


def test_secrets_have_the_names_under_which_they_are_made(overlays: Overlays, secret_values: dict[str, str]) -> None:
    found = {pair for _, one in _all(overlays, *WORKLOADS) for pair in secret_keys(one)}
    assert {key for name, key in found if name.partition("-")[0] == "rapport"} == set(secret_values)
    assert {name for name, _ in found if name.partition("-")[0] != "rapport"} == {"postgres-superuser"}


def test_nats_was_configured_for_the_lanes_that_run(overlays: Overlays) -> None:
    for overlay in OVERLAYS:
        settings, nodes = _config(overlays[overlay], "processes"), 1 if overlay == LOCAL else 3
        (nats,) = [one for one in of_kind(overlays[overlay], "StatefulSet") if one["metadata"]["name"] == "nats"]
        assert nats["spec"]["replicas"] == nodes == int(settings["NATS_REPLICAS"])
        assert _config(overlays[overlay], "nats")["nats.conf"] == broker_config(nodes, int(settings["LANES"]))


def test_a_service_has_no_more_processes_than_lanes(overlays: Overlays) -> None:
    lanes = {overlay: int(_config(overlays[overlay], "processes")["LANES"]) for overlay in OVERLAYS}
    for name, one in _all(overlays, "ScaledObject"):
        if one["metadata"]["name"] != "gateway":
            assert one["spec"]["maxReplicaCount"] == lanes[name.partition(" ")[0]], name


def labels(one: Manifest) -> dict[str, str]:
    """Of the object itself."""
    found: dict[str, str] = one["metadata"].get("labels", {})
    return found


def _config(objects: list[Manifest], name: str) -> dict[str, str]:
    (found,) = [one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"].startswith(f"{name}-")]
    data: dict[str, str] = found["data"]
    return data
