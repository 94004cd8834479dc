"""Whether machines link two names: what was claimed, and what a server vouches for.

Machines judge clusters alone: what a human merged must not change what they believe.

A claim is not a proof. It joins no two people whom servers know, and none who have different addresses; it is counted
against all there is. What a server vouches for is judged and counted against its like alone (the two cores), so that no
number of claims can keep it out. One bound is on the whole person, since events list all of it: FRAGMENTS, of which
claims fill half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.values import IdentifierKind, Strength
from services.identity.domain.fragments import Fragment, count_kinds, pair_of
from services.identity.domain.links import IdentifierLimits, Reason
from services.identity.domain.workspace import Graph

_WEAK: Final = (IdentifierKind.PHONE, IdentifierKind.ANONYMOUS_ID)  # shared by households, switchboards, devices


@dataclass(frozen=True, slots=True)
class Join:
    """The link is made; the two clusters become one (or are one already)."""


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """The link is there; it may be believed more than before."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The link is not made."""

    reason: Reason


LinkDecision = Join | SeenBefore | Refuse


@dataclass(frozen=True, slots=True)
class LinkProposal:
    """That two fragments are one person's. `is_alias`: the sender may say so of two user ids. `is_foreign`: the other
    one is a name before that the browser which says so never had.
    """

    one: Fragment
    other: Fragment
    strength: Strength
    is_alias: bool = False
    is_foreign: bool = False
    named: frozenset[str] = frozenset()  # the cores of all that is named with them

    @property
    def is_verified(self) -> bool:
        return self.strength is Strength.VERIFIED


def judge(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> LinkDecision:
    """Whether a capture that names both fragments joins them."""
    one, other = proposal.one, proposal.other
    link = graph.links.get(pair_of(one.fragment_id, other.fragment_id))
    if link is not None and not link.has_yielded:
        return SeenBefore() if link.is_live else Refuse(Reason.PARTED_BY_HUMAN)
    if one.cluster_id == other.cluster_id:
        return Join()
    if graph.is_parted(one.cluster_id, other.cluster_id):
        return Refuse(Reason.PARTED_BY_HUMAN)
    reason = _why_not(graph, proposal) or _too_many(graph, proposal, limits) or _too_large(graph, proposal, limits)
    return Join() if reason is None else Refuse(reason)


def _why_not(graph: Graph, proposal: LinkProposal) -> Reason | None:
    one, other = proposal.one, proposal.other
    if proposal.is_foreign:
        return Reason.NOT_OF_THIS_BROWSER
    if _joins_two_verified(graph, proposal):
        return Reason.TWO_VERIFIED_PEOPLE
    here, there = _sides(graph, proposal)
    addresses = [one.value for one in (one, other) if one.kind == IdentifierKind.EMAIL]
    if not proposal.is_alias and _has_user_id(here, addresses) and _has_user_id(there, addresses):
        return Reason.TWO_USER_IDS
    is_weak = one.kind in _WEAK or other.kind in _WEAK
    # the sides are disjoint, so two that both hold e-mails share none
    if (is_weak or not proposal.is_verified) and _has_address(here) and _has_address(there):
        return Reason.TWO_KNOWN_PEOPLE if is_weak else Reason.TWO_ADDRESSES
    return None


def _joins_two_verified(graph: Graph, proposal: LinkProposal) -> bool:
    """Whether people would be one whom servers know apart: of a claim any two, of a server's word two others than it
    speaks of.
    """
    known = graph.vouched_cores(proposal.one.cluster_id), graph.vouched_cores(proposal.other.cluster_id)
    if not all(known):
        return False
    return not proposal.is_verified or any(side - proposal.named for side in known)


def _sides(graph: Graph, proposal: LinkProposal) -> tuple[list[Fragment], list[Fragment]]:
    """What a proposal is judged by, on either side."""
    one, other = proposal.one, proposal.other
    if proposal.is_verified:
        return graph.core(one.core), graph.core(other.core)
    return graph.cluster(one.cluster_id), graph.cluster(other.cluster_id)


def _has_user_id(side: Sequence[Fragment], addresses: Sequence[str | None]) -> bool:
    """A user id that is the very address which is linked is none of its own: it says no more than the address does."""
    return any(one.kind == IdentifierKind.USER_ID and one.value not in addresses for one in side)


def _has_address(side: Sequence[Fragment]) -> bool:
    return any(one.kind == IdentifierKind.EMAIL for one in side)


def _too_many(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> Reason | None:
    left, right = _sides(graph, proposal)
    here, there, together = count_kinds(left), count_kinds(right), count_kinds(_recent([*left, *right], limits.window))
    bounds = (
        (IdentifierKind.USER_ID, limits.user_ids, Reason.TOO_MANY_USER_IDS),
        (IdentifierKind.EMAIL, limits.emails, Reason.TOO_MANY_EMAILS),
        (IdentifierKind.PHONE, limits.phones, Reason.TOO_MANY_PHONES),
        (IdentifierKind.ANONYMOUS_ID, limits.anonymous_ids, Reason.TOO_MANY_DEVICES),
    )
    for kind, most, reason in bounds:
        # one side alone may be over the limit already; that must not stop what adds nothing to it
        if here[kind] and there[kind] and together[kind] > most:
            return reason
    return None


def _recent(fragments: Sequence[Fragment], window: timedelta) -> list[Fragment]:
    """All of them but the devices that were first seen long before the latest one."""
    devices = [one.created_at for one in fragments if one.kind == IdentifierKind.ANONYMOUS_ID]
    if not devices:
        return list(fragments)
    since = max(devices) - window
    return [one for one in fragments if one.kind != IdentifierKind.ANONYMOUS_ID or one.created_at > since]


def _too_large(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> Reason | None:
    """On the whole person, manual links included: events that regroup them list every fragment."""
    people = {proposal.one.person_id, proposal.other.person_id}
    most = limits.fragments if proposal.is_verified else limits.claimed_fragments
    if len(people) == 1 or sum(graph.size_of(person_id) for person_id in people) <= most:
        return None
    return Reason.TOO_MANY_IDENTIFIERS
