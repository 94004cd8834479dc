"""An owner follows when accounts turn out to be one, and comes back when they are not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from chassis.app import Service
from chassis.bus.broker import Broker
from contracts.envelope import Meta
from contracts.events.identity import AccountMerged, AccountPart, AccountSplit
from contracts.values import Strength
from tests.support.eventually import eventually
from tests.support.people import at
from tests.support.service import running, tell
from tests.unit.routing.builders import rep_id


@pytest_asyncio.fixture
async def client(broker: Broker, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with running(service) as routing:
        yield routing.client


def meta(name: str) -> Meta:
    return Meta(event_id=f"evt_{name}", at=at(1), correlation_id=f"evt_{name}")


def a_part(account_id: str, *others: str, version: int) -> AccountPart:
    return AccountPart(account_id=account_id, account_ids=(account_id, *others), version=version)


MERGED = AccountMerged(
    meta=meta("merged"),
    account_id="acc_old",
    absorbed_account_ids=("acc_young",),
    whole=a_part("acc_old", "acc_young", version=2),
    strength=Strength.VERIFIED,
    sentence="Group int_1 named both (verified).",
)
SPLIT = AccountSplit(
    meta=meta("split"),
    account_id="acc_old",
    parts=(a_part("acc_old", version=3), a_part("acc_young", version=3)),
    sentence="usr_ada split them into 2: a subsidiary",
)


async def hire(client: httpx.AsyncClient, name: str) -> str:
    await client.post("/v1/reps", json={"name": name, "external_id": name})
    return rep_id(name)


async def until_owned(client: httpx.AsyncClient, account_id: str, name: str | None) -> httpx.Response:
    async def owned() -> httpx.Response:
        answer = await client.get(f"/v1/accounts/{account_id}/owner")
        assert answer.json()["name"] == name
        return answer

    return await eventually(owned, within=10)


async def test_of_two_owners_the_older_accounts_stays_and_the_other_is_shown(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    ana, tomo = await hire(client, "Ana Ruiz"), await hire(client, "Tomo Arai")
    await client.put("/v1/accounts/acc_young/owner", json={"rep_id": tomo})
    await tell(broker, MERGED)
    await until_owned(client, "acc_old", "Tomo Arai")  # nobody else has it
    await client.put("/v1/accounts/acc_young/owner", json={"rep_id": ana})  # by whichever id
    answer = await until_owned(client, "acc_old", "Ana Ruiz")
    assert [one["name"] for one in answer.json()["displaced"]] == ["Tomo Arai"]
    await tell(broker, SPLIT)
    await until_owned(client, "acc_young", "Tomo Arai")
    await until_owned(client, "acc_old", "Ana Ruiz")
    await tell(broker, MERGED.model_copy(update={"meta": meta("late")}))  # an older word than the split
    await client.put("/v1/accounts/acc_young/owner", json={"rep_id": None})
    await until_owned(client, "acc_young", None)
    await until_owned(client, "acc_old", "Ana Ruiz")
