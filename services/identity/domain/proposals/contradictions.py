"""A claim gives way to a server's word: what strangers joined before a server spoke is parted again.

So it does not matter which came first. Of a cluster that a server's word would make contradict itself, the verified
links stay and the claimed ones are taken again, the oldest first, as far as they hold by the rules for claims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self

from contracts.values import IdentifierKind
from services.identity.domain.fragments import YIELDED, Fragment, Link, components, pair_of, verified_pairs
from services.identity.domain.links import Reason
from services.identity.domain.workspace import Graph


class _Side(NamedTuple):
    """What a group of fragments is known by."""

    is_vouched: bool = False
    has_address: bool = False
    has_user_id: bool = False

    def with_(self, other: Self) -> _Side:
        return _Side(*(one or another for one, another in zip(self, other, strict=True)))

    def against(self, other: Self, *, is_alias: bool) -> Reason | None:
        """Why no claim joins the two."""
        if self.is_vouched and other.is_vouched:
            return Reason.TWO_VERIFIED_PEOPLE
        if self.has_user_id and other.has_user_id and not is_alias:
            return Reason.TWO_USER_IDS
        return Reason.TWO_ADDRESSES if self.has_address and other.has_address else None


@dataclass(frozen=True, slots=True)
class Yielded:
    """A claimed link that holds no more, and why."""

    link: Link
    reason: Reason


def yielding(graph: Graph, named: Sequence[str]) -> list[Yielded]:
    """The claims that give way when a server names these fragments together, strongest first."""
    told = _side([one for name in named for one in graph.core(graph.fragments[name].core)])._replace(is_vouched=True)
    if not any(graph.fragments[name].names_somebody for name in named):
        return []  # of devices alone a server says nothing of people
    found: list[Yielded] = []
    for cluster_id in dict.fromkeys(graph.fragments[name].cluster_id for name in named):
        own = [name for name in named if graph.fragments[name].cluster_id == cluster_id]
        joined = [pair_of(own[0], other) for other in own[1:]]  # they will be one by this very word
        found += _in_cluster(graph, cluster_id, dict.fromkeys(own, told), joined)
    return found


def _in_cluster(
    graph: Graph, cluster_id: str, told: dict[str, _Side], joined: Sequence[tuple[str, str]]
) -> list[Yielded]:
    """`told`: what the fragments that are named are known by from now on."""
    fragments = {one.fragment_id: one for one in graph.cluster(cluster_id)}
    if len({one.core for one in fragments.values()}) == 1:
        return []
    links = [link for link in graph.ties_of(fragments[next(iter(told))].person_id) if link.left_id in fragments]
    groups = components(fragments, [*verified_pairs(links), *joined])
    group_of = {one: group[0] for group in groups for one in group}
    side_of = {group[0]: _of_group(group, fragments, told) for group in groups}
    claimed = [link for link in links if not link.is_manual and group_of[link.left_id] != group_of[link.right_id]]
    return list(
        _refused(sorted(claimed, key=lambda link: (link.created_at, link.link_id)), group_of, side_of, fragments)
    )


def _refused(
    claimed: Iterable[Link], group_of: dict[str, str], side_of: dict[str, _Side], fragments: dict[str, Fragment]
) -> Iterable[Yielded]:
    members: dict[str, list[str]] = {}
    for one, group in group_of.items():
        members.setdefault(group, []).append(one)
    for link in claimed:
        here, there = group_of[link.left_id], group_of[link.right_id]
        if here == there:
            continue
        is_alias = fragments[link.left_id].kind == fragments[link.right_id].kind == IdentifierKind.USER_ID
        reason = side_of[here].against(side_of[there], is_alias=is_alias)
        if reason is not None:
            yield Yielded(link, reason)
            continue
        if len(members[here]) < len(members[there]):
            here, there = there, here
        side_of[here] = side_of[here].with_(side_of[there])
        group_of.update(dict.fromkeys(members[there], here))
        members[here] += members.pop(there)


def _of_group(group: Collection[str], fragments: dict[str, Fragment], told: dict[str, _Side]) -> _Side:
    side = _side([fragments[one] for one in group])
    for one in group:
        side = side.with_(told.get(one, _Side()))
    return side


def _side(fragments: Sequence[Fragment]) -> _Side:
    addresses = {one.value for one in fragments if one.kind == IdentifierKind.EMAIL}
    return _Side(
        any(one.vouched_at is not None for one in fragments),
        bool(addresses),
        # an address as a user id says no more than the address does
        any(one.kind == IdentifierKind.USER_ID and "@" not in (one.value or "") for one in fragments),
    )


def give_way(graph: Graph, yielded: Sequence[Yielded], at: datetime) -> None:
    """The claims hold no more; whoever they joined is labelled anew by `Graph.regroup`."""
    for one in yielded:
        graph.links[one.link.pair] = replace(
            one.link, cut_at=at, cut_by=YIELDED, cut_reason=f"a server's word: {one.reason.value}"
        )
