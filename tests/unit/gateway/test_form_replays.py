"""No lead is lost in silence: a post in which nobody is found says so, is listed, and is read again once somebody has
said what its fields mean.
"""

from __future__ import annotations

from typing import Any

from contracts.limits import UNRECOGNIZED, UNRECOGNIZED_BYTES
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, gateway_settings, open_door

STRANGE = {
    "lead": {"kontakt": {"zz_adr": "kim.solberg@fjord.example", "zz_hvem": "Kim Solberg"}},
    "google_key": "our-words",
}
MAPPING = {"lead.kontakt.zz_adr": "email", "zz_hvem": "name"}


async def rejects(door: Door, **query: Any) -> list[dict[str, Any]]:
    answer = await door.api("GET", "/v1/sources/src_default/rejects", params={"kind": "unrecognized", **query})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def only_reject(door: Door) -> dict[str, Any]:
    await eventually(lambda: rejects(door))
    (found,) = await rejects(door)
    return found


async def replay(door: Door, reject_id: int, form_id: str = "default") -> Any:
    return await door.api("POST", f"/v1/forms/{form_id}/rejects/{reject_id}:replay")


async def test_a_post_in_which_nobody_is_found_is_taken_says_so_and_is_listed(door: Door) -> None:
    answer = await door.client.post("/v1/forms/default", json=STRANGE)
    assert answer.status_code == 200
    assert answer.json()["recognized"] is False
    assert "nobody was found" in answer.json()["reason"]
    listed = await only_reject(door)
    assert (listed["kind"], listed["form_id"], listed["is_kept_whole"]) == ("unrecognized", "default", True)
    assert "kim.solberg" in listed["excerpt"]
    assert "our-words" not in listed["excerpt"]
    (captured,) = await door.captured()
    assert captured.identifiers == ()
    assert b"our-words" not in captured.body()


async def test_whoever_is_found_is_said_nothing_of(door: Door) -> None:
    answer = await door.client.post("/v1/forms/default", json={"email": "kim.solberg@fjord.example"})
    assert answer.json() == {"success": True}
    trapped = await door.client.post("/v1/forms/default", json={"_gotcha": "x", "note": "buy"})
    assert trapped.status_code == 200
    await door.client.post("/v1/forms/default", json=STRANGE)
    assert "kim.solberg" in (await only_reject(door))["excerpt"]  # what a robot filled in is not listed


async def test_it_is_read_again_with_the_mapping_of_today_as_of_when_it_came_and_once(door: Door) -> None:
    await door.client.post("/v1/forms/default", json=STRANGE)
    listed = await only_reject(door)
    early = (await replay(door, listed["reject_id"])).json()
    assert (early["recognized"], early["message_id"]) == (False, None)
    assert "nobody was found" in early["reason"]
    await door.api("PATCH", "/v1/forms/default", json={"mapping": MAPPING})
    first, second = [(await replay(door, listed["reject_id"])).json() for _ in range(2)]
    assert (first["recognized"], first["message_id"]) == (True, second["message_id"])
    before, *again = await door.captured()
    assert [one.value for one in again[0].identifiers] == ["kim.solberg@fjord.example"]
    assert again[0].interaction.traits["name"] == "Kim Solberg"
    assert again[0].interaction.received_at == before.interaction.received_at
    assert again[0].interaction.properties["replay_of"] == before.interaction.message_id
    assert len({one.meta.event_id for one in again}) == 1  # a second replay is the same message, and applied once
    assert (await only_reject(door))["replayed_at"] is not None


async def test_only_its_own_form_and_only_who_may_read_it_again(door: Door) -> None:
    await door.client.post("/v1/forms/default", json=STRANGE)
    reject_id = (await only_reject(door))["reject_id"]
    await door.api("POST", "/v1/forms", json={"form_id": "other", "name": "Other"})
    assert (await replay(door, reject_id, "other")).status_code == 404
    assert (await replay(door, 999_999)).status_code == 404
    sales = await door.key("sales")
    path = f"/v1/forms/default/rejects/{reject_id}:replay"
    answer = await door.client.post(path, headers={"authorization": f"Bearer {sales['api_key']}"})
    assert answer.status_code == 403
    assert (await door.client.post(path)).status_code == 401


async def test_one_that_is_too_large_is_listed_and_cannot_be_read_again(door: Door) -> None:
    texts = [f"{number} " + "x" * 9_000 for number in range(UNRECOGNIZED_BYTES // 9_000 + 1)]
    answer = await door.client.post("/v1/forms/default", json={"zz": texts})
    assert answer.json()["recognized"] is False
    listed = await only_reject(door)
    assert listed["is_kept_whole"] is False
    assert (await replay(door, listed["reject_id"])).status_code == 409


async def test_a_flood_of_what_is_refused_pushes_none_of_them_out(nats_server: NatsServer, tmp_path: Any) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", rejects_kept=2)) as door:
        await door.client.post("/v1/forms/default", json=STRANGE)
        await only_reject(door)
        for _ in range(5):
            await door.send("/v1/track", b"{")
        await door.runtime.service.capture.rejects.flush()  # type: ignore[attr-defined]
        refused = (await door.api("GET", "/v1/sources/src_default/rejects", params={"kind": "refused"})).json()["items"]
        assert (len(refused), len(await rejects(door))) == (2, 1)
        for number in range(UNRECOGNIZED + 5):
            await door.client.post("/v1/forms/default", json={"zz": number})
        await door.runtime.service.capture.rejects.flush()  # type: ignore[attr-defined]
        assert len(await rejects(door, limit=200)) == UNRECOGNIZED
        assert "kim" not in str(await rejects(door, limit=200))


async def test_meta_may_subscribe_to_a_form_that_has_its_token(door: Door) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "our-words"}
    assert (await door.client.get("/v1/forms/default", params=asked)).status_code == 403
    changed = await door.api("PATCH", "/v1/forms/default", json={"webhook_secret": "our-words"})
    assert changed.json()["has_webhook_secret"] is True
    assert "our-words" not in changed.text
    answer = await door.client.get("/v1/forms/default", params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    wrong = await door.client.get("/v1/forms/default", params={**asked, "hub.verify_token": "others"})
    assert wrong.status_code == 403
    assert (await door.client.get("/v1/forms/default")).status_code == 401  # without the question it is the API's


async def test_a_wrong_secret_is_refused_and_never_kept(door: Door) -> None:
    await door.api("PATCH", "/v1/forms/default", json={"webhook_secret": "our-words"})
    body = {"google_key": "guessed-words", "user_column_data": [{"column_id": "EMAIL", "string_value": "a@b.example"}]}
    answer = await door.client.post("/v1/forms/default", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "google_key")
    await door.runtime.service.capture.rejects.flush()  # type: ignore[attr-defined]
    listed = (await door.api("GET", "/v1/sources/src_default/rejects")).text
    assert "google_key" in listed
    assert "guessed-words" not in listed
    assert (await door.client.post("/v1/forms/default", json={**body, "google_key": "our-words"})).status_code == 200
