"""What becomes of people when something else is known of the company they belong to."""

from __future__ import annotations

from dataclasses import replace

from people_kernel.workspace import Cause
from services.scoring.domain.profile import Booking, added, differs, judged, with_booked
from services.scoring.domain.receipts import StoredReceipt
from services.scoring.domain.workspace import Person, ScoringWorkspace


def judge_anew(workspace: ScoringWorkspace, person_id: str, cause: Cause, correction: str | None) -> None:
    """Something else is known of the company that this person belongs to. `workspace` as for `regroup`.

    `correction` says why if it is no news, but was known wrongly: then nothing that it would set off is set off again.
    """
    person = workspace.people.get(person_id)
    if person is None or workspace.accounts.shared_with(person.fit.attributes) == person.fit.shared:
        return
    at = max(cause.at, person.evaluated_at)
    workspace.fade(person_id, at)
    person = workspace.people[person_id]._replace(evaluated_at=at)
    after, receipts = _booked_anew(workspace, person, cause)
    occurred_at = None if correction else cause.occurred_at
    if differs(person.fit.shown, after.fit.shown):
        workspace.say_profile(after, after.said, cause, "account", occurred_at=occurred_at)
    now = after.scores_at(at, workspace.judges.active.grid)
    if receipts and after.is_due(now, after.said, workspace.judges.active.grid):
        if correction is None:
            workspace.say_changed(after, now, receipts, cause)
        else:
            workspace.say_corrected(after, now, correction, cause, "account")
        after = after._replace(said=now)
    workspace.people[person_id] = after


def _booked_anew(workspace: ScoringWorkspace, person: Person, cause: Cause) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """Judged at the moment at which something else is known of their company."""
    at = max(cause.occurred_at, person.latest_at or cause.occurred_at)
    return book_on_the_oldest(workspace, person, Booking("", at, (cause.cause_id, person.person_id, "account")))


def book_on_the_oldest(
    workspace: ScoringWorkspace, person: Person, booking: Booking
) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """The person with what holds on their profile; what was not booked yet is booked as `booking` says, on the oldest
    fragment. All fragments of the person must be at hand.
    """
    own = [fragment for fragment in workspace.fragments_of(person.person_id) if fragment.latest_at is not None]
    known, shared = person.fit.knowledge, workspace.accounts.shared_with(person.fit.attributes)
    fit, differences = judged(known, added(fragment.written for fragment in own), workspace.judges, shared)
    receipts: tuple[StoredReceipt, ...] = ()
    if differences:
        oldest = min(own, key=lambda fragment: fragment.fragment_id)
        workspace.fragments[oldest.fragment_id] = oldest._replace(written=with_booked(oldest.written, differences))
        receipts = replace(booking, fragment_id=oldest.fragment_id).receipts(differences)
        workspace.add_receipts(receipts)
    return person._replace(fit=fit), receipts
