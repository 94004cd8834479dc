"""A rep who became inactive is told of nothing more."""

from __future__ import annotations

from pathlib import Path

from tests.support.nats import NatsServer
from tests.unit.gateway.listening import listening
from tests.unit.gateway.running import API_KEY, Door, PlayedService, gateway_settings, open_door

STREAM, REP = "/v1/alerts/stream", "/v1/reps/rep_1"
LEADER = {"authorization": f"Bearer {API_KEY}"}


async def key_of(door: Door) -> dict[str, str]:
    return {"authorization": f"Bearer {(await door.key('sales', rep_id='rep_1'))['api_key']}"}


async def test_the_stream_of_a_rep_who_left_ends_and_opens_no_more(
    nats_server: NatsServer, tmp_path: Path, routing: PlayedService
) -> None:
    settings = gateway_settings(
        nats_server.url, tmp_path / "gateway.db", routing_url=routing.url, alerts_keep_alive_seconds=0.1
    )
    routing.says("GET", REP, {"rep_id": "rep_1", "is_active": True})
    async with open_door(settings) as door:
        key = await key_of(door)
        async with (
            listening(door.app, STREAM, {}, key) as rep,
            listening(door.app, STREAM, {"rep_id": "rep_1"}, LEADER) as leader,
        ):
            assert (await rep.begun(), await leader.begun()) == (200, 200)
            await rep.told(b"still here")
            routing.says("GET", REP, {"rep_id": "rep_1", "is_active": False})
            await rep.over()
            assert not leader.is_over, "who leads them goes on"
        refused = await door.client.get(STREAM, headers=key)
        assert (refused.status_code, "inactive" in refused.json()["detail"]) == (403, True)


async def test_while_routing_is_away_a_rep_listens_on(door: Door, routing: PlayedService) -> None:
    routing.says("GET", REP, {"detail": "away"}, status=503)
    async with listening(door.app, STREAM, {}, await key_of(door)) as rep:
        assert await rep.begun() == 200
