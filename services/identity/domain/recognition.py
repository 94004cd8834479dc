"""Give each captured interaction to a person, one capture after the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from contracts.envelope import Meta, each_following, following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import ConsentChanged, InteractionRecognized, PersonCreated, PersonMerged
from contracts.ids import derive_id, hash_id
from contracts.values import Identifier, IdentifierKind, Strength
from semantics.capture import CaptureReading
from services.identity.domain.consent import consent_changed, consent_of, take_consent
from services.identity.domain.fragments import (
    Fragment,
    Link,
    LinkRefusal,
    account_of,
    is_known,
    is_test_person,
    oldest_first,
    pair_of,
    person_of,
)
from services.identity.domain.links import IdentifierLimits, Join, LinkProposal, Refuse, SeenBefore, judge
from services.identity.domain.workspace import FragmentRemark, IdentityWorkspace


@dataclass(frozen=True, slots=True)
class RecognitionRules:
    """What an installation decides: the region of bare phone numbers, and how much machines may gather."""

    region: str = "US"
    limits: IdentifierLimits = field(default_factory=IdentifierLimits)


def recognize(workspace: IdentityWorkspace, claims: Sequence[CaptureReading], rules: RecognitionRules) -> None:
    """Take `claims` in, in their order."""
    metas = each_following([claim.capture for claim in claims], InteractionRecognized.wire_name)
    for claim, meta in zip(claims, metas, strict=True):
        _take_in(workspace, claim, meta, rules.limits)


def _take_in(workspace: IdentityWorkspace, claim: CaptureReading, meta: Meta, limits: IdentifierLimits) -> None:
    """`meta` is for telling that it was recognized."""
    named = _fragments_of(workspace, claim)
    anchor_id = named[0].fragment_id
    if len(named) > 1 or named[0].graph_version == 0:  # else nothing is new of anybody
        _group(workspace, claim, named, limits)
    account_id = _account(workspace, claim, anchor_id)
    anchor, interaction = workspace.graph.fragments[anchor_id], claim.capture.interaction
    workspace.said.append(
        InteractionRecognized(
            meta=meta,
            fragment_id=anchor_id,
            person_id=anchor.person_id,
            graph_version=anchor.graph_version,
            strength=claim.strength,
            identifiers=claim.identifiers,
            account_id=account_id,
            interaction=interaction,
            facts=dict(claim.facts),
            campaign=claim.campaign,
        )
    )
    if claim.statements:
        _hear_consent(workspace, claim, anchor)
    for remark in claim.remarks:
        workspace.remarks.append(FragmentRemark(anchor_id, interaction.interaction_id, remark, claim.capture.meta.at))


def _fragments_of(workspace: IdentityWorkspace, claim: CaptureReading) -> list[Fragment]:
    """The fragments that the claim names, strongest first, an alias's previous name last; never empty."""
    find = workspace.graph.find
    named = [find(one.kind, one.value) or _create(workspace, claim, one) for one in claim.identifiers]
    if claim.previous:
        known = (find(one.kind, one.value) for one in claim.previous)
        previous = next((one for one in known if one is not None), None) or _create(workspace, claim, claim.previous[0])
        named += [] if previous in named else [previous]
    return named or [_create(workspace, claim, None)]


def _create(workspace: IdentityWorkspace, claim: CaptureReading, named: Identifier | None) -> Fragment:
    capture = claim.capture
    cause = ("capture", capture.meta.event_id) if named is None else (named.kind.value, named.value)
    fragment_id = derive_id("frg", capture.meta.at, *cause)
    account_id = None
    if named is not None and named.kind is IdentifierKind.EMAIL:
        account_id, said = workspace.accounts.of_email(named.value, capture)
        workspace.said += said
    fragment = Fragment(
        fragment_id=fragment_id,
        kind=None if named is None else named.kind.value,
        value=None if named is None else named.value,
        cluster_id=fragment_id,
        person_id=person_of(fragment_id),
        graph_version=0,
        created_at=capture.meta.at,
        source_id=capture.interaction.source_id,
        is_test=capture.interaction.is_test,
        account_id=account_id,
        seen_at=capture.interaction.occurred_at,
    )
    workspace.graph.add(fragment)
    return fragment


def _group(
    workspace: IdentityWorkspace, claim: CaptureReading, named: Sequence[Fragment], limits: IdentifierLimits
) -> None:
    """Link what is named together, strongest with each other one, and tell what became of their people."""
    before = {one.fragment_id: (one.person_id, one.graph_version) for one in named}
    known = _known_among(workspace, named)
    anchor, *others = before
    for other in others:
        _consider(workspace, claim, (anchor, other), limits)
    _regroup(workspace, claim, before, known)


def _consider(
    workspace: IdentityWorkspace, claim: CaptureReading, two: tuple[str, str], limits: IdentifierLimits
) -> None:
    graph, capture, pair = workspace.graph, claim.capture, pair_of(*two)
    one, other = (graph.fragments[fragment_id] for fragment_id in two)
    # an alias is exempt for two user ids only: through a shared device it would
    # join two people who both signed up there
    is_alias = bool(claim.previous) and one.kind == other.kind == IdentifierKind.USER_ID
    match judge(graph, LinkProposal(one, other, claim.strength, is_alias), limits):
        case Join():
            link_id = derive_id("lnk", capture.meta.at, *pair)
            graph.add_link(Link(link_id, *pair, claim.strength, capture.meta.event_id, capture.meta.at))
            graph.join(*two, claim.strength)
        case SeenBefore() if claim.strength is Strength.VERIFIED:
            graph.believe(pair, capture.meta.event_id, capture.meta.at)
        case Refuse(reason):
            refusal_id = hash_id("rfs", *pair)  # one per pair: a shared device repeats it with every page
            refusal = LinkRefusal(
                refusal_id, *pair, reason.value, claim.strength, capture.meta.event_id, capture.meta.at
            )
            workspace.refusals.append(refusal)


def _known_among(workspace: IdentityWorkspace, named: Sequence[Fragment]) -> set[str]:
    """The people of these fragments who go by a name already: nothing can change about that while only one fragment is
    named.
    """
    if len(named) == 1:
        return set()
    people = {one.person_id for one in named if one.graph_version > 0}
    return {person_id for person_id in people if is_known(workspace.graph.person(person_id))}


def _regroup(
    workspace: IdentityWorkspace, claim: CaptureReading, before: dict[str, tuple[str, int]], known: Collection[str]
) -> None:
    """Tell what became of the people whose fragments were named: `before` gives each fragment's person and version;
    `known` were told of.

    That somebody was seen is told once they go by a name. Until then nobody can do anything with it, and most never do.
    """
    people: dict[str, dict[str, int]] = {}
    for fragment_id, (person_id, version) in before.items():
        people.setdefault(workspace.graph.fragments[fragment_id].person_id, {})[person_id] = version
    for person_id, parts in people.items():
        if parts.get(person_id, 0) > 0 and len(parts) == 1:
            continue  # as it was
        workspace.regrouped |= dict.fromkeys((person_id, *parts))
        version = max(parts.values()) + 1
        fragments = workspace.graph.person(person_id)
        for fragment in fragments:
            workspace.graph.change(fragment.fragment_id, graph_version=version)
        existing = sorted(part for part, part_version in parts.items() if part_version > 0)
        if person_id not in known and is_known(fragments):
            _say_created(workspace, claim, person_id, version)
        absorbed = tuple(part for part in existing if part != person_id)
        if absorbed:
            _say_merged(workspace, claim, person_id, absorbed, version)


def _account(workspace: IdentityWorkspace, claim: CaptureReading, anchor_id: str) -> str | None:
    """The account this interaction claims, else the person's."""
    claimed = claim.capture.interaction.account
    if claimed is not None:
        emails = [one.value for one in claim.identifiers if one.kind is IdentifierKind.EMAIL]
        account_id, said = workspace.accounts.of_claim(
            claimed, emails, claim.capture, is_verified=claim.strength is Strength.VERIFIED
        )
        workspace.said += said
        if account_id is not None:
            _note_account(workspace, workspace.graph.fragments[anchor_id], account_id, claim.capture)
            return account_id
    graph = workspace.graph
    return workspace.accounts.current(account_of(graph.person(graph.fragments[anchor_id].person_id)))


def _note_account(
    workspace: IdentityWorkspace, anchor: Fragment, account_id: str, capture: InteractionReceived
) -> None:
    known_at = anchor.account_claimed_at
    if known_at is None or known_at < capture.meta.at:
        workspace.graph.change(anchor.fragment_id, account_id=account_id, account_claimed_at=capture.meta.at)


def _hear_consent(workspace: IdentityWorkspace, claim: CaptureReading, anchor: Fragment) -> None:
    for statement in claim.statements:
        consent = consent_of(statement, anchor.fragment_id, claim.capture.interaction, claim.strength)
        if take_consent(workspace.consents, consent):
            meta = following(claim.capture, ConsentChanged.wire_name, statement.channel.value)
            workspace.said.append(consent_changed(meta, anchor, consent))


def _say_created(workspace: IdentityWorkspace, claim: CaptureReading, person_id: str, version: int) -> None:
    fragments = workspace.graph.person(person_id)
    oldest = workspace.graph.fragments[oldest_first(fragments)[0]]
    workspace.said.append(
        PersonCreated(
            meta=following(claim.capture, PersonCreated.wire_name, person_id),
            person_id=person_id,
            fragment_id=oldest.fragment_id,
            graph_version=version,
            is_test=is_test_person(fragments),
            occurred_at=oldest.seen_at or oldest.created_at,
        )
    )


def _say_merged(
    workspace: IdentityWorkspace, claim: CaptureReading, person_id: str, absorbed: tuple[str, ...], version: int
) -> None:
    interaction = claim.capture.interaction
    kinds = " and ".join(dict.fromkeys(one.kind.value for one in claim.identifiers))
    names = f"{kinds} together" if not claim.previous else f"{kinds} and the name before"
    workspace.said.append(
        PersonMerged(
            meta=following(claim.capture, PersonMerged.wire_name, person_id),
            person_id=person_id,
            absorbed_person_ids=absorbed,
            fragment_ids=tuple(oldest_first(workspace.graph.person(person_id))),
            graph_version=version,
            strength=claim.strength,
            sentence=(
                f"{interaction.kind.value.capitalize()} {interaction.interaction_id} named {names}"
                f" ({claim.strength.value})."
            ),
        )
    )
