"""Fragments and the links between them: what makes somebody one person, today and at a moment in the past; and who is a
test.

Clusters are what automatic links join, people are what automatic and manual links join;
both carry the id of their oldest fragment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from contracts.envelope import beginning
from contracts.events.identity import PersonMarked
from contracts.ids import derive_id, with_prefix
from contracts.values import IdentifierKind, NamedBy, Strength
from people_kernel.beliefs import Precedence, rank_of, weight_of

YIELDED: Final = "identity"
"""`cut_by` of a claim that gave way to a server's word."""

_NAMELESS: Final = {None, IdentifierKind.ANONYMOUS_ID.value}


class Fragment(NamedTuple):
    """One identifier ever seen; with neither kind nor value, a capture that carried none.

    A tuple, as one is made for each row and each change.

    `graph_version` is the person's. `account_id` is the account that was named with it and is believed most, as it is
    known today; `named_account_id` as it was named, when (`account_claimed_at`), by what, how far believed, and where.
    `seen_at` is when what they were first seen by happened; `created_at` when it was received. `core_id` is the oldest
    fragment of those that verified links join with this one; None while there is no such link. `vouched_at` is when a
    server first went by this name; None of a device, and of what is only claimed so far.
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
    named_account_id: str | None = None
    account_named_by: str | None = None
    account_strength: str | None = None
    account_interaction_id: str | None = None
    vouched_at: datetime | None = None

    @property
    def account_rank(self) -> Precedence:
        """How far it is believed that this is the account. Of before that was kept nobody knows who said it."""
        named_by = NamedBy(self.account_named_by) if self.account_named_by else None
        if named_by is None and self.account_claimed_at is None:
            named_by = NamedBy.EMAIL
        return rank_of(
            Strength(self.account_strength or Strength.CLAIMED),
            weight_of(named_by),
            self.account_claimed_at or self.created_at,
            self.account_interaction_id or "",
        )

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
    """The fact that two fragments belong to one person, left id < right id; a cut is recorded on it, never by deleting
    it.

    `evidence_id` is the capture that showed it, or who merged by hand; `source_id` who sent that capture; `verified_by`
    the capture that first vouched for a claim.
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
    source_id: str | None = None

    @property
    def is_live(self) -> bool:
        return self.cut_at is None

    @property
    def is_manual(self) -> bool:
        return self.strength is Strength.MANUAL

    @property
    def has_yielded(self) -> bool:
        """Whether it was a claim that gave way to what a server said; no human parted anybody."""
        return self.cut_by == YIELDED

    @property
    def pair(self) -> tuple[str, str]:
        return self.left_id, self.right_id


@dataclass(frozen=True, slots=True)
class LinkRefusal:
    """A link that was not made, and why: food for a review by a human."""

    refusal_id: str
    left_id: str
    right_id: str
    reason: str
    strength: Strength
    evidence_id: str
    at: datetime


def person_of(fragment_id: str) -> str:
    """The id of the person whose oldest fragment this is."""
    return with_prefix("per", fragment_id)


def pair_of(one_id: str, other_id: str) -> tuple[str, str]:
    """The two in the order in which a link names them."""
    return (one_id, other_id) if one_id < other_id else (other_id, one_id)


def count_kinds(fragments: Iterable[Fragment]) -> Counter[str]:
    return Counter(one.kind for one in fragments if one.kind is not None)


def search_text_of(fragments: Iterable[Fragment]) -> str:
    """By what a person is searched: addresses, user ids and numbers, what a server vouched for first.

    Devices are found by their whole id.
    """
    named = [one for one in fragments if one.value is not None and one.kind != IdentifierKind.ANONYMOUS_ID]
    return "\n".join(one.value for one in sorted(named, key=_believed_first) if one.value)


def _believed_first(fragment: Fragment) -> tuple[bool, str]:
    return fragment.core_id is None, fragment.fragment_id


def searched_after(fragments: Sequence[Fragment]) -> dict[str, str]:
    """By what people are searched who were regrouped (given as all of their fragments); by nothing, who is nobody any
    more.
    """
    people: dict[str, list[Fragment]] = {person_of(one.fragment_id): [] for one in fragments}
    for one in fragments:
        people[one.person_id].append(one)
    return {person_id: search_text_of(own) for person_id, own in people.items()}


def account_of(fragments: Iterable[Fragment]) -> str | None:
    """A person's account: the one that is believed most, whichever fragment it was named with."""
    named = [one for one in fragments if one.account_id is not None]
    return max(named, key=_account_rank).account_id if named else None


def _account_rank(fragment: Fragment) -> tuple[Precedence, str]:
    return fragment.account_rank, fragment.fragment_id


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


def _root_of(root: dict[str, str], node: str) -> str:
    while root[node] != node:
        root[node] = node = root[root[node]]
    return node


def live_pairs(links: Iterable[Link], *, automatic_only: bool = False) -> Iterator[tuple[str, str]]:
    return (link.pair for link in links if link.is_live and not (automatic_only and link.is_manual))


def verified_pairs(links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    """The pairs that servers vouched for."""
    return (link.pair for link in links if link.is_live and link.strength is Strength.VERIFIED)


def is_settled(fragments: Sequence[Fragment]) -> bool:
    """Whether a server that names these together says nothing new: it went by each of these names, and they are one."""
    alike = len({one.core for one in fragments}) == 1
    return alike and all(one.vouched_at is not None or not one.names_somebody for one in fragments)


def is_known(fragments: Iterable[Fragment]) -> bool:
    """Whether a person (given as their fragments) goes by a name.

    A stranger is a browser, or a capture that named nobody.
    """
    return any(one.names_somebody for one in fragments)


def is_test_person(fragments: Iterable[Fragment]) -> bool:
    """Whether only test sources saw the person, or somebody marked them."""
    own = list(fragments)
    return all(one.is_test for one in own) or any(one.is_marked for one in own)


def oldest_first(fragments: Iterable[Fragment]) -> Sequence[str]:
    return tuple(sorted(one.fragment_id for one in fragments))


def links_at(links: Iterable[Link], moment: datetime) -> list[Link]:
    """The links that held at `moment`, each as strong as it was believed then."""
    return [
        _as_believed(link, moment)
        for link in links
        if link.created_at <= moment and (link.cut_at is None or link.cut_at > moment)
    ]


def partition_at(fragments: Iterable[Fragment], links: Iterable[Link], moment: datetime) -> list[tuple[str, ...]]:
    """The people of `moment`, each as its fragments, oldest first; fragments seen later are left out."""
    known = [one.fragment_id for one in fragments if one.created_at <= moment]
    nodes = set(known)
    return components(known, (link.pair for link in links_at(links, moment) if nodes.issuperset(link.pair)))


def _as_believed(link: Link, moment: datetime) -> Link:
    if link.verified_at is None or link.verified_at <= moment:
        return link
    return replace(link, strength=Strength.CLAIMED, verified_by=None, verified_at=None)


@dataclass(frozen=True, slots=True)
class MarkedFragments:
    """What came of it: the fragments that changed, and what is to be said."""

    fragments: Sequence[Fragment] = ()
    said: Sequence[PersonMarked] = ()


def mark_as_test(fragments: Sequence[Fragment], *, is_test: bool, by: str, at: datetime) -> MarkedFragments:
    """One person (given as all of its fragments) is a test, or is none after all: then every mark on them goes.

    What is so already is not said.
    """
    oldest = oldest_first(fragments)[0]
    chosen = [one for one in fragments if one.is_marked is not is_test and (one.fragment_id == oldest or not is_test)]
    changed = [one._replace(marked_by=by if is_test else None, marked_at=at if is_test else None) for one in chosen]
    return MarkedFragments(changed, [_marked(one, is_test=is_test, by=by, at=at) for one in changed])


def _marked(fragment: Fragment, *, is_test: bool, by: str, at: datetime) -> PersonMarked:
    event_id = derive_id("evt", at, PersonMarked.wire_name, fragment.fragment_id, str(is_test), by, at.isoformat())
    return PersonMarked(
        meta=beginning(event_id, at),
        person_id=fragment.person_id,
        fragment_id=fragment.fragment_id,
        graph_version=fragment.graph_version,
        is_test=is_test,
        marked_by=by,
    )
