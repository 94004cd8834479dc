"""Which automatic links are made. Judged on clusters alone: what a human merged must not change what machines believe.

What was claimed is counted against all there is; what a server vouches for against its like alone (the two cores), so that no number of claims
can keep it out. One bound is on the whole person, since events list all of it: FRAGMENTS, of which claims fill half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from contracts import limits as sizes
from contracts.values import IdentifierKind, Strength
from services.identity.domain.graph import Fragment, Graph, count_kinds, pair_of

_WEAK: Final = (IdentifierKind.PHONE, IdentifierKind.ANONYMOUS_ID)  # shared by households, switchboards, devices


class Reason(StrEnum):
    """Why a link was not made."""

    PARTED_BY_HUMAN = "parted_by_human"  # somebody cut a link between these two before
    TWO_USER_IDS = "two_user_ids"
    TWO_KNOWN_PEOPLE = "two_known_people"  # a device or phone would join two that both have e-mail addresses
    TOO_MANY_USER_IDS = "too_many_user_ids"
    TOO_MANY_EMAILS = "too_many_emails"
    TOO_MANY_PHONES = "too_many_phones"
    TOO_MANY_DEVICES = "too_many_devices"
    TOO_MANY_IDENTIFIERS = "too_many_identifiers"  # of all kinds, the whole person's


@dataclass(frozen=True, slots=True)
class Limits:
    """How many identifiers of a kind machines may gather under one roof; a human may gather more, up to `fragments` of all kinds.

    Of `anonymous_ids` those count that were first seen within `window` of the latest one: a person has many over the years, a kiosk at once.
    """

    user_ids: int = sizes.USER_IDS
    emails: int = sizes.EMAILS
    phones: int = sizes.PHONES
    anonymous_ids: int = sizes.DEVICES
    window: timedelta = timedelta(days=sizes.DEVICES_DAYS)
    claimed_fragments: int = sizes.CLAIMED_FRAGMENTS
    fragments: int = sizes.FRAGMENTS


@dataclass(frozen=True, slots=True)
class Join:
    """The link is made; the two clusters become one (or are one already)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The link is there; it may be believed more than before."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The link is not made."""

    reason: Reason


Verdict = Join | Seen | Refuse


@dataclass(frozen=True, slots=True)
class Proposal:
    """That two fragments are one person's. `is_alias`: the sender says so of two user ids."""

    one: Fragment
    other: Fragment
    strength: Strength
    is_alias: bool = False


def judge(graph: Graph, proposal: Proposal, limits: Limits) -> Verdict:
    """Whether a capture that names both fragments joins them."""
    one, other = proposal.one, proposal.other
    link = graph.links.get(pair_of(one.fragment_id, other.fragment_id))
    if link is not None:
        return Seen() if link.is_live else Refuse(Reason.PARTED_BY_HUMAN)
    if one.cluster_id == other.cluster_id:
        return Join()
    if graph.is_parted(one.cluster_id, other.cluster_id):
        return Refuse(Reason.PARTED_BY_HUMAN)
    reason = _why_not(graph, proposal) or _too_many(graph, proposal, limits) or _too_large(graph, proposal, limits)
    return Join() if reason is None else Refuse(reason)


def _why_not(graph: Graph, proposal: Proposal) -> Reason | None:
    one, other = proposal.one, proposal.other
    here, there = count_kinds(graph.cluster(one.cluster_id)), count_kinds(graph.cluster(other.cluster_id))
    if not proposal.is_alias and here[IdentifierKind.USER_ID] and there[IdentifierKind.USER_ID]:
        return Reason.TWO_USER_IDS
    # clusters are disjoint, so two that both hold e-mails share none
    if (one.kind in _WEAK or other.kind in _WEAK) and here[IdentifierKind.EMAIL] and there[IdentifierKind.EMAIL]:
        return Reason.TWO_KNOWN_PEOPLE
    return None


def _too_many(graph: Graph, proposal: Proposal, limits: Limits) -> Reason | None:
    if proposal.strength is Strength.VERIFIED:
        left, right = graph.core(proposal.one.core), graph.core(proposal.other.core)
    else:
        left, right = graph.cluster(proposal.one.cluster_id), graph.cluster(proposal.other.cluster_id)
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


def _too_large(graph: Graph, proposal: Proposal, limits: Limits) -> Reason | None:
    """On the whole person, manual links included: events that regroup them list every fragment."""
    people = {proposal.one.person_id, proposal.other.person_id}
    most = limits.fragments if proposal.strength is Strength.VERIFIED else limits.claimed_fragments
    if len(people) == 1 or sum(graph.size_of(person_id) for person_id in people) <= most:
        return None
    return Reason.TOO_MANY_IDENTIFIERS
