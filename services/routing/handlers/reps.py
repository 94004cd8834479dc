"""Reps come, change and leave; accounts are theirs or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.context import Context
from chassis.errors import BadInput, NotFound
from contracts.events.routing import RepChanged
from contracts.ids import derive_id, hash_id
from people_kernel.store.locks import lock
from services.routing.domain.cause import requested
from services.routing.domain.referring import expire
from services.routing.domain.reps import Rep
from services.routing.handlers.desks import EVERYBODY, EXPIRED, WAITING, closed, opened_for
from services.routing.store import reps as store
from services.routing.store.reading import asked_of


class RepNotFound(NotFound):
    """There is no such rep."""


class NoSuchRep(BadInput):
    """The rep that is named does not exist."""


async def add_rep(fields: dict[str, Any], by: str, context: Context) -> tuple[Rep, bool]:
    """The rep, and whether they are new. With an external id that is known: that one, changed to what is given now."""
    external_id = fields.get("external_id")
    if external_id is not None:
        await lock(context.session, [f"rep {external_id}"])
    known = None if external_id is None else await store.find_by_external_id(context.session, external_id)
    if known is not None:
        return await _changed(known, fields, by, context), False
    rep_id = hash_id("rep", external_id) if external_id is not None else derive_id("rep", context.now, context.now.isoformat(), fields["name"], by)
    rep = Rep(rep_id=rep_id, **fields)
    await store.add_rep(context.session, rep, context.now)
    _say(rep, by, context)
    return rep, True


async def change_rep(rep_id: str, fields: dict[str, Any], by: str, context: Context) -> Rep:
    """Raises RepNotFound. What an inactive rep was asked about goes to the next one at once."""
    await lock(context.session, [f"rep {rep_id}"])
    return await _changed(await get_rep(rep_id, context), fields, by, context)


async def get_rep(rep_id: str, context: Context) -> Rep:
    """Raises RepNotFound."""
    rep = await store.find_rep(context.session, rep_id)
    if rep is None:
        raise RepNotFound(f"There is no rep {rep_id}")
    return rep


async def own_account(account_id: str, rep_id: str | None, by: str, context: Context) -> None:
    """From now on the account is this rep's, or nobody's. Raises NoSuchRep."""
    if rep_id is not None and await store.find_rep(context.session, rep_id) is None:
        raise NoSuchRep(f"There is no rep {rep_id}", field="body.rep_id", remedy="Name a rep of GET /v1/reps")
    await store.save_owner(context.session, account_id, rep_id, (by, context.now))
    if rep_id is not None:
        context.set_timer(WAITING, EVERYBODY, context.now)  # people of this account may wait for just this rep


async def _changed(known: Rep, fields: dict[str, Any], by: str, context: Context) -> Rep:
    rep = replace(known, **fields)
    if rep == known:
        return known
    await store.change_rep(context.session, rep, context.now)
    _say(rep, by, context)
    if known.is_active and not rep.is_active:
        await _relieve(rep, by, context)
    return rep


async def _relieve(rep: Rep, by: str, context: Context) -> None:
    referral_ids = await asked_of(context.session, rep.rep_id)
    desk = await opened_for(context, referral_ids, [rep.rep_id])
    for referral_id in await asked_of(context.session, rep.rep_id):
        if referral_id not in desk.referrals:  # they were asked in this very moment
            context.set_timer(EXPIRED, referral_id, context.now)
    for referral_id in referral_ids:
        cause = requested(f"deactivate {rep.rep_id} {referral_id}", by, context.now)
        expire(desk, desk.referrals[referral_id], cause, f"{rep.name} is inactive now")
    await closed(context, desk)


def _say(rep: Rep, by: str, context: Context) -> None:
    """Tells the others, and has those who wait looked at: there may be somebody for them now."""
    meta = requested(f"change {rep.rep_id}", by, context.now).meta(RepChanged.wire_name, rep.rep_id)
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
        context.set_timer(WAITING, EVERYBODY, context.now)
