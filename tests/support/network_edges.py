"""Who may reach whom by the NetworkPolicies of an overlay, as a cluster would decide it: what both sides allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.manifests import WORKLOADS, Manifest, labels_of, of_kind, selects

Rule = dict[str, Any]


@dataclass(frozen=True)
class Pods:
    """Pods that are alike: what they are called and what labels they carry."""

    name: str
    labels: dict[str, str]

    def __hash__(self) -> int:
        return hash(self.name)


Edge = tuple[str, str, int]
"""From, to, port."""


def all_pods(objects: list[Manifest]) -> list[Pods]:
    """Of every workload; those of an operator's cluster carry what it hands down."""
    found = [Pods(f"{one['kind']}/{one['metadata']['name']}", labels_of(one)) for one in of_kind(objects, *WORKLOADS)]
    for one in of_kind(objects, "Cluster"):
        labels = {**one["spec"]["inheritedMetadata"]["labels"], "cnpg.io/cluster": one["metadata"]["name"]}
        found.append(Pods(f"Cluster/{one['metadata']['name']}", labels))
    return found


def edges(objects: list[Manifest]) -> set[Edge]:
    """Between the pods of an overlay."""
    pods, policies = all_pods(objects), of_kind(objects, "NetworkPolicy")
    found: set[Edge] = set()
    for source in pods:
        for target in pods:
            ports = _ports(policies, source, target, "egress") & _ports(policies, target, source, "ingress")
            found |= {(source.name, target.name, port) for port in ports}
    return found


def doors(objects: list[Manifest], way: str) -> set[tuple[str, str, int]]:
    """What leads out of the overlay (`way` egress) or into it (ingress): pods, peer, port."""
    policies = of_kind(objects, "NetworkPolicy")
    found = set()
    for one in all_pods(objects):
        for rule in _rules(policies, one, way):
            for peer in rule.get("to" if way == "egress" else "from", [{}]):
                if "podSelector" not in peer or "namespaceSelector" in peer:
                    found |= {(one.name, _called(peer), port["port"]) for port in rule["ports"]}
    return found


def covering(objects: list[Manifest], one: Pods) -> list[str]:
    """The policies that hold for these pods."""
    return [
        policy["metadata"]["name"]
        for policy in of_kind(objects, "NetworkPolicy")
        if selects(policy["spec"]["podSelector"], one.labels)
    ]


def _ports(policies: list[Manifest], one: Pods, other: Pods, way: str) -> set[int]:
    side = "to" if way == "egress" else "from"
    return {
        port["port"]
        for rule in _rules(policies, one, way)
        if any(_meets(peer, other) for peer in rule.get(side, []))
        for port in rule["ports"]
    }


def _rules(policies: list[Manifest], one: Pods, way: str) -> Iterator[Rule]:
    holding = [policy["spec"] for policy in policies if selects(policy["spec"]["podSelector"], one.labels)]
    assert any(way.capitalize() in spec["policyTypes"] for spec in holding), f"{one.name}: nothing forbids its {way}"
    for spec in holding:
        yield from spec.get(way, [])


def _meets(peer: Rule, other: Pods) -> bool:
    if "podSelector" not in peer or "namespaceSelector" in peer:
        return False
    return selects(peer["podSelector"], other.labels)


def _called(peer: Rule) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    labels: dict[str, str] = peer.get("namespaceSelector", {}).get("matchLabels", {})
    return labels.get("kubernetes.io/metadata.name", "anywhere")
