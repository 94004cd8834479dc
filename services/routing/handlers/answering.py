"""What routing does when a rep, or somebody in charge, answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from chassis.context import Context
from chassis.errors import Conflict, Forbidden, NotFound
from services.routing.domain import answering as domain
from services.routing.domain.answering import Asker, Reason
from services.routing.domain.cause import Cause, requested
from services.routing.domain.desk import Desk
from services.routing.domain.referral import Referral
from services.routing.handlers.desks import closed, opened_for


class ReferralNotFound(NotFound):
    """There is no such referral."""


class AnotherIsAsked(Forbidden):
    """Another rep is asked about this referral."""


class ReferralWentOn(Conflict):
    """It is another's now, or over."""


class RepCannotBeAsked(Conflict):
    """The rep is unknown or inactive, or none is named."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who says it, in what words, and when it happened (default: now)."""

    asker: Asker
    note: str | None = None
    occurred_at: datetime | None = None


async def see_referral(referral_id: str, answer: Answer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn."""
    desk, referral = await _desk(referral_id, context)
    with _told():
        referral = domain.see(desk, referral, answer.asker, _cause("see", referral, answer, context))
    await closed(context, desk)
    return referral


async def accept_referral(referral_id: str, answer: Answer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn, RepCannotBeAsked."""
    desk, referral = await _desk(referral_id, context, answer.asker.rep_id)
    with _told():
        referral = domain.accept(desk, referral, answer.asker, _cause("accept", referral, answer, context), answer.note)
    await closed(context, desk)
    return referral


async def return_referral(referral_id: str, reason: Reason, answer: Answer, context: Context) -> Referral:
    """Raises ReferralNotFound, AnotherIsAsked, ReferralWentOn."""
    desk, referral = await _desk(referral_id, context)
    with _told():
        referral = domain.give_back(desk, referral, answer.asker, _cause("return", referral, answer, context), (reason, answer.note))
    await closed(context, desk)
    return referral


async def reassign_referral(referral_id: str, rep_id: str, answer: Answer, context: Context) -> Referral:
    """Raises ReferralNotFound, ReferralWentOn, RepCannotBeAsked."""
    desk, referral = await _desk(referral_id, context, rep_id)
    with _told():
        referral = domain.reassign(desk, referral, rep_id, _cause("reassign", referral, answer, context), answer.note)
    await closed(context, desk)
    return referral


async def _desk(referral_id: str, context: Context, rep_id: str | None = None) -> tuple[Desk, Referral]:
    """`rep_id`: who may come to have it, beside those whose turn it may be."""
    desk = await opened_for(context, [referral_id], [] if rep_id is None else [rep_id])
    referral = desk.referrals.get(referral_id)
    if referral is None:
        raise ReferralNotFound(f"There is no referral {referral_id}")
    return desk, referral


def _cause(what: str, referral: Referral, answer: Answer, context: Context) -> Cause:
    return requested(f"{what} {referral.referral_id}", answer.asker.subject, context.now, answer.occurred_at)


@contextmanager
def _told() -> Iterator[None]:
    """What the domain refuses, as the caller is told."""
    try:
        yield
    except domain.NotYours as refusal:
        raise AnotherIsAsked(str(refusal), remedy="A manager may answer for a rep, or give the referral to another with :reassign") from None
    except domain.WentOn as refusal:
        raise ReferralWentOn(str(refusal), remedy="Read the referral; a manager may give it to another rep with :reassign") from None
    except domain.RepUnfit as refusal:
        raise RepCannotBeAsked(str(refusal), remedy="Name an active rep") from None
