"""Who may see whom: by the rep who has somebody, by the account they belong to, and while nobody has them.

A lead is a rep's own who was asked about it or took it, until it goes to another; it is a team's when it is one of
theirs. Whom nobody has while they wait is everybody's. Of a person without any referral no rep has heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.routing.domain.referrals import MERGED
from services.routing.domain.workspace import ASKED, State


@dataclass(frozen=True, slots=True)
class RepSeat:
    """Where somebody sits who does not see everybody: the rep they are, and the teams they lead or belong to."""

    rep_id: str | None
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """One referral, as far as rights go. `accepted_rep_id` stays when the person was given back."""

    person_id: str
    state: State
    rep_id: str | None
    accepted_rep_id: str | None
    account_id: str | None
    closed_because: str | None
    created_at: datetime


def colleagues(seat: RepSeat, teams_of: Iterable[tuple[str, Iterable[str]]]) -> frozenset[str]:
    """The reps whose leads are seen from `seat`: itself, and all who share a team with it. `teams_of`: all reps."""
    known = {rep_id: frozenset(teams) for rep_id, teams in teams_of}
    shared = seat.teams | known.get(seat.rep_id or "", frozenset())
    near = {rep_id for rep_id, teams in known.items() if teams & shared}
    return frozenset(near if seat.rep_id is None else near | {seat.rep_id})


def may_see(standings: Iterable[Standing], reps: frozenset[str], accounts: frozenset[str]) -> bool:
    """Whether the person of these referrals, all they ever had, is seen by `reps` who own `accounts`."""
    newest_first = sorted(standings, key=lambda one: one.created_at, reverse=True)
    if any(one.state is State.UNASSIGNED or one.account_id in accounts for one in newest_first):
        return True
    if any(one.rep_id in reps and one.state in ASKED | {State.ACCEPTED} for one in newest_first):
        return True
    # who brought it to its end can take it up again, as long as nobody else was asked since
    last = next((one for one in newest_first if one.closed_because != MERGED), None)
    return last is not None and last.state is State.CLOSED and last.accepted_rep_id in reps
