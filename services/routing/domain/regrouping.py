"""Merges and splits: a referral goes with its fragment, and a person is referred once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contracts.events.identity import PersonMerged, PersonSplit
from people_kernel.placements import newer, placements_of
from services.routing.domain.cause import Cause
from services.routing.domain.desk import Desk
from services.routing.domain.referral import LIVE, Referral, State
from services.routing.domain.referring import close

MERGED = "merged"
_FURTHER = {State.ACCEPTED: 0, State.SEEN: 1, State.OFFERED: 2, State.UNASSIGNED: 3}


def regroup(desk: Desk, event: PersonMerged | PersonSplit, cause: Cause) -> None:
    """Moves referrals to who owns their fragments now; of several of one person the furthest goes on."""
    told = placements_of(event)
    desk.regrouped |= told.keys()
    desk.placements |= newer(desk.placements, told)
    follow_fragments(desk, told)
    owners = {desk.placements[fragment_id].person_id for fragment_id in told}
    for person_id in sorted(owners):
        _keep_the_furthest(desk, person_id, cause)
    if isinstance(event, PersonSplit):
        for person_id in sorted(owners):
            _bring_back(desk, person_id)


def follow_fragments(desk: Desk, fragment_ids: Iterable[str]) -> None:
    """Referrals on these fragments belong to who owns them. Compared with the referral, not with what is news: two streams tell of one grouping."""
    named = set(fragment_ids)
    for referral in list(desk.referrals.values()):
        owner = desk.placements.get(referral.fragment_id)
        if referral.fragment_id in named and owner is not None and owner.person_id != referral.person_id:
            desk.put(replace(referral, person_id=owner.person_id, graph_version=owner.graph_version))


def _keep_the_furthest(desk: Desk, person_id: str, cause: Cause) -> None:
    live = [referral for referral in desk.of_person(person_id) if referral.state in LIVE]
    if len(live) < 2:
        return
    kept, *others = sorted(live, key=lambda referral: (_FURTHER[referral.state], referral.created_at, referral.referral_id))
    who = desk.rep_name(kept.rep_id)
    why = {State.ACCEPTED: f"{who} takes care of them", State.UNASSIGNED: "any rep may take it"}.get(kept.state, f"{who} is asked")
    for other in others:
        close(desk, other, cause, (MERGED, f"this is somebody who was referred before, and {why}"), kept.referral_id)


def _bring_back(desk: Desk, person_id: str) -> None:
    """What a merge closed comes back with a split, if nothing was decided meanwhile. Quietly: nobody is asked anew, but any rep may take it."""
    if desk.live_of(person_id) is not None:
        return
    for past in reversed(desk.of_person(person_id)):
        kept = desk.referrals.get(past.merged_into or "")
        if past.state is State.CLOSED and kept is not None and kept.person_id != person_id and _is_untouched(kept, past):
            was_accepted = past.accepted_rep_id is not None and past.accepted_rep_id == past.rep_id
            state = State.ACCEPTED if was_accepted else State.UNASSIGNED
            desk.put(replace(past, state=state, rep_id=past.rep_id if was_accepted else None, closed_at=None, closed_because=None, merged_into=None))
            return


def _is_untouched(kept: Referral, past: Referral) -> bool:
    answered_at, closed_at = kept.answered_at, past.closed_at
    return kept.is_live and (answered_at is None or (closed_at is not None and answered_at <= closed_at))
