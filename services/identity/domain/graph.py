"""Fragments and the links between them, as a working copy that knows what was changed.

Clusters are what automatic links join, people are what automatic and manual links join; both carry the id of their oldest fragment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from contracts.ids import with_prefix
from contracts.values import IdentifierKind, Strength

_NAMELESS: Final = {None, IdentifierKind.ANONYMOUS_ID.value}
_STRENGTH_RANK: Final = {Strength.CLAIMED: 0, Strength.INFERRED: 0, Strength.VERIFIED: 1}


class Fragment(NamedTuple):
    """One identifier ever seen; with neither kind nor value, a capture that carried none. A tuple, as one is made for each row and each change.

    `graph_version` is the person's; `account_claimed_at` is None when the account follows from the e-mail's domain. `seen_at` is when what they
    were first seen by happened; `created_at` when it was received. `core_id` is the oldest fragment of those that verified links join with this
    one; None while there is no such link.
    """

    fragment_id: str
    kind: str | None
    value: str | None
    cluster_id: str
    person_id: str
    graph_version: int
    created_at: datetime
    source_id: str
    is_test: bool
    account_id: str | None = None
    account_claimed_at: datetime | None = None
    marked_by: str | None = None
    marked_at: datetime | None = None
    seen_at: datetime | None = None
    core_id: str | None = None

    @property
    def core(self) -> str:
        """Which of the cluster's cores this is in: what is believed whatever anybody claims."""
        return self.core_id or self.fragment_id

    @property
    def names_somebody(self) -> bool:
        """Whether this is more than a browser: a name that somebody can be told from others by."""
        return self.kind not in _NAMELESS

    @property
    def is_marked(self) -> bool:
        """Whether somebody said that whoever this is, is a test."""
        return self.marked_at is not None


@dataclass(frozen=True, slots=True)
class Link:
    """The fact that two fragments belong to one person, left id < right id; a cut is recorded on it, never by deleting it.

    `evidence_id` is the capture that showed it, or who merged by hand; `verified_by` the capture that first vouched for a claim.
    """

    link_id: str
    left_id: str
    right_id: str
    strength: Strength
    evidence_id: str
    created_at: datetime
    reason: str | None = None
    verified_by: str | None = None
    verified_at: datetime | None = None
    cut_at: datetime | None = None
    cut_by: str | None = None
    cut_reason: str | None = None

    @property
    def is_live(self) -> bool:
        return self.cut_at is None

    @property
    def is_manual(self) -> bool:
        return self.strength is Strength.MANUAL

    @property
    def pair(self) -> tuple[str, str]:
        return self.left_id, self.right_id


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was not made, and why: food for a review by a human."""

    refusal_id: str
    left_id: str
    right_id: str
    reason: str
    strength: Strength
    evidence_id: str
    at: datetime


class Graph:
    """The fragments of some whole people and the automatic links that matter to them."""

    def __init__(self, fragments: Iterable[Fragment], links: Iterable[Link]) -> None:
        self.fragments = {fragment.fragment_id: fragment for fragment in fragments}
        self.links = {link.pair: link for link in links if not link.is_manual}
        self.created: dict[str, None] = {}  # dictionaries, not sets: what is saved keeps an order
        self.changed: dict[str, None] = {}
        self.linked: dict[tuple[str, str], None] = {}
        self.relinked: dict[tuple[str, str], None] = {}
        self._by_key = {(one.kind, one.value): one.fragment_id for one in self.fragments.values() if one.kind is not None}
        self._clusters: dict[str, list[str]] = {}
        self._people: dict[str, list[str]] = {}
        self._cores: dict[str, list[str]] = {}
        self._parted: dict[str, set[str]] = {}
        for fragment in self.fragments.values():
            self._clusters.setdefault(fragment.cluster_id, []).append(fragment.fragment_id)
            self._people.setdefault(fragment.person_id, []).append(fragment.fragment_id)
            self._cores.setdefault(fragment.core, []).append(fragment.fragment_id)
        for link in self.links.values():
            if not link.is_live:
                self._parted.setdefault(link.left_id, set()).add(link.right_id)
                self._parted.setdefault(link.right_id, set()).add(link.left_id)

    def find(self, kind: str, value: str) -> Fragment | None:
        fragment_id = self._by_key.get((kind, value))
        return None if fragment_id is None else self.fragments[fragment_id]

    def add(self, fragment: Fragment) -> None:
        """A fragment seen for the first time: a cluster and a person of its own."""
        self.fragments[fragment.fragment_id] = fragment
        if fragment.kind is not None:
            self._by_key[fragment.kind, fragment.value] = fragment.fragment_id
        self._clusters[fragment.cluster_id] = [fragment.fragment_id]
        self._people[fragment.person_id] = [fragment.fragment_id]
        self._cores[fragment.core] = [fragment.fragment_id]
        self.created[fragment.fragment_id] = None

    def add_link(self, link: Link) -> None:
        self.links[link.pair] = link
        self.linked[link.pair] = None

    def believe(self, pair: tuple[str, str], capture_id: str, at: datetime) -> None:
        """A server vouches for a link that was a claim so far; it never sinks back."""
        link = self.links[pair]
        if link.is_live and _STRENGTH_RANK[link.strength] < _STRENGTH_RANK[Strength.VERIFIED]:
            self.links[pair] = replace(link, strength=Strength.VERIFIED, verified_by=capture_id, verified_at=at)
            self.relinked[pair] = None
            self._join_cores(*pair)

    def cluster(self, cluster_id: str) -> list[Fragment]:
        return [self.fragments[fragment_id] for fragment_id in self._clusters[cluster_id]]

    def person(self, person_id: str) -> list[Fragment]:
        return [self.fragments[fragment_id] for fragment_id in self._people[person_id]]

    def size_of(self, person_id: str) -> int:
        """How many fragments a person is."""
        return len(self._people[person_id])

    def searched(self, person_ids: Iterable[str]) -> dict[str, str]:
        """By what these people are searched now: whoever has such names, and whoever was absorbed by somebody who has, by nothing."""
        texts = {one: search_text_of(self.person(one)) if one in self._people else "" for one in person_ids}
        return texts if any(texts.values()) else {}

    def core(self, core_id: str) -> list[Fragment]:
        """What verified links join."""
        return [self.fragments[fragment_id] for fragment_id in self._cores[core_id]]

    def is_parted(self, left_cluster_id: str, right_cluster_id: str) -> bool:
        """Whether a human cut an automatic link between the two clusters."""
        if not self._parted:
            return False
        right = set(self._clusters[right_cluster_id])
        return any(not right.isdisjoint(self._parted.get(one, ())) for one in self._clusters[left_cluster_id])

    def join(self, left_id: str, right_id: str, strength: Strength) -> None:
        """Make one cluster, and so one person, of the two that hold these fragments; and one core, by a verified link."""
        left, right = self.fragments[left_id], self.fragments[right_id]
        if left.cluster_id != right.cluster_id:
            older, younger = sorted((left.cluster_id, right.cluster_id))
            for fragment_id in self._clusters[younger]:
                self.change(fragment_id, cluster_id=older)
            self._clusters[older] += self._clusters.pop(younger)
        if left.person_id != right.person_id:
            older, younger = sorted((left.person_id, right.person_id))
            for fragment_id in self._people[younger]:
                self.change(fragment_id, person_id=older)
            self._people[older] += self._people.pop(younger)
        if strength is Strength.VERIFIED:
            self._join_cores(left_id, right_id)

    def _join_cores(self, left_id: str, right_id: str) -> None:
        older, younger = sorted((self.fragments[left_id].core, self.fragments[right_id].core))
        if older == younger:
            return
        for fragment_id in (*self._cores[older], *self._cores[younger]):
            if self.fragments[fragment_id].core_id != older:
                self.change(fragment_id, core_id=older)
        self._cores[older] += self._cores.pop(younger)

    def change(self, fragment_id: str, **changes: object) -> None:
        self.fragments[fragment_id] = self.fragments[fragment_id]._replace(**changes)  # type: ignore[arg-type]  # names are checked at run time
        if fragment_id not in self.created:
            self.changed[fragment_id] = None


def person_of(fragment_id: str) -> str:
    """The id of the person whose oldest fragment this is."""
    return with_prefix("per", fragment_id)


def pair_of(one_id: str, other_id: str) -> tuple[str, str]:
    """The two in the order in which a link names them."""
    return (one_id, other_id) if one_id < other_id else (other_id, one_id)


def count_kinds(fragments: Iterable[Fragment]) -> Counter[str]:
    return Counter(one.kind for one in fragments if one.kind is not None)


def search_text_of(fragments: Iterable[Fragment]) -> str:
    """By what a person is searched: addresses, user ids and numbers, what a server vouched for first. Devices are found by their whole id."""
    named = [one for one in fragments if one.value is not None and one.kind != IdentifierKind.ANONYMOUS_ID]
    return "\n".join(one.value for one in sorted(named, key=_believed_first) if one.value)


def searched_after(fragments: Sequence[Fragment]) -> dict[str, str]:
    """By what people are searched who were regrouped (given as all of their fragments); by nothing, who is nobody any more."""
    people: dict[str, list[Fragment]] = {person_of(one.fragment_id): [] for one in fragments}
    for one in fragments:
        people[one.person_id].append(one)
    return {person_id: search_text_of(own) for person_id, own in people.items()}


def account_of(fragments: Iterable[Fragment]) -> str | None:
    """A person's account: the one claimed last, else that of the oldest business e-mail."""
    found: tuple[bool, float, str] | None = None
    account_id = None
    for one in fragments:
        if one.account_id is None:
            continue
        claimed_at = one.account_claimed_at
        # the later claim wins, and among mere e-mail domains the older fragment
        rank = (claimed_at is not None, claimed_at.timestamp() if claimed_at else 0.0, one.fragment_id)
        if found is None or (rank > found if rank[0] else not found[0] and rank[2] < found[2]):
            found, account_id = rank, one.account_id
    return account_id


def components(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The sets of nodes that edges join, each oldest (smallest id) first, in the order of their oldest."""
    root = {node: node for node in nodes}
    for left, right in edges:
        first, second = sorted((_root_of(root, left), _root_of(root, right)))
        root[second] = first
    groups: dict[str, list[str]] = {}
    for node in sorted(root):
        groups.setdefault(_root_of(root, node), []).append(node)
    return [tuple(group) for group in groups.values()]


def live_pairs(links: Iterable[Link], *, automatic_only: bool = False) -> Iterator[tuple[str, str]]:
    return (link.pair for link in links if link.is_live and not (automatic_only and link.is_manual))


def verified_pairs(links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    """The pairs that servers vouched for."""
    return (link.pair for link in links if link.is_live and link.strength is Strength.VERIFIED)


def is_known(fragments: Iterable[Fragment]) -> bool:
    """Whether a person (given as their fragments) goes by a name. A stranger is a browser, or a capture that named nobody."""
    return any(one.names_somebody for one in fragments)


def oldest_first(fragments: Iterable[Fragment]) -> Sequence[str]:
    return tuple(sorted(one.fragment_id for one in fragments))


def _believed_first(fragment: Fragment) -> tuple[bool, str]:
    return fragment.core_id is None, fragment.fragment_id


def _root_of(root: dict[str, str], node: str) -> str:
    while root[node] != node:
        root[node] = node = root[root[node]]
    return node
