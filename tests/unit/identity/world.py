"""A small world for stories about who is who: captures to tell, and a memory that keeps what the domain decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import Event, Meta
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import InteractionRecognized
from contracts.ids import hash_id
from contracts.values import (
    AccountClaim,
    CandidateStatus,
    Consent,
    ConsentChannel,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    SourceKind,
)
from people_kernel.consent import StatementKey, answers
from semantics.capture import read_captures
from semantics.consent import ConsentClaim
from services.identity.domain.accounts import Account, AccountPages
from services.identity.domain.consent import ConsentPages, FragmentConsent, RecordedConsent, record_consent
from services.identity.domain.fragments import Fragment, Link, LinkRefusal, mark_as_test
from services.identity.domain.links import HumanDecision, Regrouping, merge_by_hand, split_by_hand
from services.identity.domain.proposals.candidates import Candidate, CandidateDecision, CandidatePages, decided
from services.identity.domain.recognition import RecognitionRules, recognize
from services.identity.domain.workspace import Graph, IdentityWorkspace, told_apart

DAWN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def a_capture(
    number: int, *, account: AccountClaim | None = None, previous: str | None = None, **told: Any
) -> InteractionReceived:
    """The capture received `number` seconds after dawn.

    `told`: user_id, email, phone, anonymous_id; kind, name, server, traits, context, flags, is_test, at, occurred_at.
    """
    at = told.pop("at", DAWN + timedelta(seconds=number))
    about = {name: told.pop(name) for name in ("name", "context", "flags", "occurred_at") if name in told}
    is_server, traits, is_test = told.pop("server", False), told.pop("traits", {}), told.pop("is_test", False)
    kind = told.pop("kind", InteractionKind.ALIAS if previous else InteractionKind.TRACK)
    event_id = hash_id("evt", str(number))
    happened: dict[str, Any] = {"name": "Something Done", "occurred_at": at} | about
    interaction = Interaction(
        interaction_id=event_id.replace("evt", "int"),
        kind=kind,
        source_id="src_server" if is_server else "src_web",
        source_kind=SourceKind.SERVER if is_server else SourceKind.WEB,
        message_id=f"m{number}",
        received_at=at,
        traits=traits,
        account=account,
        is_test=is_test,
        **happened,
    )
    identifiers = tuple(
        Identifier(kind=kind, value=told[kind.value]) for kind in IdentifierKind if told.get(kind.value)
    )
    meta = Meta(event_id=event_id, at=at, correlation_id=event_id)
    return InteractionReceived(meta=meta, interaction=interaction, identifiers=identifiers, previous_id=previous)


@dataclass
class World:
    """Keeps fragments, links (cut ones too) and accounts as a store would, and everything that was said."""

    rules: RecognitionRules = field(default_factory=RecognitionRules)
    fragments: dict[str, Fragment] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    refusals: dict[str, LinkRefusal] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)
    consents: dict[StatementKey, FragmentConsent] = field(default_factory=dict)
    statements: list[FragmentConsent] = field(default_factory=list)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    acts: int = 0

    def hears(self, *captures: InteractionReceived) -> World:
        workspace = IdentityWorkspace(
            graph=Graph(self.fragments.values(), self.links.values()),
            accounts=AccountPages(self.accounts.values()),
            consents=ConsentPages(self.consents.values()),
            candidates=CandidatePages(self.candidates.values(), self._waiting()),
        )
        by_people, by_robots = told_apart(captures)
        workspace.withhold(by_robots)
        recognize(workspace, read_captures(by_people, self.rules.region), self.rules)
        self._keep(workspace.graph.fragments.changed.values(), workspace.graph.links.changed.values())
        self.accounts |= workspace.accounts.changed
        self.candidates |= workspace.candidates.changed
        self.refusals |= {refusal.refusal_id: refusal for refusal in workspace.refusals}
        self.remarks += [f"{one.remark.kind.value}: {one.remark.reason}" for one in workspace.remarks]
        self._take(workspace.consents)
        self.statements += workspace.statements
        self.said += workspace.said
        return self

    def marks(self, person_id: str, *, is_test: bool = True) -> World:
        """A human says that this person is a test, or is none."""
        came = mark_as_test(self.parts(person_id), is_test=is_test, by="usr_ada", at=self._act().at)
        self._keep(came.fragments, ())
        self.said += came.said
        return self

    def records(self, person_id: str, channel: ConsentChannel, consent: Consent, wording: str | None = None) -> World:
        """A human records what a person told them."""
        word = RecordedConsent(ConsentClaim(channel, consent, wording), by="usr_ada", at=self._act().at)
        known = ConsentPages(self.consents_of(person_id))
        stated, said = record_consent(self.parts(person_id), known, word)
        self._take(known)
        self.statements.append(stated)
        self.said += said
        return self

    def consents_of(self, person_id: str) -> list[FragmentConsent]:
        own = {one.fragment_id for one in self.parts(person_id)}
        return [one for one in self.consents.values() if one.fragment_id in own]

    def consent(self, **named: str) -> dict[str, str]:
        """What holds for whoever goes by `named`, by channel."""
        return {
            channel.value: one.consent.value for channel, one in answers(self.consents_of(self.person(**named))).items()
        }

    def pending(self, **named: str) -> dict[str, str]:
        """By channel, the interaction of a grant that waits while a withdrawal stands."""
        told = answers(self.consents_of(self.person(**named))).items()
        return {channel.value: one.pending.interaction_id for channel, one in told if one.pending is not None}

    def merges(self, one_id: str, other_id: str) -> str:
        """A human says that the two are one; returns the link."""
        came = merge_by_hand(self.parts(one_id), self.parts(other_id), self._act())
        self._keep(came.fragments, came.new_links)
        self.said += came.said
        return came.new_links[0].link_id

    def cuts(self, *link_ids: str) -> Regrouping:
        """A human cuts links of one person."""
        cut = [self.links[link_id] for link_id in link_ids]
        person_id = self.fragments[cut[0].left_id].person_id
        came = split_by_hand(self.parts(person_id), self.links_of(person_id), cut, self._act())
        self._keep(came.fragments, came.cut_links)
        self.said += came.said
        return came

    def person(self, **named: str) -> str:
        """The person who goes by `named` now."""
        ((kind, value),) = named.items()
        return next(one.person_id for one in self.fragments.values() if (one.kind, one.value) == (kind, value))

    def fragment(self, **named: str) -> Fragment:
        ((kind, value),) = named.items()
        return next(one for one in self.fragments.values() if (one.kind, one.value) == (kind, value))

    def parts(self, person_id: str) -> list[Fragment]:
        return [one for one in self.fragments.values() if one.person_id == person_id]

    def links_of(self, person_id: str) -> list[Link]:
        own = {one.fragment_id for one in self.parts(person_id)}
        return [link for link in self.links.values() if link.is_live and link.left_id in own]

    def heard(self, event_type: type[Event]) -> list[Any]:
        return [event for event in self.said if type(event) is event_type]

    def recognized(self) -> list[InteractionRecognized]:
        return self.heard(InteractionRecognized)

    def names(self) -> set[frozenset[tuple[str | None, str | None]]]:
        """Who is one person with whom, by names alone."""
        people: dict[str, set[tuple[str | None, str | None]]] = {}
        for one in self.fragments.values():
            people.setdefault(one.person_id, set()).add((one.kind, one.value))
        return {frozenset(group) for group in people.values()}

    def review(self) -> set[frozenset[str]]:
        """The pairs of people that wait for a human."""
        return {
            frozenset(self.fragments[one].person_id for one in candidate.pair)
            for candidate in self.candidates.values()
            if candidate.is_open
        }

    def rejects(self, candidate_id: str) -> World:
        """A human says that two are two."""
        act, one = self._act(), self.candidates[candidate_id]
        people = (self.fragments[one.left_id].person_id, self.fragments[one.right_id].person_id)
        decision = CandidateDecision(act.by, act.at, act.reason)
        self.candidates[candidate_id], event = decided(one, CandidateStatus.REJECTED, decision, people)
        self.said.append(event)
        return self

    def _waiting(self) -> Counter[str]:
        return Counter(one.source_id or "" for one in self.candidates.values() if one.is_open)

    def _keep(self, fragments: Iterable[Fragment], links: Iterable[Link]) -> None:
        self.fragments |= {one.fragment_id: one for one in fragments}
        self.links |= {link.link_id: link for link in links}

    def _take(self, known: ConsentPages) -> None:
        self.consents |= known.changed

    def _act(self) -> HumanDecision:
        self.acts += 1
        return HumanDecision(by="usr_ada", at=DAWN + timedelta(days=self.acts), reason="they said so")
