"""Who takes care of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from chassis.routes import Read
from people_kernel.api.paging import LookupRequest
from people_kernel.store.placements import survivors
from services.routing.api.views import LookupAnswer, OwnerOfPerson, PersonView, ReferralOfPerson
from services.routing.domain.referral import Referral, State
from services.routing.store.reading import referrals_of
from services.routing.store.reps import rep_names
from services.routing.store.tables import FRAGMENT

router = APIRouter(tags=["routing"])


@router.post("/v1/routing/people:lookup")
async def look_people_up(reading: Read, body: LookupRequest) -> LookupAnswer:
    """Who takes care of up to 200 people, in one go. Ids that a merge absorbed answer with the survivor; unknown ids are left out."""
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    people = sorted(set(current.values()))
    referrals = await referrals_of(reading.session, people)
    names = await rep_names(reading.session, {one.rep_id for owned in referrals.values() for one in owned if one.rep_id is not None})
    items = [_view(person_id, referrals.get(person_id, ()), names) for person_id in people]
    return LookupAnswer(items=items, current=dict(sorted(current.items())))


def _view(person_id: str, referrals: Sequence[Referral], names: Mapping[str, str]) -> PersonView:
    accepted = next((one for one in referrals if one.state is State.ACCEPTED and one.rep_id is not None), None)
    shown = next((one for one in referrals if one.is_live), referrals[0] if referrals else None)
    return PersonView(
        person_id=person_id, owner=None if accepted is None else _owner(accepted, names), referral=None if shown is None else _referral(shown)
    )


def _owner(referral: Referral, names: Mapping[str, str]) -> OwnerOfPerson:
    rep_id = referral.rep_id or ""
    return OwnerOfPerson(rep_id=rep_id, name=names.get(rep_id), since=referral.answered_at, referral_id=referral.referral_id)


def _referral(referral: Referral) -> ReferralOfPerson:
    return ReferralOfPerson(referral_id=referral.referral_id, state=referral.state, rep_id=referral.rep_id, due_at=referral.due_at)
