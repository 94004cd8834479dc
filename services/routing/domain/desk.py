"""The desk at which a transaction works: what it needs of the store, what it changes, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from contracts.envelope import Event
from contracts.values import Receipt
from people_kernel.placements import Placement, placements_at_rest
from services.routing.domain.referral import ASKED, Offer, Outcome, Referral
from services.routing.domain.reps import Rep
from services.routing.domain.rules import RoutingRules


@dataclass
class Desk:
    """`referrals` are all of everybody concerned, live and past. `credits`: by (team, rep). `owners`: account -> rep."""

    rules: RoutingRules
    reps: Mapping[str, Rep]
    load: dict[str, int] = field(default_factory=dict)
    credits: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    referrals: dict[str, Referral] = field(default_factory=dict)
    offers: dict[tuple[str, int], Offer] = field(default_factory=dict)
    regrouped: set[str] = field(default_factory=set)  # fragments that a merge or split named
    known_referrals: Mapping[str, Referral] = field(default_factory=dict)
    known_offers: Mapping[tuple[str, int], Offer] = field(default_factory=dict)
    known_credits: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)
    known_placements: Mapping[str, Placement] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    alarms: dict[str, datetime | None] = field(default_factory=dict)
    load_moves: dict[str, int] = field(default_factory=dict)
    """What the decisions made of `load`: rep -> how many more, or less."""
    has_room_again: bool = False
    """Somebody with a capacity has one referral less: those who wait may be asked about."""

    def opened(self) -> Desk:
        """Remembers how things stand, so that only what changes is written."""
        self.known_referrals, self.known_offers = dict(self.referrals), dict(self.offers)
        self.known_credits, self.known_placements = dict(self.credits), dict(self.placements)
        return self

    def put(self, referral: Referral) -> Referral:
        """The referral as it stands now; room is taken and given back."""
        before = self.referrals.get(referral.referral_id)
        if before is not None and before.takes_room:
            self._move_load(before.rep_id, -1)
        if referral.takes_room:
            self._move_load(referral.rep_id, 1)
        self.referrals[referral.referral_id] = referral
        self.alarms[referral.referral_id] = referral.due_at if referral.state in ASKED else None
        return referral

    def offer_in_hand(self, referral: Referral) -> Offer | None:
        """The offer that `referral` stands at."""
        return self.offers.get((referral.referral_id, referral.attempt))

    def put_offer(self, offer: Offer) -> None:
        self.offers[offer.referral_id, offer.attempt] = offer

    def end_offer(
        self, referral: Referral, outcome: Outcome, at: datetime, by: str | None = None, words: tuple[str | None, str | None] = (None, None)
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

    def _move_load(self, rep_id: str | None, by: int) -> None:
        if rep_id is None:
            return
        self.load[rep_id] = self.load.get(rep_id, 0) + by
        self.load_moves[rep_id] = self.load_moves.get(rep_id, 0) + by
        rep = self.reps.get(rep_id)
        if by < 0 and rep is not None and rep.capacity is not None:
            self.has_room_again = True

    @property
    def changed_referrals(self) -> list[Referral]:
        return [referral for key, referral in self.referrals.items() if self.known_referrals.get(key) is not referral]

    @property
    def changed_offers(self) -> list[Offer]:
        return [offer for key, offer in self.offers.items() if self.known_offers.get(key) is not offer]

    @property
    def changed_credits(self) -> dict[tuple[str, str], Fraction]:
        return {key: credit for key, credit in self.credits.items() if self.known_credits.get(key) != credit}

    @property
    def changed_placements(self) -> dict[str, Placement]:
        changed = {key: placement for key, placement in self.placements.items() if self.known_placements.get(key) != placement}
        referred = {referral.person_id for referral in self.referrals.values()}
        return placements_at_rest(changed, self.known_placements, referred, self.regrouped)
