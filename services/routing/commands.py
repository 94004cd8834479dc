"""What people ask for: reps, or somebody in charge, answer; reps come, change and leave; accounts are theirs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.context import Context
from chassis.errors import BadInput, Conflict, Forbidden, NotFound
from chassis.store.session import lock
from contracts.events.routing import RepChanged
from contracts.ids import derive_id, hash_id
from people_kernel.workspace import Cause, requested
from services.routing.domain import answers
from services.routing.domain.answers import Asker, Reason
from services.routing.domain.assignment import Rep
from services.routing.domain.referrals import expire
from services.routing.domain.workspace import EVERYBODY, OFFER_EXPIRED, REFERRALS_WAITING, Referral, RoutingWorkspace
from services.routing.rulebooks import rules_of
from services.routing.store import load, queries, write


class ReferralNotFound(NotFound):
    """There is no such referral."""

    slug = "referral-not-found"


class AnotherIsAsked(Forbidden):
    """Another rep is asked about this referral."""

    slug = "another-is-asked"


class ReferralWentOn(Conflict):
    """It is another's now, or over."""

    slug = "referral-went-on"


class RepCannotBeAsked(Conflict):
    """The rep is unknown or inactive, or none is named."""

    slug = "rep-cannot-be-asked"


class RepNotFound(NotFound):
    """There is no such rep."""

    slug = "rep-not-found"


class NoSuchRep(BadInput):
    """The rep that is named does not exist."""

    slug = "no-such-rep"


@dataclass(frozen=True, slots=True)
class RepAnswer:
    """Who says it, in what words, and when it happened (default: now)."""

    asker: Asker
    note: str | None = None
    occurred_at: datetime | None = None


async def see_referral(referral_id: str, answer: RepAnswer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn."""
    workspace, referral = await _load_referral(referral_id, context)
    with _refusals():
        referral = answers.see(workspace, referral, answer.asker, _cause("see", referral, answer, context))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    return referral


async def accept_referral(referral_id: str, answer: RepAnswer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn, RepCannotBeAsked."""
    workspace, referral = await _load_referral(referral_id, context, answer.asker.rep_id)
    with _refusals():
        referral = answers.accept(
            workspace, referral, answer.asker, _cause("accept", referral, answer, context), answer.note
        )
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    return referral


async def return_referral(referral_id: str, reason: Reason, answer: RepAnswer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn."""
    workspace, referral = await _load_referral(referral_id, context)
    with _refusals():
        referral = answers.give_back(
            workspace, referral, answer.asker, _cause("return", referral, answer, context), (reason, answer.note)
        )
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    return referral


async def reassign_referral(referral_id: str, rep_id: str, answer: RepAnswer, context: Context) -> Referral:
    """Raises ReferralNotFound, ReferralWentOn, RepCannotBeAsked."""
    workspace, referral = await _load_referral(referral_id, context, rep_id)
    with _refusals():
        referral = answers.reassign(
            workspace, referral, rep_id, _cause("reassign", referral, answer, context), answer.note
        )
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    return referral


async def _load_referral(
    referral_id: str, context: Context, rep_id: str | None = None
) -> tuple[RoutingWorkspace, Referral]:
    """`rep_id`: who may come to have it, beside those whose turn it may be."""
    rep_ids = [] if rep_id is None else [rep_id]
    workspace = await load.for_referrals(context, await rules_of(context), [referral_id], rep_ids)
    referral = workspace.referrals.get(referral_id)
    if referral is None:
        raise ReferralNotFound(f"There is no referral {referral_id}")
    return workspace, referral


def _cause(what: str, referral: Referral, answer: RepAnswer, context: Context) -> Cause:
    return _requested(f"{what} {referral.referral_id}", answer.asker.subject, context.now, answer.occurred_at)


def _requested(what: str, by: str, now: datetime, occurred_at: datetime | None = None) -> Cause:
    """`what` tells requests of one moment apart."""
    return requested(derive_id("evt", now, "routing.request", what, by), by, now, occurred_at)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the domain refuses, as the caller is told."""
    try:
        yield
    except answers.NotYours as refusal:
        raise AnotherIsAsked(
            str(refusal), remedy="A manager may answer for a rep, or give the referral to another with :reassign"
        ) from None
    except answers.WentOn as refusal:
        raise ReferralWentOn(
            str(refusal), remedy="Read the referral; a manager may give it to another rep with :reassign"
        ) from None
    except answers.RepUnfit as refusal:
        raise RepCannotBeAsked(str(refusal), remedy="Name an active rep") from None


async def add_rep(fields: dict[str, Any], by: str, context: Context) -> tuple[Rep, bool]:
    """The rep, and whether they are new. With an external id that is known: that one, changed to what is given now."""
    external_id = fields.get("external_id")
    if external_id is not None:
        await lock(context.session, [f"rep {external_id}"])
    known = None if external_id is None else await load.find_by_external_id(context.session, external_id)
    if known is not None:
        return await _changed(known, fields, by, context), False
    rep_id = (
        hash_id("rep", external_id)
        if external_id is not None
        else derive_id("rep", context.now, context.now.isoformat(), fields["name"], by)
    )
    rep = Rep(rep_id=rep_id, **fields)
    await write.new_rep(context.session, rep, context.now)
    _say(rep, by, context)
    return rep, True


async def change_rep(rep_id: str, fields: dict[str, Any], by: str, context: Context) -> Rep:
    """Raises RepNotFound. What an inactive rep was asked about goes to the next one at once."""
    await lock(context.session, [f"rep {rep_id}"])
    return await _changed(await get_rep(rep_id, context), fields, by, context)


async def get_rep(rep_id: str, context: Context) -> Rep:
    """Raises RepNotFound."""
    rep = await load.find_rep(context.session, rep_id)
    if rep is None:
        raise RepNotFound(f"There is no rep {rep_id}")
    return rep


async def own_account(account_id: str, rep_id: str | None, by: str, context: Context) -> None:
    """From now on the account is this rep's, or nobody's. Raises NoSuchRep."""
    if rep_id is not None and await load.find_rep(context.session, rep_id) is None:
        raise NoSuchRep(f"There is no rep {rep_id}", field="body.rep_id", remedy="Name a rep of GET /v1/reps")
    known_as = await queries.ids_of_account(context.session, account_id)
    await write.account_owner(context.session, known_as, rep_id, (by, context.now))
    if rep_id is not None:
        # people of this account may wait for just this rep
        context.set_timer(REFERRALS_WAITING, EVERYBODY, context.now)


async def _changed(known: Rep, fields: dict[str, Any], by: str, context: Context) -> Rep:
    rep = replace(known, **fields)
    if rep == known:
        return known
    await write.changed_rep(context.session, rep, context.now)
    _say(rep, by, context)
    if known.is_active and not rep.is_active:
        await _relieve(rep, by, context)
    return rep


async def _relieve(rep: Rep, by: str, context: Context) -> None:
    referral_ids = await load.asked_of(context.session, rep.rep_id)
    workspace = await load.for_referrals(context, await rules_of(context), referral_ids, [rep.rep_id])
    for referral_id in await load.asked_of(context.session, rep.rep_id):
        if referral_id not in workspace.referrals:  # they were asked in this very moment
            context.set_timer(OFFER_EXPIRED, referral_id, context.now)
    for referral_id in referral_ids:
        cause = _requested(f"deactivate {rep.rep_id} {referral_id}", by, context.now)
        expire(workspace, workspace.referrals[referral_id], cause, f"{rep.name} is inactive now")
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


def _say(rep: Rep, by: str, context: Context) -> None:
    """Tells the others, and has those who wait looked at: there may be somebody for them now."""
    meta = _requested(f"change {rep.rep_id}", by, context.now).meta(RepChanged.wire_name, rep.rep_id)
    context.say(
        RepChanged(
            meta=meta,
            rep_id=rep.rep_id,
            name=rep.name,
            email=rep.email,
            teams=rep.teams,
            weight=rep.weight,
            is_active=rep.is_active,
            external_id=rep.external_id,
        )
    )
    if rep.is_active:
        context.set_timer(REFERRALS_WAITING, EVERYBODY, context.now)
