"""The links that humans make and cut, how much machines may link, and why they do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts import limits as sizes
from contracts.envelope import Event, Meta, beginning
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.ids import derive_id
from contracts.limits import FRAGMENTS
from contracts.values import Strength
from services.identity.domain.fragments import (
    Fragment,
    Link,
    components,
    live_pairs,
    oldest_first,
    pair_of,
    person_of,
    verified_pairs,
)


class Reason(StrEnum):
    """Why a link was not made."""

    PARTED_BY_HUMAN = "parted_by_human"  # somebody cut a link between these two before
    TWO_VERIFIED_PEOPLE = "two_verified_people"  # servers know both, and none of them says that they are one
    TWO_USER_IDS = "two_user_ids"
    TWO_ADDRESSES = "two_addresses"  # a claim would join two that both have e-mail addresses
    TWO_KNOWN_PEOPLE = "two_known_people"  # a device or phone would
    NOT_OF_THIS_BROWSER = "not_of_this_browser"  # an alias names somebody whom this browser never was
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
