"""Who may see whom, and that what is found from a seat is what may be seen from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.web.auth import Principal
from services.routing.domain.rights import RepSeat, Standing, colleagues, may_see
from services.routing.domain.workspace import State
from tests.support.people import per
from tests.support.service import tell, token
from tests.unit.routing.builders import NOW, entered, rep_id
from tests.unit.routing.test_service import a_rep, client, hire, referred, routing

__all__ = ["client", "routing"]  # fixtures

ANA, BO = "rep_ana", "rep_bo"
LEAD = Standing("per_1", State.OFFERED, ANA, None, "acc_1", None, NOW)
LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("standings", "is_seen"),
    [
        ((), False),  # no rep ever heard of them
        ((LEAD,), True),
        ((replace(LEAD, state=State.ACCEPTED, accepted_rep_id=ANA),), True),
        ((replace(LEAD, rep_id=BO),), False),
        ((replace(LEAD, rep_id=BO, account_id="acc_anas"),), True),
        ((replace(LEAD, state=State.UNASSIGNED, rep_id=None),), True),
        ((replace(LEAD, state=State.RETURNED, accepted_rep_id=ANA),), False),  # given back
        ((replace(LEAD, state=State.CLOSED, closed_because="stage_left"),), False),  # asked, and did not take them
        ((replace(LEAD, state=State.CLOSED, accepted_rep_id=ANA, closed_because="stage_left"),), True),
        (
            (
                replace(LEAD, state=State.CLOSED, accepted_rep_id=ANA, closed_because="stage_left"),
                replace(LEAD, rep_id=BO, created_at=LATER),
            ),
            False,  # another is asked since
        ),
        (
            (
                replace(LEAD, state=State.CLOSED, accepted_rep_id=ANA, closed_because="merged", created_at=LATER),
                replace(LEAD, rep_id=BO),
            ),
            False,  # turned out to be one who is another's
        ),
    ],
)
def test_a_lead_is_seen_by_who_has_it(standings: tuple[Standing, ...], is_seen: bool) -> None:
    assert may_see(standings, frozenset({ANA}), frozenset({"acc_anas"})) is is_seen


def test_colleagues_share_a_team() -> None:
    teams = [(ANA, ["west", "key"]), (BO, ["west"]), ("rep_cy", ["east"]), ("rep_dee", [])]
    assert colleagues(RepSeat(ANA), teams) == {ANA, BO}
    assert colleagues(RepSeat("rep_dee"), teams) == {"rep_dee"}
    assert colleagues(RepSeat("rep_new"), teams) == {"rep_new"}
    assert colleagues(RepSeat(None, frozenset({"east"})), teams) == {"rep_cy"}
    assert colleagues(RepSeat(None), teams) == frozenset()


def _as(*roles: str, teams: tuple[str, ...] = ()) -> dict[str, str]:
    return {"authorization": f"Bearer {token(Principal('x', frozenset(roles), None, frozenset(teams)))}"}


async def _seen(client: httpx.AsyncClient, headers: dict[str, str], **asked: Any) -> tuple[set[str], set[str]]:
    """Whom the caller sees: as the list has it, and as it is answered for each one."""
    listed = (await client.post("/v1/routing/rights:leads", json=asked, headers=headers)).json()["person_ids"]
    everybody = {"person_ids": [per(number) for number in range(1, 6)]}
    checked = (await client.post("/v1/routing/rights:check", json=everybody, headers=headers)).json()["person_ids"]
    return set(listed), set(checked)


async def test_rights_follow_the_referral_the_team_and_the_account(broker: Broker, client: httpx.AsyncClient) -> None:
    await hire(client, "Ana Ruiz", "Bo Lund", weight=0)
    for number, (name, account_id) in enumerate((("Ana Ruiz", "acc_a"), ("Bo Lund", "acc_b")), start=1):
        await client.put(f"/v1/accounts/{account_id}/owner", json={"rep_id": rep_id(name)})
        await tell(broker, entered(number, at=NOW, account_id=account_id))
        await referred(client, number)
    mine, ana = {per(1)}, a_rep("Ana Ruiz")
    assert await _seen(client, ana) == (mine, mine)
    accounts = {"account_ids": ["acc_a", "acc_b", "acc_none"], "rep_ids": [rep_id("Ana Ruiz"), rep_id("Bo Lund")]}
    checked = (await client.post("/v1/routing/rights:check", json=accounts, headers=ana)).json()
    assert (checked["account_ids"], checked["rep_ids"]) == (["acc_a"], [rep_id("Ana Ruiz")])
    assert await _seen(client, _as("manager", teams=("west",))) == (set(), set())

    for name in ("Ana Ruiz", "Bo Lund"):
        await client.patch(f"/v1/reps/{rep_id(name)}", json={"teams": ["west"]})
    both = {per(1), per(2)}
    assert await _seen(client, ana) == (both, both)
    assert await _seen(client, _as("manager", teams=("west",))) == (both, both)
    assert (await _seen(client, ana, after=per(1)))[0] == {per(2)}
    assert (await _seen(client, ana, until=per(1)))[0] == {per(1)}
    part = (await client.post("/v1/routing/rights:leads", json={"limit": 1}, headers=ana)).json()
    assert part == {"person_ids": [per(1)], "until": per(1)}

    # Bo leaves the team, and Ana is given his lead at the same moment as its account
    await client.patch(f"/v1/reps/{rep_id('Bo Lund')}", json={"teams": []})
    assert await _seen(client, ana) == (mine, mine)
    his = await referred(client, 2)
    await client.post(f"/v1/referrals/{his['referral_id']}:reassign", json={"rep_id": rep_id("Ana Ruiz")})
    assert await _seen(client, ana) == (both, both)
    assert await _seen(client, a_rep("Bo Lund")) == ({per(2)}, {per(2)})  # the account is still his
    await client.put("/v1/accounts/acc_b/owner", json={"rep_id": None})
    assert await _seen(client, a_rep("Bo Lund")) == (set(), set())
