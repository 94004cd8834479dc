"""What humans decide about two people who may be one."""

from __future__ import annotations

from chassis.context import Context
from chassis.errors import Conflict, NotFound
from contracts.values import CandidateStatus
from services.identity.commands.people import AlreadyOnePerson, merge_people
from services.identity.domain.fragments import Fragment
from services.identity.domain.links import HumanDecision
from services.identity.domain.proposals.candidates import Candidate, CandidateDecision, decided
from services.identity.store import load, write
from services.identity.store.queries import candidates as queries


class CandidateNotFound(NotFound):
    """No pair has this id."""

    slug = "candidate-not-found"


class AlreadyConfirmed(Conflict):
    """A human joined the two, and they are one since."""

    slug = "already-confirmed"


async def find_candidate(candidate_id: str, context: Context) -> Candidate:
    """One pair. Raises CandidateNotFound."""
    found = await queries.candidate(context.session, candidate_id)
    if found is None:
        raise CandidateNotFound(
            f"There is no pair {candidate_id}", remedy="GET /v1/identity/candidates lists those that wait"
        )
    return found


async def confirm_candidate(candidate_id: str, decision: HumanDecision, context: Context) -> Candidate:
    """The two are one: they are merged by hand. Raises CandidateNotFound, AlreadyOnePerson, TooManyIdentifiers."""
    candidate, people = await _locked(candidate_id, context)
    one, other = (people[fragment_id] for fragment_id in candidate.pair)
    if candidate.status is CandidateStatus.CONFIRMED:
        return candidate
    if one == other:
        raise AlreadyOnePerson(f"The two are one person already, {one}")
    came = await merge_people(one, other, decision, context, dry_run=False)
    made = CandidateDecision(decision.by, decision.at, decision.reason, came.new_links[0].link_id)
    return await _decide(candidate, people, CandidateStatus.CONFIRMED, made, context)


async def reject_candidate(candidate_id: str, decision: HumanDecision, context: Context) -> Candidate:
    """The two are two. Raises CandidateNotFound, AlreadyConfirmed."""
    candidate, people = await _locked(candidate_id, context)
    if candidate.status is CandidateStatus.REJECTED:
        return candidate
    if candidate.status is CandidateStatus.CONFIRMED:
        raise AlreadyConfirmed(
            f"The two are one person, {people[candidate.left_id]}",
            remedy="Cut the link of the decision: POST /v1/people/{person_id}:split with its link_id, then reject",
        )
    made = CandidateDecision(decision.by, decision.at, decision.reason)
    return await _decide(candidate, people, CandidateStatus.REJECTED, made, context)


async def _locked(candidate_id: str, context: Context) -> tuple[Candidate, dict[str, str]]:
    """The pair, and whose each fragment of the two is; nobody regroups them meanwhile."""
    pair = (await find_candidate(candidate_id, context)).pair
    fragments: list[Fragment] = await load.lock_people(context.session, pair)
    return await find_candidate(candidate_id, context), {one.fragment_id: one.person_id for one in fragments}


async def _decide(
    candidate: Candidate, people: dict[str, str], status: CandidateStatus, made: CandidateDecision, context: Context
) -> Candidate:
    """What is said of one pair is said of each that compares the same two people."""
    one, other = (people[fragment_id] for fragment_id in candidate.pair)
    here, there = ([name for name, owner in people.items() if owner == side] for side in (one, other))
    alike = await queries.candidates_between(context.session, here, there)
    waiting = [each for each in alike if each.is_open or each.candidate_id == candidate.candidate_id]
    changed = []
    for each in waiting:
        after, event = decided(each, status, made, (people[each.left_id], people[each.right_id]))
        changed.append(after)
        context.say(event)
    await write.candidates(context.session, changed)
    return next(each for each in changed if each.candidate_id == candidate.candidate_id)
