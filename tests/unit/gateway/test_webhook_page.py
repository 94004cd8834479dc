"""The page about webhooks says what is so: its examples run, its table is whole, its figures are the code's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.events.catalogue import EVENTS
from gateway.domain.webhooks.backoff import MOST_ATTEMPTS, SCHEDULE_SECONDS
from gateway.domain.webhooks.limits import WEBHOOK_LOG, WEBHOOK_LOG_DAYS, WEBHOOK_REPLAY, WEBHOOK_WINDOW, WEBHOOKS
from gateway.domain.webhooks.payload import sample_of
from gateway.domain.webhooks.signature import secret_from, signed_headers
from gateway.webhooks import dispatcher, guarded_client, sender

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text()
SECRET, OTHER = secret_from(bytes(range(32))), secret_from(bytes(32))
BODY = sample_of("lifecycle.stage.entered.v1", "evt_1")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return str(found)


def cases() -> list[tuple[str, dict[str, str], bytes, bool]]:
    now = datetime.now(UTC)
    good = signed_headers([SECRET], "evt_1", now, BODY)
    return [
        (SECRET, good, BODY, True),
        (SECRET, signed_headers([OTHER, SECRET], "evt_1", now, BODY), BODY, True),
        (OTHER, good, BODY, False),
        (SECRET, good, BODY.replace(b"evt_1", b"evt_2"), False),
        (SECRET, {**good, "webhook-id": "evt_2"}, BODY, False),
        (SECRET, signed_headers([SECRET], "evt_1", now - timedelta(minutes=6), BODY), BODY, False),
        (SECRET, {**good, "webhook-signature": "v1,"}, BODY, False),
    ]


def test_the_python_example_takes_what_is_ours_and_nothing_else() -> None:
    names: dict[str, Any] = {}
    exec(block("python"), names)
    for secret, headers, body, holds in cases():
        event = names["receive"](secret, headers, body)
        assert (event is not None) is holds
        assert event is None or event["type"] == "lifecycle.stage.entered.v1"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_node_example_takes_what_is_ours_and_nothing_else() -> None:
    asked = [[secret, headers, body.decode()] for secret, headers, body, _ in cases()]
    script = f"{block('js')}\nconst asked = JSON.parse(require('node:fs').readFileSync(0));\n" + (
        "console.log(JSON.stringify(asked.map(([s, h, b]) => receive(s, h, Buffer.from(b)) !== null)));"
    )
    ended = subprocess.run(
        ["node", "-e", script], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(ended.stdout) == [holds for *_, holds in cases()]


def test_the_table_names_every_event_and_no_other() -> None:
    assert re.findall(r"^\| `([a-z_.]+\.v\d+)` \|", PAGE, re.M) == [event.wire_name for event in EVENTS]


def test_the_figures_are_those_of_the_code() -> None:
    renewed, claimed = dispatcher._RENEWAL_SECONDS, dispatcher._CLAIM_SECONDS
    assert SCHEDULE_SECONDS[:6] == (5, 30, 120, 600, 1_800, 3_600)
    for said in (
        f"{MOST_ATTEMPTS} attempts in about 25 hours",
        f"{WEBHOOKS} webhooks at most",
        f"at most {WEBHOOK_WINDOW} events in hand",
        f"{WEBHOOK_REPLAY:,} events of each stream",
        f"newest {WEBHOOK_LOG:,} settled deliveries of each webhook, and none older than {WEBHOOK_LOG_DAYS} days",
        f"{sender.PARALLEL} attempts at once for each, {guarded_client._MOST_AT_ONCE} in total",
        f"{guarded_client.ANSWER_BYTES} bytes of an answer",
        f"anew every {renewed:.0f} seconds; another takes over {claimed:.0f} seconds",
    ):
        assert said in PAGE, said
    assert guarded_client._MOST_AT_ONCE == WEBHOOKS * sender.PARALLEL
