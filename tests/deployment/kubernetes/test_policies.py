"""Who may reach whom: exactly what the catalogue knows, and every pod is covered."""

from __future__ import annotations

import copy

import pytest

from deployment.catalogue import GATEWAY, INNER_PORT, PORT, PROCESSES, SERVICES
from tests.support.manifests import LOCAL, OTHER, OVERLAYS, PRODUCTION, Manifest, of_kind
from tests.support.network_edges import Edge, all_pods, covering, doors, edges

NATS = "StatefulSet/nats"
STORES: dict[str, str | None] = {LOCAL: "StatefulSet/postgres", PRODUCTION: "Cluster/postgres", OTHER: None}
DNS, MONITORING = "kube-system", "monitoring"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_covered_by_a_policy_of_its_own(overlays: dict[str, list[Manifest]], overlay: str) -> None:
    for one in all_pods(overlays[overlay]):
        assert set(covering(overlays[overlay], one)) > {"default-deny", "dns"}, one.name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_reach_what_the_catalogue_says_and_nothing_else(overlays: dict[str, list[Manifest]], overlay: str) -> None:
    assert edges(overlays[overlay]) == _known(overlays[overlay], STORES[overlay])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_comes_from_outside_is_prometheus_and_the_ingress(
    overlays: dict[str, list[Manifest]], overlay: str
) -> None:
    processes = {f"Deployment/{one.name}" for one in PROCESSES}
    expected = {(one, MONITORING, INNER_PORT) for one in processes}
    if overlay == PRODUCTION:
        expected |= {(f"Deployment/{GATEWAY}", "envoy-gateway-system", PORT)}
        expected |= {("Cluster/postgres", "cnpg-system", port) for port in (5432, 8000)}
    if overlay == OTHER:
        expected |= {(f"Deployment/{GATEWAY}", "ingress-nginx", PORT)}
    assert doors(overlays[overlay], "ingress") == expected


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_leads_outside_is_names_traces_and_the_store(overlays: dict[str, list[Manifest]], overlay: str) -> None:
    pods = {one.name for one in all_pods(overlays[overlay])}
    processes = {f"Deployment/{one.name}" for one in PROCESSES}
    expected = {(one, DNS, 53) for one in pods}
    if overlay == PRODUCTION:
        expected |= {(one, MONITORING, 4318) for one in processes}
        expected |= {("Cluster/postgres", "anywhere", port) for port in (443, 6443)}
    if overlay == OTHER:
        expected |= {(one, "192.0.2.10/32", 5432) for one in pods if one != NATS}
    assert doors(overlays[overlay], "egress") == expected


def test_another_edge_is_seen(overlays: dict[str, list[Manifest]]) -> None:
    objects = copy.deepcopy(overlays[LOCAL])
    scoring = next(one for one in of_kind(objects, "NetworkPolicy") if one["metadata"]["name"] == "scoring")
    scoring["spec"]["ingress"][0]["from"].append({"podSelector": {"matchLabels": {"app.kubernetes.io/name": "nats"}}})
    nats = next(one for one in of_kind(objects, "NetworkPolicy") if one["metadata"]["name"] == "nats")
    nats["spec"]["egress"][0] = {"to": [{"podSelector": {}}], "ports": [{"port": PORT}]}
    assert (NATS, "Deployment/scoring", PORT) in edges(objects)


def test_a_store_that_moves_takes_its_edges_along(overlays: dict[str, list[Manifest]]) -> None:
    objects = copy.deepcopy(overlays[LOCAL])
    (store,) = [one for one in of_kind(objects, "StatefulSet") if one["metadata"]["name"] == "postgres"]
    del store["spec"]["template"]["metadata"]["labels"]["rapport/store-scoring"]
    found = {(source, target) for source, target, port in edges(objects) if port == 5432}
    assert ("Deployment/scoring", "StatefulSet/postgres") not in found
    assert ("Deployment/identity", "StatefulSet/postgres") in found


def _known(objects: list[Manifest], store: str | None) -> set[Edge]:
    """All users of the bus reach NATS, each owner (and its migration) its store, the gateway all services."""
    found = {(f"Deployment/{one.name}", NATS, 4222) for one in PROCESSES}
    found |= {(f"Deployment/{GATEWAY}", f"Deployment/{name}", PORT) for name in SERVICES}
    found.add((NATS, NATS, 6222))
    if store:
        jobs = [f"Job/{one['metadata']['name']}" for one in of_kind(objects, "Job")]
        owners = [f"Deployment/{one.name}" for one in PROCESSES]
        found |= {(one, store, 5432) for one in (*jobs, *owners)}
    archivers = [f"CronJob/{one['metadata']['name']}" for one in of_kind(objects, "CronJob")]
    found |= {(one, NATS, 4222) for one in archivers} | {(one, str(store), 5432) for one in archivers}
    if store and store == STORES[PRODUCTION]:
        found |= {(store, store, port) for port in (5432, 8000)}
    return found
