"""Signatures, pauses, names of events and what is sent: rules without a clock or a network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from chassis.message import Received
from contracts.envelope import Event
from contracts.events.catalogue import EVENTS
from contracts.examples import EXAMPLES
from gateway.domain.webhooks.backoff import (
    MOST_ATTEMPTS,
    SCHEDULE_SECONDS,
    Reception,
    is_given_up,
    next_attempt,
    verdict_of,
    wish_of,
)
from gateway.domain.webhooks.event_types import guess, is_known, matches, subjects_of
from gateway.domain.webhooks.payload import payload_of, place_of, sample_of
from gateway.domain.webhooks.signature import KeptSecret, in_force, rotated, secret_from, signed_headers
from gateway.webhooks.seal import Seal, SecretUnreadable

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=200).map(lambda raw: orjson.dumps({"raw": raw.hex()})))
def test_the_library_of_receivers_takes_the_signature_and_none_of_another_body(entropy: bytes, body: bytes) -> None:
    secret, now = secret_from(entropy), datetime.now(UTC)
    headers = signed_headers([secret], "evt_1", now, body)
    assert Webhook(secret).verify(body, headers) == orjson.loads(body)
    with pytest.raises(Exception, match="No matching"):
        Webhook(secret).verify(body + b" ", headers)


def test_the_signature_is_what_the_specification_says() -> None:
    secret = secret_from(bytes(range(32)))
    headers = signed_headers([secret, secret_from(bytes(32))], "evt_1", NOW, b'{"a":1}')
    by_hand = hmac.new(bytes(range(32)), b'evt_1.1772443800.{"a":1}', hashlib.sha256).digest()
    first, second = headers["webhook-signature"].split(" ")
    assert first == f"v1,{base64.b64encode(by_hand).decode()}"
    assert second.startswith("v1,")
    assert headers["webhook-timestamp"] == "1772443800"


def test_a_rotation_keeps_the_old_secret_for_a_while_and_never_prolongs_an_older_one() -> None:
    kept = rotated([KeptSecret("one")], "two", NOW, NOW + HOUR)
    assert [(one.sealed, one.expires_at) for one in kept] == [("two", None), ("one", NOW + HOUR)]
    kept = rotated(kept, "three", NOW, NOW + 5 * HOUR)
    assert [(one.sealed, one.expires_at) for one in kept] == [
        ("three", None), ("two", NOW + 5 * HOUR), ("one", NOW + HOUR),
    ]  # fmt: skip
    assert [one.sealed for one in in_force(kept, NOW + HOUR)] == ["three", "two"]
    assert len(rotated(kept, "four", NOW, NOW + HOUR)) == 3
    assert [one.sealed for one in rotated(kept, "four", NOW, NOW)] == ["four"]
    assert KeptSecret.of_row(kept[1].row()) == kept[1]


def test_attempts_go_on_for_about_a_day_and_no_pause_is_longer_than_an_hour_or_so() -> None:
    dice, now, pauses = random.Random(7), NOW, []
    for attempts in range(1, MOST_ATTEMPTS):
        following = next_attempt(attempts, now, dice.random())
        assert following is not None
        pauses.append((following - now).total_seconds())
        now = following
    assert next_attempt(MOST_ATTEMPTS, now, 0.5) is None
    assert timedelta(hours=24) < now - NOW < timedelta(hours=28)
    assert max(pauses) <= 3600 * 1.2
    assert all(0.8 * base <= pause <= 1.2 * base for base, pause in zip(SCHEDULE_SECONDS, pauses, strict=True))


def test_the_receiver_s_wish_goes_before_a_shorter_pause() -> None:
    assert next_attempt(1, NOW, 0.5, 600) == NOW + timedelta(seconds=600)
    assert next_attempt(6, NOW, 0.5, 600) == NOW + HOUR


@pytest.mark.parametrize(
    ("says", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("0", 0), ("120", 120), (" 7 ", 7), ("9" * 30, 86_400),
        ("Mon, 02 Mar 2026 09:31:00 GMT", 60), ("Mon, 02 Mar 2020 09:31:00 GMT", 0), ("\u0663", None),
        ("Fri, 02 Mar 2046 09:31:00 GMT", 86_400),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(says: str | None, seconds: float | None) -> None:
    assert wish_of(says, NOW) == seconds


def test_what_an_answer_means() -> None:
    assert all(verdict_of(status) is Reception.DELIVERED for status in (200, 204, 299))
    for status in (None, 100, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503):
        assert verdict_of(status) is Reception.AGAIN
    assert verdict_of(410) is Reception.GONE
    assert is_given_up(NOW, NOW + 24 * HOUR, 24 * HOUR)
    assert not is_given_up(NOW, NOW + 23 * HOUR, 24 * HOUR)
    assert not is_given_up(None, NOW, HOUR)


@pytest.mark.parametrize(
    ("pattern", "name", "is_meant"),
    [
        ("*", "lifecycle.stage.entered.v1", True),
        ("lifecycle.*", "lifecycle.stage.entered.v1", True),
        ("lifecycle.*", "routing.referral.offered.v1", False),
        ("lifecycle.stage.*", "lifecycle.stage.entered.v1", True),
        ("lifecycle.stage.entered", "lifecycle.stage.entered.v1", True),
        ("lifecycle.stage.entered.v1", "lifecycle.stage.entered.v1", True),
        ("scoring.profile.changed", "scoring.profile.changed.v2", True),
        ("scoring.profile.changed.v1", "scoring.profile.changed.v2", False),
        ("lifecycle.*.entered", "lifecycle.stage.entered.v1", True),
        ("lifecycle.*.entered", "lifecycle.stage.corrected.v1", False),
        ("lifecycle.stage", "lifecycle.stage.entered.v1", False),
        ("life.*", "lifecycle.stage.entered.v1", False),
    ],
)
def test_patterns(pattern: str, name: str, is_meant: bool) -> None:
    assert matches(pattern, name) is is_meant


def test_a_pattern_that_means_nothing_is_known_for_that_and_the_nearest_is_named() -> None:
    assert not is_known("lifecycle.stage.entred")
    assert guess("lifecycle.stage.entred") == "lifecycle.stage.entered"
    assert guess("lifecycle") == "lifecycle.*"
    assert guess("zzzz") == ""


def test_each_event_stands_on_one_subject_and_what_is_said_in_every_lane_is_taken_from_the_first() -> None:
    subjects = [subject for found in subjects_of(["*"]).values() for subject in found]
    assert len(subjects) == len(EVENTS) == len(set(subjects))
    assert subjects_of(["identity.person.*"])["IDENTITY"] == (
        "identity.person.created.v1.*", "identity.person.merged.v1.0", "identity.person.split.v1.0",
        "identity.person.marked.v1.*",
    )  # fmt: skip


@pytest.mark.parametrize("said", EXAMPLES, ids=lambda event: event.wire_name)
def test_every_event_is_sent_as_it_was_published_in_an_envelope_that_is_signed_too(said: Event) -> None:
    subject = f"{said.wire_name}.3"
    message = Received(subject, said.headers_on(subject), said.body(), "SOME", 12, 1, NOW)
    event_id, body = payload_of(message)
    read = orjson.loads(body)
    assert (event_id, read["id"], read["type"]) == (said.meta.event_id, said.meta.event_id, said.wire_name)
    assert read["data"] == orjson.loads(said.body())
    assert read["correlation"] == said.meta.correlation_id
    assert place_of(read["cursor"]) == ("SOME", 12)
    assert orjson.loads(sample_of(said.wire_name, "evt_x"))["sample"] is True


def test_what_is_no_event_breaks_no_document() -> None:
    for headers, body in (({}, b"{}"), ({"ce-id": "e", "ce-time": NOW.isoformat()}, b'{"a":1},"id":"forged"')):
        with pytest.raises(ValueError):  # noqa: PT011 - either kind
            payload_of(Received("lifecycle.stage.entered.v1.0", headers, body, "LIFECYCLE", 1, 1, NOW))


def test_a_sealed_secret_opens_for_its_webhook_under_its_key_alone() -> None:
    sealed = Seal("key one").seal("whsec_x", "whk_1")
    assert Seal("key one").open(sealed, "whk_1") == "whsec_x"
    assert Seal("key one").seal("whsec_x", "whk_1") != sealed
    assert b"whsec" not in base64.b64decode(sealed)
    for key, webhook_id in (("key two", "whk_1"), ("key one", "whk_2")):
        with pytest.raises(SecretUnreadable):
            Seal(key).open(sealed, webhook_id)
