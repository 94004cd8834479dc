"""The unit of work: referrals with their offers, and the reps who may be asked, as they were loaded and as a batch or a
request leaves them.

A referral is one person, one entry into a stage, and the reps who were asked about it, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from people_kernel.people import Card, Placement
from people_kernel.workspace import Pages, PlacedWorkspace
from services.routing.domain.assignment import Ground, Rep, RepSearch, RoutingRules

OFFER_EXPIRED = "offer-expired"
"""One timer per referral: its offer runs out."""
REFERRALS_WAITING = "referrals-waiting"
"""One timer for all: those whom nobody is asked about may have somebody to be asked now."""
EVERYBODY = "all"
"""The key of that one timer."""


class State(StrEnum):
    """Where a referral stands."""

    OFFERED = "offered"  # a rep is asked
    SEEN = "seen"  # they looked at it
    ACCEPTED = "accepted"  # they take care of this person
    UNASSIGNED = "unassigned"  # nobody could be asked, or everybody was: any rep may take it
    RETURNED = "returned"  # a rep gave the person back, and lifecycle acts on the reason
    CLOSED = "closed"  # the person moved on by other means, or is one with somebody who is referred already


ASKED = frozenset({State.OFFERED, State.SEEN})
WAITING = ASKED | {State.UNASSIGNED}
LIVE = WAITING | {State.ACCEPTED}


class Outcome(StrEnum):
    """What became of one offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REASSIGNED = "reassigned"


@dataclass(frozen=True, slots=True)
class Referral:
    """`fragment_id` is what it hangs on; `person_id` who that belongs to by `graph_version`.

    `rep_id` is who has it now.

    `card` and `move` are what was known, and why the stage was entered, when it came about.
    """

    referral_id: str
    fragment_id: str
    person_id: str
    graph_version: int
    stage: str
    state: State
    card: Card
    ground: Ground
    created_at: datetime
    account_id: str | None = None
    move: str = ""  # the receipt of the stage move, as JSON: it is only ever passed on
    rep_id: str | None = None
    attempt: int = 0
    asked: tuple[str, ...] = ()
    offered_at: datetime | None = None
    due_at: datetime | None = None
    stage_due_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_rep_id: str | None = None  # stays when the person was given back: who took care of them before
    is_overdue: bool = False
    is_settled: bool = False  # accepted, and the person is in a stage that takes no room
    closed_at: datetime | None = None
    closed_because: str | None = None
    merged_into: str | None = None

    @property
    def is_test(self) -> bool:
        return self.card.is_test

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def takes_room(self) -> bool:
        """It counts for the capacity of the rep who has it. Tests take no room of real people."""
        return (
            self.rep_id is not None
            and self.state in ASKED | {State.ACCEPTED}
            and not self.is_settled
            and not self.is_test
        )

    def deadline(self, now: datetime) -> datetime:
        """For an answer: the rulebook's time from now on, and never beyond the stage's own clock while that runs."""
        due_at = now + self.ground.asking.answer_within
        stage_due_at = self.stage_due_at
        return due_at if stage_due_at is None or stage_due_at <= now else min(due_at, stage_due_at)


@dataclass(frozen=True, slots=True)
class Offer:
    """One rep asked. `note` and `reason` are the rep's own words; `by` is who answered, None for a clock."""

    referral_id: str
    attempt: int
    rep_id: str
    offered_at: datetime
    due_at: datetime | None
    outcome: Outcome = Outcome.OPEN
    seen_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    note: str | None = None
    by: str | None = None


@dataclass(slots=True, kw_only=True)
class RoutingWorkspace(PlacedWorkspace):
    """`referrals` are all of everybody concerned, live and past; `offers` by (referral, attempt), `credits` by (team,
    rep); `owners`: account -> rep.

    `load` is how many referrals take room of a rep, `load_moves` what the decisions
    made of it: rep -> how many more, or less.
    """

    rules: RoutingRules
    now: datetime
    reps: Mapping[str, Rep] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=dict)
    load_moves: dict[str, int] = field(default_factory=dict)
    credits: Pages[tuple[str, str], Fraction] = field(default_factory=Pages)
    referrals: Pages[str, Referral] = field(default_factory=Pages)
    offers: Pages[tuple[str, int], Offer] = field(default_factory=Pages)

    def put(self, referral: Referral) -> Referral:
        """The referral as it stands now; room is taken and given back."""
        before = self.referrals.get(referral.referral_id)
        if before is not None and before.takes_room:
            self._move_load(before.rep_id, -1)
        if referral.takes_room:
            self._move_load(referral.rep_id, 1)
        self.referrals[referral.referral_id] = referral
        if referral.due_at is not None and referral.state in ASKED:
            self.set_timer(OFFER_EXPIRED, referral.referral_id, referral.due_at)
        else:
            self.cancel_timer(OFFER_EXPIRED, referral.referral_id)
        return referral

    def offer_in_hand(self, referral: Referral) -> Offer | None:
        """The offer that `referral` stands at."""
        return self.offers.get((referral.referral_id, referral.attempt))

    def put_offer(self, offer: Offer) -> None:
        self.offers[offer.referral_id, offer.attempt] = offer

    def end_offer(
        self,
        referral: Referral,
        outcome: Outcome,
        at: datetime,
        by: str | None = None,
        words: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """What became of the offer in hand; `words` are reason and note."""
        offer = self.offer_in_hand(referral)
        if offer is not None:
            reason, note = words
            self.put_offer(replace(offer, outcome=outcome, ended_at=at, by=by, reason=reason, note=note))

    def rep_name(self, rep_id: str | None) -> str:
        """How to call a rep in a sentence."""
        rep = self.reps.get(rep_id or "")
        return "nobody" if rep_id is None else rep_id if rep is None else rep.name

    def of_person(self, person_id: str) -> list[Referral]:
        """All of one person's, the oldest first."""
        owned = (referral for referral in self.referrals.values() if referral.person_id == person_id)
        return sorted(owned, key=lambda referral: (referral.created_at, referral.referral_id))

    def live_of(self, person_id: str) -> Referral | None:
        """The one that is not over; there is one at most."""
        return next((referral for referral in self.of_person(person_id) if referral.is_live), None)

    def credits_of(self, team: str) -> dict[str, Fraction]:
        """Of one team's rotation."""
        return {rep_id: credit for (name, rep_id), credit in self.credits.items() if name == team}

    def search_for(self, referral: Referral, account: str) -> RepSearch:
        """All that the choice of the next rep depends on; `account` is what to call the company."""
        earlier = [
            past.accepted_rep_id for past in self.of_person(referral.person_id) if past.accepted_rep_id is not None
        ]
        team = referral.ground.asking.team
        return RepSearch(
            team=team,
            reps=self.reps,
            load=self.load,
            credits=self.credits_of(team),
            asked=frozenset(referral.asked),
            owner_id=self.owners.get(referral.account_id or ""),
            account=account,
            earlier_id=earlier[-1] if earlier else None,
        )

    def follow_fragments(self, fragment_ids: Iterable[str]) -> None:
        """Referrals on these fragments belong to who owns them."""
        named = set(fragment_ids)
        for referral in list(self.referrals.values()):
            owner = self.placements.get(referral.fragment_id)
            # compared with the referral, not with what is news: two streams tell of one grouping
            if referral.fragment_id in named and owner is not None and owner.person_id != referral.person_id:
                self.put(replace(referral, person_id=owner.person_id, graph_version=owner.graph_version))

    def changed_placements(self) -> dict[str, Placement]:
        """Those that must be written: of people who are referred, and what a merge or split said."""
        return self.placements_to_write({referral.person_id for referral in self.referrals.values()})

    def _move_load(self, rep_id: str | None, by: int) -> None:
        if rep_id is None:
            return
        self.load[rep_id] = self.load.get(rep_id, 0) + by
        self.load_moves[rep_id] = self.load_moves.get(rep_id, 0) + by
        rep = self.reps.get(rep_id)
        if by < 0 and rep is not None and rep.capacity is not None:
            # there is room again: those who wait may be asked about
            self.set_timer(REFERRALS_WAITING, EVERYBODY, self.now)
