"""What fails for good is set aside with its reason; an operator sees it and sends it on its way again.

An observer may only look.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import nats
import pytest

from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite

pytestmark = pytest.mark.slow
SUBJECT = "capture.interaction.received.v1.0"


def dead(url: str, *words: str) -> tuple[int, list[dict[str, object]]]:
    command = [sys.executable, "-m", "chassis.bus.dead", "--url", url, *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


async def test_a_poisonous_capture_is_set_aside_and_replayed_by_an_operator(own_suite: Suite) -> None:
    operator = await nats.connect(own_suite.operator_nats_url)
    await operator.publish(
        SUBJECT, b'{"not": "a capture"}', headers={"ce-id": "cap_poison", "ce-time": "2026-03-01T00:00:00Z"}
    )
    await operator.flush()

    async def set_aside() -> dict[str, object]:
        _, letters = await asyncio.to_thread(dead, own_suite.operator_nats_url, "list")
        assert len(letters) == 1
        return letters[0]

    letter = await eventually(set_aside, within=20)
    assert (letter["service"], letter["subject"], letter["event_id"]) == ("identity", SUBJECT, "cap_poison")
    assert "interaction" in str(letter["reason"])

    code, replayed = await asyncio.to_thread(dead, own_suite.operator_nats_url, "replay", str(letter["letter"]))
    assert (code, replayed[0]["replayed"]) == (0, letter["letter"])

    async def dead_again() -> None:
        assert (await set_aside())["letter"] != letter["letter"]

    await eventually(dead_again, within=20)
    await operator.close()


async def test_an_observer_hears_everything_and_can_say_nothing(own_suite: Suite) -> None:
    refusals: list[str] = []

    async def note(error: Exception) -> None:
        refusals.append(str(error).lower())

    observer = await nats.connect(own_suite.nats_url, error_cb=note)
    await observer.publish(SUBJECT, b"{}")
    await observer.publish("$JS.API.CONSUMER.MSG.NEXT.CAPTURE.identity", b"{}", reply="anywhere")
    await observer.flush()
    await eventually(lambda: sum("permissions violation" in refusal for refusal in refusals) >= 2, within=5)
    info = await observer.jetstream().stream_info("CAPTURE")
    assert info.state.messages == 0
    await observer.close()
