"""The shortest whole story: a visitor, a form, a demo request, and the rep who hears of it."""

from __future__ import annotations

import json

from tests.support.actors import Visitor, ago, hire
from tests.support.suite import Suite

LEAD = {
    "email": "ida.holm@harbour.example",
    "name": "Ida Holm",
    "title": "VP Sales",
    "company": "Harbour Logistics",
    "employees": "450",
}


async def goes_from_form_to_rep(suite: Suite) -> None:
    """A capture becomes a person with a score and a stage, and an alert that the rep takes from NATS."""
    ana = await hire(suite, "Ana Ruiz")
    ida = Visitor(suite, "browser-of-ida", suite.write_key, {})
    await ida.looks_at("/pricing", ago(minutes=3))
    await ida.fills_in("default", LEAD)
    await ida.does("Demo Requested", ago(minutes=2))
    (message,) = await ana.next_alerts(1, within=60)
    alert = json.loads(message.data)
    async with suite.client() as office:
        (person,) = (await office.get("/v1/people", params={"email": LEAD["email"]})).json()["items"]
        view = (await office.get(f"/v1/people/{person['person_id']}")).json()
    assert alert["person_id"] == view["person_id"]
    assert view["degraded"] == []
    assert view["scores"]["cell"][0] in "AB"
    assert view["lifecycle"]["stage"] == "mql"
