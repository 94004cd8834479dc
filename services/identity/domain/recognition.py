"""Give each captured interaction to a person: a fold over captures in their order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.envelope import Event, Meta, each_following, following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import ConsentChanged, InteractionRecognized, PersonCreated, PersonMerged
from contracts.ids import derive_id, hash_id
from contracts.values import Identifier, IdentifierKind, Strength
from services.identity.domain.accounts import Account, AccountBook
from services.identity.domain.answers import Answer, AnswerBook, answer_of, consent_changed
from services.identity.domain.claims import Claim
from services.identity.domain.graph import Fragment, Graph, Link, Refusal, account_of, is_known, oldest_first, pair_of, person_of
from services.identity.domain.marking import is_test_person
from services.identity.domain.normalise import Remark
from services.identity.domain.policy import Join, Limits, Proposal, Refuse, Seen, judge


@dataclass(frozen=True, slots=True)
class Rules:
    """What an installation decides: the region of bare phone numbers, and how much machines may gather."""

    region: str = "US"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about everyone a batch of claims could concern: whole people, with the links between the named fragments
    and every automatic link that a human cut; and what was answered on the fragments of claims that speak of consent."""

    fragments: Sequence[Fragment] = ()
    links: Sequence[Link] = ()
    accounts: Sequence[Account] = ()
    answers: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class FragmentRemark:
    """A remark on what a capture of this fragment carried."""

    fragment_id: str
    interaction_id: str
    remark: Remark
    at: datetime


@dataclass(slots=True)
class Recognition:
    """What came of a batch: rows to be saved, and what is to be said, in an order that can be folded in one pass."""

    new_fragments: list[Fragment] = field(default_factory=list)
    changed_fragments: list[Fragment] = field(default_factory=list)
    new_links: list[Link] = field(default_factory=list)
    changed_links: list[Link] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    remarks: list[FragmentRemark] = field(default_factory=list)
    new_accounts: list[Account] = field(default_factory=list)
    changed_accounts: list[Account] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    searched: dict[str, str] = field(default_factory=dict)  # person id -> text, where it may have become another
    said: list[Event] = field(default_factory=list)


def recognize(known: Known, claims: Sequence[Claim], rules: Rules) -> Recognition:
    """Fold `claims` over what is known. Neither argument is changed."""
    folding = _Folding(known, rules.limits)
    metas = each_following([claim.capture for claim in claims], InteractionRecognized.wire_name)
    for claim, meta in zip(claims, metas, strict=True):
        folding.apply(claim, meta)
    return folding.outcome()


class _Folding:
    """The state between two claims of one batch."""

    def __init__(self, known: Known, limits: Limits) -> None:
        self._graph = Graph(known.fragments, known.links)
        self._book = AccountBook(known.accounts)
        self._answers = AnswerBook(known.answers)
        self._limits = limits
        self._regrouped: dict[str, None] = {}
        self._out = Recognition()

    def apply(self, claim: Claim, meta: Meta) -> None:
        """`meta` is for telling that it was recognized."""
        named = self._fragments_of(claim)
        anchor_id = named[0].fragment_id
        if len(named) > 1 or named[0].graph_version == 0:  # else nothing is new of anybody
            self._group(claim, named)
        account_id = self._account(claim, anchor_id)
        anchor = self._graph.fragments[anchor_id]
        self._say_recognized(meta, claim, anchor, account_id)
        self._hear_consent(claim, anchor)
        for remark in claim.remarks:
            self._out.remarks.append(FragmentRemark(anchor_id, claim.capture.interaction.interaction_id, remark, claim.capture.meta.at))

    def outcome(self) -> Recognition:
        graph, book, out = self._graph, self._book, self._out
        out.new_fragments = [graph.fragments[one] for one in graph.created]
        out.changed_fragments = [graph.fragments[one] for one in graph.changed]
        out.new_links = [graph.links[pair] for pair in graph.linked]
        out.changed_links = [graph.links[pair] for pair in graph.relinked if pair not in graph.linked]
        out.new_accounts = [book.accounts[one] for one in book.created]
        out.changed_accounts = [book.accounts[one] for one in book.changed]
        out.answers = self._answers.changed
        out.searched = graph.searched(self._regrouped)
        return out

    def _fragments_of(self, claim: Claim) -> list[Fragment]:
        """The fragments that the claim names, strongest first, an alias's previous name last; never empty."""
        named = [self._graph.find(one.kind, one.value) or self._create(claim, one) for one in claim.identifiers]
        if claim.previous:
            known = (self._graph.find(one.kind, one.value) for one in claim.previous)
            previous = next((one for one in known if one is not None), None) or self._create(claim, claim.previous[0])
            named += [] if previous in named else [previous]
        return named or [self._create(claim, None)]

    def _create(self, claim: Claim, named: Identifier | None) -> Fragment:
        capture = claim.capture
        cause = ("capture", capture.meta.event_id) if named is None else (named.kind.value, named.value)
        fragment_id = derive_id("frg", capture.meta.at, *cause)
        account_id = None
        if named is not None and named.kind is IdentifierKind.EMAIL:
            account_id, said = self._book.of_email(named.value, capture)
            self._out.said += said
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
        self._graph.add(fragment)
        return fragment

    def _group(self, claim: Claim, named: Sequence[Fragment]) -> None:
        """Link what is named together, strongest with each other one, and tell what became of their people."""
        before = {one.fragment_id: (one.person_id, one.graph_version) for one in named}
        known = self._known_among(named)
        anchor, *others = before
        for other in others:
            self._consider(claim, anchor, other)
        self._regroup(claim, before, known)

    def _consider(self, claim: Claim, one_id: str, other_id: str) -> None:
        one, other = self._graph.fragments[one_id], self._graph.fragments[other_id]
        capture, pair = claim.capture, pair_of(one_id, other_id)
        # an alias is exempt for two user ids only: through a shared device it would join two people who both signed up there
        is_alias = bool(claim.previous) and one.kind == other.kind == IdentifierKind.USER_ID
        match judge(self._graph, Proposal(one, other, claim.strength, is_alias), self._limits):
            case Join():
                link_id = derive_id("lnk", capture.meta.at, *pair)
                self._graph.add_link(Link(link_id, *pair, claim.strength, capture.meta.event_id, capture.meta.at))
                self._graph.join(one_id, other_id, claim.strength)
            case Seen() if claim.strength is Strength.VERIFIED:
                self._graph.believe(pair, capture.meta.event_id, capture.meta.at)
            case Refuse(reason):
                refusal_id = hash_id("rfs", *pair)  # one per pair: a shared device repeats it with every page
                refusal = Refusal(refusal_id, *pair, reason.value, claim.strength, capture.meta.event_id, capture.meta.at)
                self._out.refusals.append(refusal)

    def _known_among(self, named: Sequence[Fragment]) -> set[str]:
        """The people of these fragments who go by a name already: nothing can change about that while only one fragment is named."""
        if len(named) == 1:
            return set()
        people = {one.person_id for one in named if one.graph_version > 0}
        return {person_id for person_id in people if is_known(self._graph.person(person_id))}

    def _regroup(self, claim: Claim, before: dict[str, tuple[str, int]], known: Collection[str]) -> None:
        """Tell what became of the people whose fragments were named: `before` gives each fragment's person and version; `known` were told of.

        That somebody was seen is told once they go by a name. Until then nobody can do anything with it, and most never do.
        """
        people: dict[str, dict[str, int]] = {}
        for fragment_id, (person_id, version) in before.items():
            people.setdefault(self._graph.fragments[fragment_id].person_id, {})[person_id] = version
        for person_id, parts in people.items():
            if parts.get(person_id, 0) > 0 and len(parts) == 1:
                continue  # as it was
            self._regrouped |= dict.fromkeys((person_id, *parts))
            version = max(parts.values()) + 1
            fragments = self._graph.person(person_id)
            for fragment in fragments:
                self._graph.change(fragment.fragment_id, graph_version=version)
            existing = sorted(part for part, part_version in parts.items() if part_version > 0)
            if person_id not in known and is_known(fragments):
                self._say_created(claim, person_id, version)
            absorbed = tuple(part for part in existing if part != person_id)
            if absorbed:
                self._say_merged(claim, person_id, absorbed, version)

    def _account(self, claim: Claim, anchor_id: str) -> str | None:
        """The account this interaction claims, else the person's."""
        claimed = claim.capture.interaction.account
        if claimed is not None:
            emails = [one.value for one in claim.identifiers if one.kind is IdentifierKind.EMAIL]
            account_id, said = self._book.of_claim(claimed, emails, claim.capture, is_verified=claim.strength is Strength.VERIFIED)
            self._out.said += said
            if account_id is not None:
                self._note_account(self._graph.fragments[anchor_id], account_id, claim.capture)
                return account_id
        return self._book.current(account_of(self._graph.person(self._graph.fragments[anchor_id].person_id)))

    def _note_account(self, anchor: Fragment, account_id: str, capture: InteractionReceived) -> None:
        known_at = anchor.account_claimed_at
        if known_at is None or known_at < capture.meta.at:
            self._graph.change(anchor.fragment_id, account_id=account_id, account_claimed_at=capture.meta.at)

    def _hear_consent(self, claim: Claim, anchor: Fragment) -> None:
        for statement in claim.statements:
            answer = answer_of(statement, anchor.fragment_id, claim.capture.interaction, claim.strength)
            if self._answers.take(answer):
                meta = following(claim.capture, ConsentChanged.wire_name, statement.channel.value)
                self._out.said.append(consent_changed(meta, anchor, answer))

    def _say_recognized(self, meta: Meta, claim: Claim, anchor: Fragment, account_id: str | None) -> None:
        self._out.said.append(
            InteractionRecognized(
                meta=meta,
                fragment_id=anchor.fragment_id,
                person_id=anchor.person_id,
                graph_version=anchor.graph_version,
                strength=claim.strength,
                identifiers=claim.identifiers,
                account_id=account_id,
                interaction=claim.capture.interaction,
            )
        )

    def _say_created(self, claim: Claim, person_id: str, version: int) -> None:
        fragments = self._graph.person(person_id)
        oldest = self._graph.fragments[oldest_first(fragments)[0]]
        self._out.said.append(
            PersonCreated(
                meta=following(claim.capture, PersonCreated.wire_name, person_id),
                person_id=person_id,
                fragment_id=oldest.fragment_id,
                graph_version=version,
                is_test=is_test_person(fragments),
                occurred_at=oldest.seen_at or oldest.created_at,
            )
        )

    def _say_merged(self, claim: Claim, person_id: str, absorbed: tuple[str, ...], version: int) -> None:
        interaction = claim.capture.interaction
        kinds = " and ".join(dict.fromkeys(one.kind.value for one in claim.identifiers))
        names = f"{kinds} together" if not claim.previous else f"{kinds} and the name before"
        self._out.said.append(
            PersonMerged(
                meta=following(claim.capture, PersonMerged.wire_name, person_id),
                person_id=person_id,
                absorbed_person_ids=absorbed,
                fragment_ids=tuple(oldest_first(self._graph.person(person_id))),
                graph_version=version,
                strength=claim.strength,
                sentence=f"{interaction.kind.value.capitalize()} {interaction.interaction_id} named {names} ({claim.strength.value}).",
            )
        )
