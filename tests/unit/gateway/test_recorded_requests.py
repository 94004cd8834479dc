"""What real SDKs send is read into the right interactions, and said exactly as the contract's class would say it."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from contracts.events.gateway import InteractionReceived
from contracts.limits import BATCH_BYTES
from contracts.values import Flag, IdentifierKind, InteractionKind
from gateway.domain.batch import read_batch, read_single
from gateway.domain.body import inflate, parse
from gateway.domain.capture import Capture
from gateway.domain.refusal import CaptureRefused
from gateway.domain.segment import KINDS, read_event
from tests.unit.gateway.recordings import BY_PATH, NOW, WEB, Recorded, arrival, sdk_requests, spec_payloads


def captures_of(request: Recorded) -> tuple[Capture, ...]:
    raw = inflate(request.body, request.headers.get("content-encoding", ""), BATCH_BYTES)
    came = arrival(received_at=request.recorded_at)
    body = parse(raw)
    if request.kind is not None:
        return (read_single(body, request.kind, came),)
    reading = read_batch(body, len(raw), came)
    assert reading.rejects == ()
    return reading.captures


def events_of(request: Recorded) -> list[InteractionReceived]:
    return [InteractionReceived.from_wire(capture.headers(), capture.body) for capture in captures_of(request)]


def posts() -> list[Recorded]:
    return [request for request in sdk_requests() if request.method == "POST"]


def test_every_recorded_event_is_said_byte_for_byte_as_the_contract_says_it() -> None:
    seen = 0
    for request in posts():
        for capture in captures_of(request):
            event = InteractionReceived.from_wire(capture.headers(), capture.body)
            assert capture.body == event.body()
            assert capture.headers() == event.headers_on(capture.subject(1))
            assert (capture.subject(8),) == event.subjects(8)
            seen += 1
    assert seen == 62  # nothing of what the SDKs recorded went missing


def test_each_sdk_says_each_kind_and_nothing_is_odd_about_its_clock() -> None:
    kinds: dict[str, Counter[InteractionKind]] = {}
    for request in posts():
        for event in events_of(request):
            kinds.setdefault(request.file, Counter())[event.interaction.kind] += 1
            assert event.interaction.flags == (), (request.file, event.interaction.flags)
    browser = dict.fromkeys(("identify", "group", "alias", "screen"), 1) | {"page": 2, "track": 2}
    for file, counted in kinds.items():
        expected = browser if "next" in file else dict.fromkeys(KINDS, 1)
        assert counted == Counter({KINDS[name]: count for name, count in expected.items()}), file


@pytest.mark.parametrize(
    "file",
    [
        "segment_analytics_next_1.84.3_chromium.json",
        "segment_analytics_python_2.4.0.json",
        "segment_analytics_node_3.1.0.json",
    ],
)
def test_an_identify_names_the_person_strongest_first_and_the_company(file: str) -> None:
    events = [event for request in posts() if request.file == file for event in events_of(request)]
    identify = next(event for event in events if event.interaction.kind is InteractionKind.IDENTIFY)
    named = [(identifier.kind, identifier.value) for identifier in identify.identifiers]
    assert named[:3] == [
        (IdentifierKind.USER_ID, "u-1001"),
        (IdentifierKind.EMAIL, "Ada.Lovelace+news@Example.com"),
        (IdentifierKind.PHONE, "+44 20 7946 0000"),
    ]
    assert named[3][0] is IdentifierKind.ANONYMOUS_ID
    assert identify.interaction.account is not None
    assert identify.interaction.account.name == "Analytical Engines Ltd"
    assert identify.interaction.traits["firstName"] == "Ada"


def test_a_python_batch_keeps_names_times_groups_and_aliases() -> None:
    request = next(request for request in posts() if request.file == "segment_analytics_python_2.4.0.json")
    by_kind = {event.interaction.kind: event for event in events_of(request)}
    page, group, alias = by_kind[InteractionKind.PAGE], by_kind[InteractionKind.GROUP], by_kind[InteractionKind.ALIAS]
    assert (page.interaction.name, page.interaction.properties["category"]) == ("Pricing", "Docs")
    assert [identifier.kind for identifier in page.identifiers] == [IdentifierKind.ANONYMOUS_ID]  # userId was null
    assert page.interaction.occurred_at.isoformat() == "2026-03-01T12:00:00+00:00"
    assert group.interaction.account is not None
    assert (group.interaction.account.group_id, group.interaction.account.domain) == ("acct-77", "engines.example")
    assert group.interaction.traits == {}  # a company's traits are not the person's
    assert alias.previous_id == "507f191e810c19729de860ea"
    assert by_kind[InteractionKind.TRACK].interaction.properties["unicode"] == "Zoë 東京"


def test_the_same_message_has_the_same_capture_id_whenever_it_comes_and_however_it_is_wrapped() -> None:
    for request in posts():
        raw = inflate(request.body, request.headers.get("content-encoding", ""), BATCH_BYTES)
        body = parse(raw)
        events = body.get("batch", [body])
        first = captures_of(request)
        again = [
            read_event({**event, "sentAt": "2026-11-23T00:00:00Z"}, request.kind, WEB, NOW, arrival().sender)
            for event in events
        ]
        assert [capture.event_id for capture in first] == [capture.event_id for capture in again]


def test_the_write_key_never_reaches_the_stream() -> None:
    assert not any(b"test_write_key" in capture.body for request in posts() for capture in captures_of(request))


# --- the payloads of the spec
# -------------------------------------------------------------------------------------------------


# what the text around them says
PATHS = BY_PATH | {"selecting destinations": InteractionKind.IDENTIFY, "create the payload:": InteractionKind.TRACK}


def verdict(item: dict[str, object]) -> str:
    """`kind` of the capture, or `field` of the refusal, for a payload sent where its heading says it belongs."""
    payload = item["payload"]
    heading = str(item["heading"]).lower()
    if isinstance(payload, dict) and "batch" in payload:
        reading = read_batch(payload, len(orjson.dumps(payload)), arrival())
        return f"batch of {len(reading.captures)}, {len(reading.rejects)} refused"
    kind = PATHS.get(heading) if isinstance(payload, dict) and "type" not in payload else None
    try:
        capture = read_event(payload, kind, WEB, NOW, arrival().sender)
    except CaptureRefused as refused:
        return f"refused: {refused.field}" if len(refused.reason) > 10 else "refused without a reason"
    event = InteractionReceived.from_wire(capture.headers(), capture.body)
    assert event.body() == capture.body
    return event.interaction.kind.value


def test_every_payload_of_the_spec_is_taken_or_refused_with_a_reason() -> None:
    verdicts = Counter(verdict(item) for item in spec_payloads())
    assert sum(verdicts.values()) == 112
    refused = {name: count for name, count in verdicts.items() if "refused" in name and not name.startswith("batch")}
    # four examples name nobody; twenty are documents of other interfaces
    # (profiles, objects, errors), which are no events
    assert refused == {"refused: userId": 4, "refused: type": 20}, verdicts


def test_old_examples_of_the_spec_keep_their_claimed_time() -> None:
    payload = next(
        item["payload"] for item in spec_payloads() if item["payload"].get("sentAt") == "2015-02-23T22:28:55.111Z"
    )
    capture = read_event(payload, None, WEB, NOW, arrival().sender)
    interaction = InteractionReceived.from_wire(capture.headers(), capture.body).interaction
    assert interaction.occurred_at.year == 2015  # eleven years are no clock error
    assert Flag.CLOCK_CORRECTED not in interaction.flags
