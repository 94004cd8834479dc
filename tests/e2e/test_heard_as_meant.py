"""What comes in at the doors means the same in every service: a day of odd captures, and what the office sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support.actors import Json, everything
from tests.support.eventually import eventually
from tests.support.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
READY = {"title": "Chief Operating Officer", "employees": 640, "industry": "Logistics software"}


@dataclass
class Office:
    """Somebody with an API key, and the doors that sites and servers post to."""

    api: httpx.AsyncClient
    site: httpx.AsyncClient
    crm: httpx.AsyncClient

    async def form(self, **fields: str) -> Json:
        answer = await self.site.post("/v1/forms/default", data=fields)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def people(self, **named: str) -> list[Json]:
        found: list[Json] = (await self.api.get("/v1/people", params=named)).json()["items"]
        return found

    async def person(self, **named: str) -> Json:
        async def is_there() -> Any:
            found = await self.people(**named)
            return found[0] if len(found) == 1 else None

        found: Json = await eventually(is_there, within=30)
        return found

    async def everything_is_through(self) -> None:
        """What was sent before has been worked through by all."""
        await said(self.site, "identify", userId="last-one", traits={"email": "last.one@lastone.example"})

        async def is_judged() -> None:
            found = await self.people(user_id="last-one")
            assert [(last["lifecycle"] or {}).get("stage") for last in found] == ["known"]
            assert found[0]["buying_stage"]

        await eventually(is_judged, within=60)


async def said(door: httpx.AsyncClient, kind: str, **event: Any) -> None:
    answer = await door.post(f"/v1/{kind}", json=event)
    assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture
async def office(own_suite: Suite) -> AsyncIterator[Office]:
    async with own_suite.client() as api:
        made = await api.post("/v1/sources", json={"name": "CRM", "kind": "server"})
        keys = (own_suite.write_key, made.json()["write_key"])
        site, crm = (httpx.AsyncClient(base_url=own_suite.url, auth=(key, ""), timeout=60) for key in keys)
        async with site, crm:
            yield Office(api, site, crm)


async def test_a_day_of_odd_captures_is_heard_as_it_was_meant(office: Office) -> None:
    await a_robot_and_a_prankster_and_somebody_real_ask_for_a_demo(office)
    await a_stranger_types_a_customers_address(office)
    await the_same_page_and_a_figure_that_is_none(office)
    await a_form_service_posts_somebody_and_nobody(office)
    await office.everything_is_through()
    await only_the_real_one_is_for_sales(office)
    await what_the_crm_said_stands(office)
    await nothing_is_counted_twice_and_no_figure_is_made_up(office)
    await the_post_without_anybody_is_not_lost(office)


async def a_robot_and_a_prankster_and_somebody_real_ask_for_a_demo(office: Office) -> None:
    asked = {"form_name": "Request a demo", "title": "CEO", "company": "Quay & Sons", "employees": "900"}
    await office.form(**asked, email="win@casino.example", name="Winner", _honey="https://casino.example")
    await said(office.site, "identify", anonymousId="prank", traits={**READY, "email": "[not provided]"})
    await said(office.site, "track", anonymousId="prank", event="Demo Requested")
    await office.form(**asked, email="Ines <Ines.Duarte@QuaySons.example>", name="Inês Duarte", _honey="")


async def only_the_real_one_is_for_sales(office: Office) -> None:
    ines = await office.person(email="ines.duarte@quaysons.example")
    assert (ines["name"], ines["lifecycle"]["stage"]) == ("Inês Duarte", "mql")
    prank = await office.person(anonymous_id="prank")
    assert (prank["lifecycle"]["stage"], prank["referral"]) == ("anonymous", None)
    assert prank["profile"]["email_unreadable"]["value"] == "[not provided]"
    assert await office.people(email="win@casino.example") == []
    (withheld,) = await everything(office.api, "/v1/interactions/withheld")
    answer = await office.api.post(
        f"/v1/interactions/{withheld['interaction_id']}:release", json={"reason": "The form's author left it filled."}
    )
    assert answer.status_code == 200, answer.text

    async def counts_after_all() -> None:
        winner = await office.person(email="win@casino.example")
        assert winner["lifecycle"]["stage"] == "mql"

    await eventually(counts_after_all, within=30)


async def a_stranger_types_a_customers_address(office: Office) -> None:
    known = {"email": "tom.reed@reedmills.example", "firstName": "Tom", "lastName": "Reed", "title": "CFO"}
    await said(office.crm, "identify", userId="crm-77", traits={**known, "marketing_consent": False})
    await office.person(user_id="crm-77")
    await office.form(
        email="tom.reed@reedmills.example", name="qwertz", title="Trainee", website="https://elsewhere.example",
        marketing_consent="yes",
    )  # fmt: skip
    await said(office.site, "identify", userId="crm-77", traits={"title": None})


async def what_the_crm_said_stands(office: Office) -> None:
    tom = await office.person(user_id="crm-77")
    assert (tom["name"], tom["profile"]["title"]["value"]) == ("Tom Reed", "CFO")
    assert tom["consent"].get("email", tom["consent"].get("any")) == "withdrawn"
    account = (await office.api.get(f"/v1/accounts/{tom['account_id']}")).json()
    assert account["domain"] == "reedmills.example"
    asked = {"email": "tom.reed@reedmills.example"}
    assert (await office.site.post("/v1/treatments:select", json=asked)).status_code == 403
    assert (await office.crm.post("/v1/treatments:select", json=asked)).status_code == 200


async def the_same_page_and_a_figure_that_is_none(office: Office) -> None:
    traits = {"email": "uma.berg@bergwerk.example", "employees": "fewer than 200", "budget": "under 9k EUR"}
    await said(office.site, "identify", userId="uma", traits=traits)
    for number in range(6):
        page = {"path": "/pricing", "url": "https://www.example.com/pricing"}
        await said(office.site, "page", userId="uma", messageId=f"reload-{number}", properties=page)


async def nothing_is_counted_twice_and_no_figure_is_made_up(office: Office) -> None:
    uma = await office.person(user_id="uma")
    receipts = await everything(office.api, f"/v1/people/{uma['person_id']}/receipts", owner="scoring")
    prices = [one["contribution"]["points"] for one in receipts if one["rule"] == "pricing_page_viewed"]
    assert sorted(prices) == [0, 0, 0, 0, 0, 12]
    assert not {"mid_sized_or_large", "small_company", "budget_sufficient"} & {one["rule"] for one in receipts}


async def a_form_service_posts_somebody_and_nobody(office: Office) -> None:
    answers = [{"label": "How may we call you?", "value": "Vera"}, {"label": "E-mail", "value": "vera@vogt.example"}]
    nobody = [{"label": "How did you like it?", "value": "very much"}]
    for given, is_anybody in ((answers, True), (nobody, False)):
        answer = await office.site.post("/v1/forms/default", json={"submission": {"questions": given}})
        assert answer.status_code == 200
        assert answer.json().get("recognized", True) is is_anybody


async def the_post_without_anybody_is_not_lost(office: Office) -> None:
    assert (await office.person(email="vera@vogt.example"))["lifecycle"]["stage"] in ("known", "engaged")
    sources = await everything(office.api, "/v1/sources")
    rejects = [
        reject
        for source in sources
        for reject in await everything(office.api, f"/v1/sources/{source['source_id']}/rejects")
    ]
    assert any("very much" in str(reject) for reject in rejects)
