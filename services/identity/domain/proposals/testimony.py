"""What a server's word does beside linking: names are vouched for, claims give way; and what is proposed to a human."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.envelope import following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import CandidateProposed, PersonPart, PersonSplit
from contracts.values import IdentifierKind, Strength
from semantics.capture import CaptureReading
from services.identity.domain.fragments import Fragment, Link, components, is_settled
from services.identity.domain.links import Reason
from services.identity.domain.proposals.candidates import CandidateClaim
from services.identity.domain.proposals.contradictions import Yielded, give_way, yielding
from services.identity.domain.workspace import IdentityWorkspace

_NAMES: Final = {IdentifierKind.USER_ID.value, IdentifierKind.EMAIL.value}
# that two share a device or a number is no reason to think that they are one, and what is a kiosk's is nobody's
_FOR_REVIEW: Final = {
    Reason.TWO_VERIFIED_PEOPLE: "servers know both",
    Reason.TWO_ADDRESSES: "each has an address of their own",
    Reason.TWO_USER_IDS: "each has a user id of their own",
    Reason.NOT_OF_THIS_BROWSER: "the browser that says so never was the other one",
}


def vouch(workspace: IdentityWorkspace, claim: CaptureReading, named: Sequence[str]) -> list[Fragment]:
    """A server goes by these names: claims that say otherwise give way, and are kept for review."""
    graph = workspace.graph
    if yielded := yielding(graph, named):
        give_way(graph, yielded, claim.capture.meta.at)
        _say_parted(workspace, claim.capture, yielded)
    for fragment_id in named:
        fragment = graph.fragments[fragment_id]
        if fragment.names_somebody and fragment.vouched_at is None:
            graph.change(fragment_id, vouched_at=claim.capture.meta.at)
    for one in yielded:
        propose(workspace, claim.capture, _made_by(one.link), one.reason)
    return [graph.fragments[fragment_id] for fragment_id in named]


def propose(workspace: IdentityWorkspace, capture: InteractionReceived, told: CandidateClaim, reason: Reason) -> None:
    """Keep for a human that two names were claimed together, where that is worth a look."""
    graph, pair = workspace.graph, (told.left_id, told.right_id)
    two = [graph.fragments[one] for one in pair]
    if reason not in _FOR_REVIEW or not all(one.kind in _NAMES for one in two):
        return
    here, there = ([one.fragment_id for one in graph.cluster(side.cluster_id)] for side in two)
    if not workspace.candidates.propose(here, there, reason.value, told):
        return
    candidate = workspace.candidates.between(here, there)
    assert candidate is not None  # it was just proposed
    workspace.said.append(
        CandidateProposed(
            meta=following(capture, CandidateProposed.wire_name, candidate.candidate_id),
            candidate_id=candidate.candidate_id,
            person_ids=(two[0].person_id, two[1].person_id),
            fragment_ids=pair,
            reason=reason.value,
            strength=told.strength,
            source_id=told.source_id,
            sentence=f"It was {told.strength.value} that the two are one; {_FOR_REVIEW[reason]}.",
        )
    )


def told_by(claim: CaptureReading, pair: tuple[str, str]) -> CandidateClaim:
    """That this capture names the two."""
    meta = claim.capture.meta
    told = (meta.event_id, meta.at)
    return CandidateClaim(*pair, claim.strength, claim.capture.interaction.source_id, *told, *told)


def _made_by(link: Link) -> CandidateClaim:
    """That the capture which made a link names the two."""
    told = (link.evidence_id, link.created_at)
    return CandidateClaim(*link.pair, link.strength, link.source_id, *told, *told)


def _say_parted(workspace: IdentityWorkspace, capture: InteractionReceived, yielded: Iterable[Yielded]) -> None:
    graph = workspace.graph
    for person_id in dict.fromkeys(graph.fragments[one.link.left_id].person_id for one in yielded):
        version = graph.person(person_id)[0].graph_version + 1
        people = graph.regroup(person_id)
        if len(people) == 1:
            continue  # others still hold them together, or a human does
        for fragment_id in (one for group in people for one in group):
            graph.change(fragment_id, graph_version=version)
        parts = tuple(_part(graph.fragments[group[0]], group, version) for group in people)
        workspace.regrouped |= dict.fromkeys(part.person_id for part in parts)
        workspace.said.append(
            PersonSplit(
                meta=following(capture, PersonSplit.wire_name, person_id),
                person_id=person_id,
                parts=parts,
                graph_version=version,
                sentence=f"A server's word in {capture.interaction.interaction_id} parts what was only claimed.",
            )
        )


def _part(oldest: Fragment, group: tuple[str, ...], version: int) -> PersonPart:
    return PersonPart(person_id=oldest.person_id, fragment_ids=group, graph_version=version)


def unsettled_people(claims: Sequence[CaptureReading], fragments: Sequence[Fragment]) -> set[str]:
    """Of the people who go by `fragments`, those of whom these claims may part something: all of whose links count."""
    by_key = {(one.kind, one.value): one for one in fragments}
    telling = [claim for claim in claims if claim.strength is Strength.VERIFIED and not _is_old_news(claim, by_key)]
    if not telling:
        return set()
    # whom claims of the same batch join to somebody before a server speaks of them counts too
    stars = [[_node(one.kind.value, one.value) for one in claim.names] for claim in claims if claim.names]
    ties = [(star[0], other) for star in stars for other in star[1:]]
    own = [(_node(one.kind, one.value), one.person_id) for one in fragments if one.kind is not None]
    nodes = {node for star in stars for node in star} | {node for tie in own for node in tie}
    spoken_of = {_node(one.kind.value, one.value) for claim in telling for one in claim.names}
    people = {person_id for _, person_id in own}
    groups = components(nodes, [*ties, *own])
    return {node for group in groups if not spoken_of.isdisjoint(group) for node in group if node in people}


def may_propose(claim: CaptureReading) -> bool:
    """Whether two people may come out of this who are to be compared: two names, or a server's word."""
    if claim.strength is Strength.VERIFIED:
        return bool(claim.names)
    return sum(one.kind.value in _NAMES for one in claim.names) > 1


def _is_old_news(claim: CaptureReading, by_key: dict[tuple[str | None, str | None], Fragment]) -> bool:
    found = [by_key.get((one.kind.value, one.value)) for one in claim.names]
    known = [one for one in found if one is not None]
    return not found or (len(known) == len(found) and is_settled(known))


def _node(kind: str | None, value: str | None) -> str:
    return f"{kind}:{value}"
