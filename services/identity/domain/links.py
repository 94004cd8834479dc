"""Which links there are: those that machines make, and those that humans make and cut.

Machines judge clusters alone: what a human merged must not change what they believe.

What was claimed is counted against all there is; what a server vouches for against its like alone (the two
cores), so that no number of claims can keep it out. One bound is on the whole person, since events list all of
it: FRAGMENTS, of which claims fill half.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts import limits as sizes
from contracts.envelope import Event, Meta, beginning
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.ids import derive_id
from contracts.limits import FRAGMENTS
from contracts.values import IdentifierKind, Strength
from services.identity.domain.fragments import (
    Fragment,
    Link,
    components,
    count_kinds,
    live_pairs,
    oldest_first,
    pair_of,
    person_of,
    verified_pairs,
)
from services.identity.domain.workspace import Graph

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
class IdentifierLimits:
    """How many identifiers of a kind machines may gather under one roof; a human may gather more, up to `fragments` of
    all kinds.

    Of `anonymous_ids` those count that were first seen within `window` of the latest one: a person
    has many over the years, a kiosk at once.
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
class SeenBefore:
    """The link is there; it may be believed more than before."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The link is not made."""

    reason: Reason


LinkDecision = Join | SeenBefore | Refuse


@dataclass(frozen=True, slots=True)
class LinkProposal:
    """That two fragments are one person's. `is_alias`: the sender says so of two user ids."""

    one: Fragment
    other: Fragment
    strength: Strength
    is_alias: bool = False


def judge(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> LinkDecision:
    """Whether a capture that names both fragments joins them."""
    one, other = proposal.one, proposal.other
    link = graph.links.get(pair_of(one.fragment_id, other.fragment_id))
    if link is not None:
        return SeenBefore() if link.is_live else Refuse(Reason.PARTED_BY_HUMAN)
    if one.cluster_id == other.cluster_id:
        return Join()
    if graph.is_parted(one.cluster_id, other.cluster_id):
        return Refuse(Reason.PARTED_BY_HUMAN)
    reason = _why_not(graph, proposal) or _too_many(graph, proposal, limits) or _too_large(graph, proposal, limits)
    return Join() if reason is None else Refuse(reason)


def _why_not(graph: Graph, proposal: LinkProposal) -> Reason | None:
    one, other = proposal.one, proposal.other
    here, there = count_kinds(graph.cluster(one.cluster_id)), count_kinds(graph.cluster(other.cluster_id))
    if not proposal.is_alias and _has_user_id(graph, one, other) and _has_user_id(graph, other, one):
        return Reason.TWO_USER_IDS
    # clusters are disjoint, so two that both hold e-mails share none
    if (one.kind in _WEAK or other.kind in _WEAK) and here[IdentifierKind.EMAIL] and there[IdentifierKind.EMAIL]:
        return Reason.TWO_KNOWN_PEOPLE
    return None


def _has_user_id(graph: Graph, named: Fragment, other: Fragment) -> bool:
    """Whether the side of `named` has a user id. One that is the very address which is linked is none of its own: it
    says no more than the address does.
    """
    addresses = [one.value for one in (named, other) if one.kind == IdentifierKind.EMAIL]
    cluster = graph.cluster(named.cluster_id)
    return any(one.kind == IdentifierKind.USER_ID and one.value not in addresses for one in cluster)


def _too_many(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> Reason | None:
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


def _too_large(graph: Graph, proposal: LinkProposal, limits: IdentifierLimits) -> Reason | None:
    """On the whole person, manual links included: events that regroup them list every fragment."""
    people = {proposal.one.person_id, proposal.other.person_id}
    most = limits.fragments if proposal.strength is Strength.VERIFIED else limits.claimed_fragments
    if len(people) == 1 or sum(graph.size_of(person_id) for person_id in people) <= most:
        return None
    return Reason.TOO_MANY_IDENTIFIERS


class AlreadyOne(Exception):
    """The two are one person already."""


class TooManyFragments(Exception):
    """The two together have more first-seen identities than one person may have."""


class NothingToPart(Exception):
    """The named fragments are none or all of the person's."""


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """Who decides, when, and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Regrouping:
    """What came of it: the people that result, rows to be saved, and what is to be said (nothing when nobody's
    fragments changed).
    """

    people: tuple[PersonPart, ...]
    fragments: Sequence[Fragment]
    new_links: Sequence[Link] = ()
    cut_links: Sequence[Link] = ()
    said: Sequence[Event] = ()


def merge_by_hand(one: Sequence[Fragment], other: Sequence[Fragment], decision: HumanDecision) -> Regrouping:
    """Make one person of two (each given as all of its fragments).

    Clusters stay as they are. Raises AlreadyOne, TooManyFragments.
    """
    if one[0].person_id == other[0].person_id:
        raise AlreadyOne(one[0].person_id)
    if len(one) + len(other) > FRAGMENTS:
        raise TooManyFragments(
            f"{len(one)} and {len(other)} identifiers are more than the {FRAGMENTS} that one person may have"
        )
    pair = pair_of(oldest_first(one)[0], oldest_first(other)[0])
    link_id = derive_id("lnk", decision.at, *pair, decision.by)
    link = Link(
        link_id, *pair, Strength.MANUAL, evidence_id=decision.by, created_at=decision.at, reason=decision.reason
    )
    person_id, version = person_of(pair[0]), max(one[0].graph_version, other[0].graph_version) + 1
    fragments = [fragment._replace(person_id=person_id, graph_version=version) for fragment in (*one, *other)]
    event = PersonMerged(
        meta=_meta(decision, PersonMerged.wire_name, link_id),
        person_id=person_id,
        absorbed_person_ids=(person_of(pair[1]),),
        fragment_ids=tuple(oldest_first(fragments)),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence=f"{decision.by} merged the two: {decision.reason}",
    )
    part = PersonPart(person_id=person_id, fragment_ids=event.fragment_ids, graph_version=version)
    return Regrouping(people=(part,), fragments=fragments, new_links=(link,), said=(event,))


def part_off(fragments: Sequence[Fragment], links: Iterable[Link], chosen: Iterable[str]) -> list[Link]:
    """The live links that tie the chosen fragments to the rest of their person. Raises NothingToPart."""
    apart = set(chosen)
    if not apart or apart >= {one.fragment_id for one in fragments}:
        raise NothingToPart
    return [link for link in links if link.is_live and (link.left_id in apart) != (link.right_id in apart)]


def split_by_hand(
    fragments: Sequence[Fragment], links: Sequence[Link], cut: Sequence[Link], decision: HumanDecision
) -> Regrouping:
    """Cut links of one person (given as all of its fragments and live links) and see who is left."""
    cut_ids = {link.link_id for link in cut}
    cut_links = [replace(link, cut_at=decision.at, cut_by=decision.by, cut_reason=decision.reason) for link in cut]
    kept = [link for link in links if link.is_live and link.link_id not in cut_ids]
    nodes = [one.fragment_id for one in fragments]
    cluster_of = _labels(components(nodes, live_pairs(kept, automatic_only=True)))
    core_of = _labels(group for group in components(nodes, verified_pairs(kept)) if len(group) > 1)
    people = components(nodes, live_pairs(kept))
    version = fragments[0].graph_version + (1 if len(people) > 1 else 0)
    parts = tuple(
        PersonPart(person_id=person_of(group[0]), fragment_ids=group, graph_version=version) for group in people
    )
    person_label = {fragment_id: part.person_id for part in parts for fragment_id in part.fragment_ids}
    regrouped = [
        one._replace(
            cluster_id=cluster_of[one.fragment_id],
            core_id=core_of.get(one.fragment_id),
            person_id=person_label[one.fragment_id],
            graph_version=version,
        )
        for one in fragments
    ]
    said = [_say_split(fragments[0].person_id, parts, version, decision)] if len(parts) > 1 else []
    return Regrouping(people=parts, fragments=regrouped, cut_links=cut_links, said=said)


def _say_split(person_id: str, parts: tuple[PersonPart, ...], version: int, decision: HumanDecision) -> PersonSplit:
    return PersonSplit(
        meta=_meta(decision, PersonSplit.wire_name, person_id, str(version)),
        person_id=person_id,
        parts=parts,
        graph_version=version,
        sentence=f"{decision.by} split them into {len(parts)}: {decision.reason}",
    )


def _labels(groups: Iterable[tuple[str, ...]]) -> dict[str, str]:
    return {node: group[0] for group in groups for node in group}


def _meta(decision: HumanDecision, wire_name: str, *cause: str) -> Meta:
    """A human's decision has no event before it: it is the beginning of its own chain."""
    event_id = derive_id("evt", decision.at, wire_name, *cause, decision.by)
    return beginning(event_id, decision.at)
