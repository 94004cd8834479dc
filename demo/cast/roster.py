"""Who sells: four reps in two teams, each with a key of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from demo.api import Api
from demo.market.companies import OWN
from demo.setup import pages


class Way(StrEnum):
    """How a rep hears of a lead."""

    NATS = "NATS"
    STREAM = "event stream"
    POLLING = "polling"


@dataclass(frozen=True)
class Seat:
    """A place in the sales department."""

    key: str
    name: str
    team: str
    weight: int
    way: Way

    @property
    def email(self) -> str:
        return f"{self.key}@{OWN.domain}"


SEATS = (
    Seat("ana.ruiz", "Ana Ruiz", "north", 3, Way.NATS),
    Seat("bo.halloran", "Bo Halloran", "north", 2, Way.STREAM),
    Seat("chidi.obi", "Chidi Obi", "south", 2, Way.POLLING),
    Seat("dora.lukacs", "Dóra Lukács", "south", 1, Way.STREAM),
)


@dataclass(frozen=True)
class Hired:
    """A rep on duty: id, API key, and what NATS asks for where that is their way."""

    seat: Seat
    rep_id: str
    api_key: str
    nats: dict[str, Any] | None = None


async def hire(api: Api) -> list[Hired]:
    """All reps, with new keys; those of an earlier run are revoked."""
    emails = {seat.email for seat in SEATS}
    old = [key["key_id"] async for key in pages(api, "/v1/keys") if key["subject"] in emails and not key["is_revoked"]]
    for key_id in old:
        await api.delete(f"/v1/keys/{key_id}")
    return [await _hired(api, seat) for seat in SEATS]


async def _hired(api: Api, seat: Seat) -> Hired:
    wish = {
        "external_id": f"demo-{seat.key}",
        "name": seat.name,
        "email": seat.email,
        "weight": seat.weight,
        "teams": [seat.team],
        "is_active": True,
    }
    rep_id = (await api.post("/v1/reps", wish))["rep_id"]
    key = await api.post(
        "/v1/keys", {"subject": seat.email, "roles": ["sales"], "rep_id": rep_id, "teams": [seat.team]}
    )
    nats = await api.post(f"/v1/reps/{rep_id}/credentials", {}) if seat.way is Way.NATS else None
    return Hired(seat, rep_id, key["api_key"], nats)
