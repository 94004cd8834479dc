"""Give each captured interaction to a person, one capture after the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from contracts.envelope import Meta, each_following, following
from contracts.events.identity import ConsentChanged, InteractionRecognized, PersonCreated, PersonMerged
from contracts.ids import derive_id, hash_id
from contracts.values import Belonging, Identifier, IdentifierKind, NamedBy, Strength
from semantics.capture import CaptureReading
from services.identity.domain.account_claims import naming_of
from services.identity.domain.accounts import AccountPages
from services.identity.domain.consent import consent_changed, consent_of, event_parts, hear
from services.identity.domain.fragments import (
    Fragment,
    Link,
    LinkRefusal,
    account_of,
    is_known,
    is_settled,
    is_test_person,
    oldest_first,
    pair_of,
    person_of,
)
from services.identity.domain.links import IdentifierLimits
from services.identity.domain.proposals.judgement import Join, LinkProposal, Refuse, SeenBefore, judge
from services.identity.domain.proposals.testimony import propose, told_by, vouch
from services.identity.domain.workspace import FragmentRemark, Graph, IdentityWorkspace


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
    if claim.strength is Strength.VERIFIED and not is_settled(named):
        named = vouch(workspace, claim, [one.fragment_id for one in named])
    if len(named) > 1 or named[0].graph_version == 0:  # else nothing is new of anybody
        _group(workspace, claim, named, limits)
    account_id, belonging = _account(workspace, claim, anchor_id)
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
            belonging=belonging,
        )
    )
    if claim.statements:
        _hear_consent(workspace, claim, anchor)
    for remark in claim.remarks:
        workspace.remarks.append(FragmentRemark(anchor_id, interaction.interaction_id, remark, claim.capture.meta.at))


def _fragments_of(workspace: IdentityWorkspace, claim: CaptureReading) -> list[Fragment]:
    """The fragments that the claim names, strongest first, then an alias's previous name and those under which a user
    id was kept before; never empty.
    """
    find = workspace.graph.find
    named = [find(one.kind, one.value) or _create(workspace, claim, one) for one in claim.identifiers]
    if claim.previous:
        known = [one for named_before in claim.previous if (one := find(named_before.kind, named_before.value))]
        named += [one for one in known[:1] or _created_before(workspace, claim) if one not in named]
    named += [one for former in claim.formerly if (one := find(former.kind, former.value)) and one not in named]
    return named or [_create(workspace, claim, None)]


def _created_before(workspace: IdentityWorkspace, claim: CaptureReading) -> list[Fragment]:
    """Of a previous name that nobody goes by: a user id, and the address that it is."""
    ids = [one for one in claim.previous if one.kind is not IdentifierKind.ANONYMOUS_ID]
    return [_create(workspace, claim, one) for one in ids or claim.previous]


def _create(workspace: IdentityWorkspace, claim: CaptureReading, named: Identifier | None) -> Fragment:
    capture = claim.capture
    cause = ("capture", capture.meta.event_id) if named is None else (named.kind.value, named.value)
    fragment_id = derive_id("frg", capture.meta.at, *cause)
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
        seen_at=capture.interaction.occurred_at,
    )
    if named is not None and named.kind is IdentifierKind.EMAIL:
        account_id, said = workspace.accounts.of_address(named.value, claim)
        workspace.said += said
        if account_id is not None:
            fragment = _naming(fragment, workspace.accounts, account_id, NamedBy.EMAIL, claim)
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
        cores = frozenset(workspace.graph.fragments[one].core for one in before)
        _consider(workspace, claim, (anchor, other), cores, limits)
    _regroup(workspace, claim, before, known)


def _consider(
    workspace: IdentityWorkspace,
    claim: CaptureReading,
    two: tuple[str, str],
    cores: frozenset[str],
    limits: IdentifierLimits,
) -> None:
    graph, capture, pair = workspace.graph, claim.capture, pair_of(*two)
    one, other = (graph.fragments[fragment_id] for fragment_id in two)
    # an alias is exempt for two user ids only: through a shared device it would
    # join two people who both signed up there
    is_foreign = _is_foreign(graph, claim, other)
    is_alias = bool(claim.previous or claim.formerly) and one.kind == other.kind == IdentifierKind.USER_ID
    proposal = LinkProposal(one, other, claim.strength, is_alias and not is_foreign, is_foreign, cores)
    match judge(graph, proposal, limits):
        case Join():
            former = graph.links.get(pair)  # one that gave way
            link_id = former.link_id if former else derive_id("lnk", capture.meta.at, *pair)
            evidence_id, at, source_id = capture.meta.event_id, capture.meta.at, capture.interaction.source_id
            graph.add_link(Link(link_id, *pair, claim.strength, evidence_id, at, source_id=source_id))
            graph.join(*two, claim.strength)
        case SeenBefore() if claim.strength is Strength.VERIFIED:
            graph.believe(pair, capture.meta.event_id, capture.meta.at)
        case Refuse(reason):
            refusal_id = hash_id("rfs", *pair)  # one per pair: a shared device repeats it with every page
            refusal = LinkRefusal(
                refusal_id, *pair, reason.value, claim.strength, capture.meta.event_id, capture.meta.at
            )
            workspace.refusals.append(refusal)
            propose(workspace, claim.capture, told_by(claim, pair), reason)


def _is_foreign(graph: Graph, claim: CaptureReading, other: Fragment) -> bool:
    """Whether an alias from a browser names somebody whom this browser never was. An address is no more than typed."""
    if claim.strength is Strength.VERIFIED or not claim.previous or "@" in (other.value or ""):
        return False
    if (other.kind, other.value) not in {(one.kind, one.value) for one in claim.previous}:
        return False
    own = [one for one in claim.identifiers if one.kind is IdentifierKind.ANONYMOUS_ID]
    devices = [one for named in own if (one := graph.find(named.kind, named.value)) is not None]
    if other.kind == IdentifierKind.ANONYMOUS_ID:
        return bool(devices) and other not in devices
    return all(one.cluster_id != other.cluster_id for one in devices)


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


def _account(
    workspace: IdentityWorkspace, claim: CaptureReading, anchor_id: str
) -> tuple[str | None, Belonging | None]:
    """The person's account after this interaction; and the one that it names, where that is believed more than what was
    named on the fragment before. An account that is repeated with every event is no news each time it is outranked.
    """
    graph, told = workspace.graph, None
    naming = naming_of(claim)
    if naming is not None:
        named_id, said = workspace.accounts.of_naming(naming, claim)
        workspace.said += said
        anchor = graph.fragments[anchor_id]
        named = _naming(anchor, workspace.accounts, named_id, naming.named_by, claim)
        if anchor.account_id is None or named.account_rank >= anchor.account_rank:  # an address seen first is as it is
            graph.fragments[anchor_id] = named
            told = Belonging(account_id=named_id, named_by=naming.named_by)
    account_id = account_of(graph.person(graph.fragments[anchor_id].person_id))
    return None if account_id is None else workspace.accounts.current(account_id), told


def _naming(
    fragment: Fragment, accounts: AccountPages, named_id: str, named_by: NamedBy, claim: CaptureReading
) -> Fragment:
    """The fragment with this account."""
    interaction = claim.capture.interaction
    return fragment._replace(
        account_id=accounts.current(named_id),
        named_account_id=named_id,
        account_claimed_at=interaction.occurred_at,
        account_named_by=named_by.value,
        account_strength=claim.strength.value,
        account_interaction_id=interaction.interaction_id,
    )


def _hear_consent(workspace: IdentityWorkspace, claim: CaptureReading, anchor: Fragment) -> None:
    # a server's grant counts for the names that servers vouch for: whom a visitor joined to it is not asked
    own = [one.fragment_id for one in workspace.graph.core(anchor.core)]
    for statement in claim.statements:
        stated = consent_of(statement, anchor.fragment_id, claim.capture.interaction, claim.strength)
        workspace.statements.append(stated)
        for told in hear(workspace.consents, stated, own):
            meta = following(claim.capture, ConsentChanged.wire_name, *event_parts(told, stated))
            fragment = workspace.graph.fragments[told.fragment_id]
            workspace.said.append(consent_changed(meta, fragment, told))


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
