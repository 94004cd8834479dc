"""Two people who may be one: what was claimed and no machine joins, kept for a human to decide.

A pair is kept once, however many claims name the two, and by whichever of their names. It is bounded at each person and
for each source; what servers say has its own room. Nothing of it depends on manual links, as nothing does that machines
decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.envelope import beginning
from contracts.events.identity import CandidateDecided
from contracts.ids import derive_id, hash_id
from contracts.values import CandidateStatus, Strength
from people_kernel.workspace import Pages

CANDIDATES: Final = 50
"""Pairs kept for review at one person: of what strangers claim, and once more of what servers say. More than a human
compares of one person is a kiosk or an attack.
"""

CANDIDATES_OF_SOURCE: Final = 5_000
"""Pairs that one source's claims may have waiting: a day's work of several people. What is beyond is counted among the
refusals of the two, and proposed when it is claimed again and there is room.
"""

CANDIDATE_CLAIMS: Final = 20
"""Different claims that explain one pair, the first; each with how often it was made."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CandidateClaim:
    """That some source named two fragments together: first and last, by which captures, and how often."""

    left_id: str
    right_id: str
    strength: Strength
    source_id: str | None  # None: of before sources were kept with links
    first_evidence_id: str
    first_at: datetime
    last_evidence_id: str
    last_at: datetime
    times: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        return self.left_id, self.right_id, self.strength.value, self.source_id or ""

    def again(self, other: CandidateClaim) -> CandidateClaim:
        """Both together."""
        first = min(self, other, key=lambda one: (one.first_at, one.first_evidence_id))
        last = max(self, other, key=lambda one: (one.last_at, one.last_evidence_id))
        return replace(
            first,
            last_evidence_id=last.last_evidence_id,
            last_at=last.last_at,
            times=self.times + other.times,
        )


@dataclass(frozen=True, slots=True)
class CandidateDecision:
    """Who decided, when and why; `link_id` of the merge."""

    by: str
    at: datetime
    reason: str
    link_id: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair of people, by the two fragments that were first claimed together, left id < right id."""

    candidate_id: str
    left_id: str
    right_id: str
    reason: str
    strength: Strength  # the best of its claims
    source_id: str | None  # of the first
    first_at: datetime
    last_at: datetime
    times: int
    claims: tuple[CandidateClaim, ...]
    status: CandidateStatus = CandidateStatus.OPEN
    decision: CandidateDecision | None = None

    @property
    def pair(self) -> Pair:
        return self.left_id, self.right_id

    @property
    def fragment_ids(self) -> set[str]:
        """All that it speaks of."""
        return {*self.pair, *(one for claim in self.claims for one in (claim.left_id, claim.right_id))}

    @property
    def is_open(self) -> bool:
        return self.status is CandidateStatus.OPEN

    def with_claim(self, claim: CandidateClaim) -> Candidate:
        """One more claim; of a different one beyond the bound only the count is kept."""
        known = {one.key: one for one in self.claims}
        if (before := known.get(claim.key)) is not None:
            known[claim.key] = before.again(claim)
        elif len(known) < CANDIDATE_CLAIMS:
            known[claim.key] = claim
        is_better = claim.strength is Strength.VERIFIED
        return replace(
            self,
            claims=tuple(known.values()),
            times=self.times + claim.times,
            strength=claim.strength if is_better else self.strength,
            first_at=min(self.first_at, claim.first_at),
            last_at=max(self.last_at, claim.last_at),
        )


class CandidatePages(Pages[str, Candidate]):
    """The candidates at some people, and how many of each source wait for review."""

    __slots__ = ("_at", "waiting")

    def __init__(self, loaded: Iterable[Candidate] = (), waiting: Mapping[str, int] | None = None) -> None:
        known = {one.candidate_id: one for one in loaded}
        super().__init__(known)
        self.waiting = Counter(waiting or {})
        self._at: dict[str, set[str]] = {}
        for one in known.values():
            self._index(one)

    def propose(self, here: Collection[str], there: Collection[str], reason: str, claim: CandidateClaim) -> bool:
        """That these two sides (each all fragments that machines join) may be one; True where that is news."""
        known = self.between(here, there)
        if known is not None:
            if known.is_open:
                self[known.candidate_id] = known.with_claim(claim)
            return False
        if not self._has_room(claim, here, there):
            return False
        one = _first(claim, reason)
        self[one.candidate_id] = one
        self._index(one)
        self.waiting[claim.source_id or ""] += 1
        return True

    def between(self, here: Collection[str], there: Collection[str]) -> Candidate | None:
        """What is known of the two; a decision goes before what waits, then the oldest counts."""
        beyond = set(there)
        found = [one for one in self._touching(here) if not beyond.isdisjoint(one.pair)]
        return min(found, key=lambda one: (one.is_open, one.first_at, one.candidate_id), default=None)

    def _has_room(self, claim: CandidateClaim, *sides: Collection[str]) -> bool:
        if claim.strength is not Strength.VERIFIED and self.waiting[claim.source_id or ""] >= CANDIDATES_OF_SOURCE:
            return False
        alike = (sum(one.is_open and one.strength is claim.strength for one in self._touching(side)) for side in sides)
        return max(alike) < CANDIDATES

    def _touching(self, side: Collection[str]) -> list[Candidate]:
        ids = {candidate_id for one in side for candidate_id in self._at.get(one, ())}
        return [self[candidate_id] for candidate_id in sorted(ids)]

    def _index(self, one: Candidate) -> None:
        for fragment_id in one.pair:
            self._at.setdefault(fragment_id, set()).add(one.candidate_id)


def _first(claim: CandidateClaim, reason: str) -> Candidate:
    return Candidate(
        candidate_id=hash_id("cnd", claim.left_id, claim.right_id),
        left_id=claim.left_id,
        right_id=claim.right_id,
        reason=reason,
        strength=claim.strength,
        source_id=claim.source_id,
        first_at=claim.first_at,
        last_at=claim.last_at,
        times=claim.times,
        claims=(claim,),
    )


def decided(
    candidate: Candidate, status: CandidateStatus, decision: CandidateDecision, people: Pair
) -> tuple[Candidate, CandidateDecided]:
    """The candidate as a human decided it, and what is said of it; `people` are the two at that moment."""
    event_id = derive_id(
        "evt", decision.at, CandidateDecided.wire_name, candidate.candidate_id, decision.by, status.value
    )
    event = CandidateDecided(
        meta=beginning(event_id, decision.at),
        candidate_id=candidate.candidate_id,
        status=status,
        person_ids=people,
        fragment_ids=candidate.pair,
        decided_by=decision.by,
        reason=decision.reason,
        link_id=decision.link_id,
    )
    return replace(candidate, status=status, decision=decision), event
