"""The `type` of a refusal is a page that says what it means."""

from __future__ import annotations

import pytest

from tests.unit.gateway.running import Door

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/people?limit=0", "/v1/sources/src_1"])
async def test_a_refusal_leads_to_a_page_about_it(door: Door, path: str) -> None:
    problem = (await door.api("GET", path)).json()
    page = await door.client.get(problem["type"], headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert problem["title"] in page.text
    assert "script" not in page.headers["content-security-policy"]
    told = (await door.client.get(problem["type"])).json()
    assert (told["type"], told["status"]) == (problem["type"], problem["status"])


async def test_all_are_listed_and_each_has_its_page(door: Door) -> None:
    listed = (await door.client.get("/problems")).json()["items"]
    assert len(listed) > 60
    for one in listed:
        assert (await door.client.get(one["type"], headers=BROWSER)).status_code == 200
    page = (await door.client.get("/problems", headers=BROWSER)).text
    assert [one["slug"] for one in listed if f'href="{one["type"]}"' not in page] == []


async def test_one_that_is_none_says_which_is_near(door: Door) -> None:
    refused = await door.client.get("/problems/person-not-fund")
    assert (refused.status_code, refused.json()["remedy"]) == (404, "Did you mean /problems/person-not-found?")


async def test_nothing_of_the_address_is_repeated_as_markup(door: Door) -> None:
    refused = await door.client.get("/problems/%3Cscript%3E", headers=BROWSER)
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
