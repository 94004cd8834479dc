"""The unit of work of recognizing: what is known about everyone a batch of captures could concern, and what becomes of
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from contracts.envelope import Event, beginning, following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import InteractionReleased, InteractionWithheld
from contracts.ids import derive_id
from contracts.values import Flag, Strength, WithheldReason
from people_kernel.workspace import Pages, Workspace
from semantics.capture import CaptureReading
from semantics.identifiers import IdentifierRemark
from semantics.robots import robot_in
from services.identity.domain.accounts import AccountPages
from services.identity.domain.consent import ConsentPages, FragmentConsent
from services.identity.domain.fragments import (
    Fragment,
    Link,
    LinkRefusal,
    components,
    live_pairs,
    person_of,
    search_text_of,
)
from services.identity.domain.proposals.candidates import CandidatePages

IdentifierKey = tuple[str, str]
"""(kind, value) of an identifier."""

_STRENGTH_RANK: Final = {Strength.CLAIMED: 0, Strength.INFERRED: 0, Strength.VERIFIED: 1}


@dataclass(frozen=True, slots=True)
class Release:
    """Who said that somebody did it, and why; `person_id` is whose it was then."""

    by: str
    at: datetime
    reason: str
    person_id: str


@dataclass(frozen=True, slots=True)
class WithheldInteraction:
    """A capture that nobody did: why, and what told it. `release` is None while it is kept apart."""

    capture: InteractionReceived
    reason: WithheldReason
    sign: str
    release: Release | None = None

    @property
    def interaction_id(self) -> str:
        return self.capture.interaction.interaction_id


def told_apart(
    captures: Sequence[InteractionReceived],
) -> tuple[list[InteractionReceived], list[WithheldInteraction]]:
    """What somebody may have done, in order; and what robots did."""
    signs = [robot_in(one.interaction) for one in captures]
    if not any(signs):  # as of most batches
        return list(captures), []
    by_people = [one for one, sign in zip(captures, signs, strict=True) if sign is None]
    return by_people, [
        WithheldInteraction(one, sign.reason, sign.sign) for one, sign in zip(captures, signs, strict=True) if sign
    ]


def say_withheld(one: WithheldInteraction) -> InteractionWithheld:
    """The event that tells it."""
    interaction = one.capture.interaction
    return InteractionWithheld(
        meta=following(one.capture, InteractionWithheld.wire_name),
        interaction_id=interaction.interaction_id,
        source_id=interaction.source_id,
        is_test=interaction.is_test,
        occurred_at=interaction.occurred_at,
        reason=one.reason,
        sign=one.sign,
    )


def released_capture(one: WithheldInteraction) -> InteractionReceived:
    """The capture as it would have come from somebody: under its own id and time, without the mark of the trap."""
    interaction = one.capture.interaction
    flags = tuple(flag for flag in interaction.flags if flag is not Flag.HONEYPOT)
    return one.capture.model_copy(update={"interaction": interaction.model_copy(update={"flags": flags})})


def told_late(events: Iterable[Event], at: datetime) -> list[Event]:
    """What is said of a released capture, said when it was released: with the ids it would have had, so that it is said
    once; late, so that clocks and offers run from now.
    """
    return [one.model_copy(update={"meta": one.meta.model_copy(update={"at": at})}) for one in events]


def say_released(one: WithheldInteraction, release: Release) -> InteractionReleased:
    """The event that tells who released it and why; a human's word is the beginning of its own chain."""
    event_id = derive_id("evt", release.at, InteractionReleased.wire_name, one.interaction_id, release.by)
    return InteractionReleased(
        meta=beginning(event_id, release.at),
        interaction_id=one.interaction_id,
        source_id=one.capture.interaction.source_id,
        was=one.reason,
        released_by=release.by,
        reason=release.reason,
    )


@dataclass(frozen=True, slots=True)
class FragmentRemark:
    """A remark on what a capture of this fragment carried."""

    fragment_id: str
    interaction_id: str
    remark: IdentifierRemark
    at: datetime


class Graph:
    """The fragments of some whole people and the automatic links that matter to them.

    Clusters are what automatic links join, cores what verified ones do, people what links of any kind do.
    """

    def __init__(self, fragments: Iterable[Fragment] = (), links: Iterable[Link] = ()) -> None:
        self.fragments = Pages({fragment.fragment_id: fragment for fragment in fragments})
        given = list(links)
        self.links = Pages({link.pair: link for link in given if not link.is_manual})
        self._merged_by_hand = [link for link in given if link.is_manual and link.is_live]
        self._by_key = {
            (one.kind, one.value): one.fragment_id for one in self.fragments.values() if one.kind is not None
        }
        self._clusters: dict[str, list[str]] = {}
        self._people: dict[str, list[str]] = {}
        self._cores: dict[str, list[str]] = {}
        self._parted: dict[str, set[str]] = {}
        for fragment in self.fragments.values():
            self._clusters.setdefault(fragment.cluster_id, []).append(fragment.fragment_id)
            self._people.setdefault(fragment.person_id, []).append(fragment.fragment_id)
            self._cores.setdefault(fragment.core, []).append(fragment.fragment_id)
        for link in self.links.values():
            if not link.is_live and not link.has_yielded:
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

    def add_link(self, link: Link) -> None:
        self.links[link.pair] = link

    def believe(self, pair: tuple[str, str], capture_id: str, at: datetime) -> None:
        """A server vouches for a link that was a claim so far; it never sinks back."""
        link = self.links[pair]
        if link.is_live and _STRENGTH_RANK[link.strength] < _STRENGTH_RANK[Strength.VERIFIED]:
            self.links[pair] = replace(link, strength=Strength.VERIFIED, verified_by=capture_id, verified_at=at)
            self._join_cores(*pair)

    def cluster(self, cluster_id: str) -> list[Fragment]:
        return [self.fragments[fragment_id] for fragment_id in self._clusters[cluster_id]]

    def person(self, person_id: str) -> list[Fragment]:
        return [self.fragments[fragment_id] for fragment_id in self._people[person_id]]

    def size_of(self, person_id: str) -> int:
        """How many fragments a person is."""
        return len(self._people[person_id])

    def searched(self, person_ids: Iterable[str]) -> dict[str, str]:
        """By what these people are searched now: whoever has such names, and whoever was absorbed by somebody who has,
        by nothing.
        """
        texts = {one: search_text_of(self.person(one)) if one in self._people else "" for one in person_ids}
        return texts if any(texts.values()) else {}

    def core(self, core_id: str) -> list[Fragment]:
        """What verified links join."""
        return [self.fragments[fragment_id] for fragment_id in self._cores[core_id]]

    def vouched_cores(self, cluster_id: str) -> set[str]:
        """The people of this cluster whom servers know by a name; more than one only in stores of before."""
        own = self._clusters[cluster_id]
        return {one.core for fragment_id in own if (one := self.fragments[fragment_id]).vouched_at is not None}

    def ties_of(self, person_id: str) -> list[Link]:
        """The live links that make one person, as far as they were loaded."""
        own = set(self._people[person_id])
        return [one for one in (*self.links.values(), *self._merged_by_hand) if one.is_live and one.left_id in own]

    def regroup(self, person_id: str) -> list[tuple[str, ...]]:
        """Label the fragments of a person anew, some of whose links hold no more; answers who is left, oldest first."""
        ties, nodes = self.ties_of(person_id), self._people.pop(person_id)
        for cluster_id in {self.fragments[one].cluster_id for one in nodes}:
            del self._clusters[cluster_id]
        for group in components(nodes, live_pairs(ties, automatic_only=True)):
            self._clusters[group[0]] = list(group)
            for one in group:
                self.change(one, cluster_id=group[0])
        people = components(nodes, live_pairs(ties))
        for group in people:
            self._people[person_of(group[0])] = list(group)
            for one in group:
                self.change(one, person_id=person_of(group[0]))
        return people

    def is_parted(self, left_cluster_id: str, right_cluster_id: str) -> bool:
        """Whether a human cut an automatic link between the two clusters."""
        if not self._parted:
            return False
        right = set(self._clusters[right_cluster_id])
        return any(not right.isdisjoint(self._parted.get(one, ())) for one in self._clusters[left_cluster_id])

    def join(self, left_id: str, right_id: str, strength: Strength) -> None:
        """Make one cluster, and so one person, of the two that hold these fragments; and one core, by a verified
        link.
        """
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


@dataclass(slots=True, kw_only=True)
class IdentityWorkspace(Workspace):
    """Whole people, with the links between the fragments that are named and every automatic link that a human cut;
    accounts; and the consent on fragments whose captures speak of it. What is said is in an order that can be folded
    in one pass.
    """

    graph: Graph = field(default_factory=Graph)
    accounts: AccountPages = field(default_factory=AccountPages)
    consents: ConsentPages = field(default_factory=ConsentPages)
    statements: list[FragmentConsent] = field(default_factory=list)  # all that captures stated, for the history
    refusals: list[LinkRefusal] = field(default_factory=list)
    candidates: CandidatePages = field(default_factory=CandidatePages)
    remarks: list[FragmentRemark] = field(default_factory=list)
    withheld: list[WithheldInteraction] = field(default_factory=list)
    # people whose fragments are others now; a dictionary, as it keeps an order
    regrouped: dict[str, None] = field(default_factory=dict)

    def withhold(self, found: Sequence[WithheldInteraction]) -> None:
        """Keep apart what robots did, and tell it."""
        self.withheld += found
        self.said += map(say_withheld, found)

    @property
    def searched(self) -> dict[str, str]:
        """Person id -> the text they are searched by, where it may have become another."""
        return self.graph.searched(self.regrouped)


def keys_of(readings: Iterable[CaptureReading]) -> set[IdentifierKey]:
    """Every identifier that must be looked up to judge `readings`."""
    return {(named.kind.value, named.value) for one in readings for named in one.names}
