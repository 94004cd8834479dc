"""What the services promise each other on the bus."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from contracts.envelope import Event, Meta, meta_from_headers, whole_headers
from contracts.events.catalogue import BY_WIRE_NAME, EVENTS
from contracts.events.routing import AlertRaised
from contracts.examples import EXAMPLES
from contracts.export import ALL_HEADERS, FOLDER, GOLDEN, OWN_HEADERS, documents

MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
GOLDEN_FILES = sorted(GOLDEN.glob("*.json"))


def a_cloud_event(document: dict[str, Any]) -> dict[str, Any]:
    """The structured form of a binary-mode message."""
    attributes = {
        name.removeprefix("ce-"): value for name, value in document["headers"].items() if name.startswith("ce-")
    }
    return {**attributes, "datacontenttype": document["headers"]["content-type"], "data": document["body"]}


def what_was_said(golden: Any, written: Any) -> Any:
    """`written` as far as the golden example says something: without the fields, however deep, that came later.

    What is not written is as it is by default, which the same event read back shows.
    """
    if isinstance(golden, dict) and isinstance(written, dict):
        return {name: what_was_said(value, written.get(name, value)) for name, value in golden.items()}
    if isinstance(golden, list) and isinstance(written, list) and len(golden) == len(written):
        return [what_was_said(*pair) for pair in zip(golden, written, strict=True)]
    return written


@pytest.mark.parametrize("path", GOLDEN_FILES, ids=lambda path: path.stem)
def test_golden_example_is_still_read_and_means_the_same(path: Path) -> None:
    document = json.loads(path.read_text())
    event = BY_WIRE_NAME[document["headers"]["ce-type"]].from_wire(
        document["headers"], json.dumps(document["body"]).encode()
    )
    assert what_was_said(document["body"], json.loads(event.body())) == document["body"]
    assert type(event).from_wire(event.headers(), event.body()) == event
    assert event.headers() == document["headers"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda event: event.wire_name)
def test_body_fits_the_published_schema(example: Event) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{example.wire_name}.json").read_text())
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(json.loads(example.body()))


def test_every_event_has_a_schema_an_example_and_a_golden_file() -> None:
    names = {event.wire_name for event in EVENTS}
    assert {example.wire_name for example in EXAMPLES} == names
    assert {path.stem for path in GOLDEN_FILES} >= names
    assert {path.stem for path in (FOLDER / "schemas").glob("*.json")} == names


def test_committed_documents_are_those_of_the_code() -> None:
    assert [path.name for path, text in documents() if path.read_text() != text] == []


def test_wire_names_say_owner_entity_past_and_version() -> None:
    for event in EVENTS:
        owner, _entity, _past, version = event.wire_name.split(".")
        assert owner == event.owner
        assert version.startswith("v")


def test_an_event_is_a_valid_cloud_event() -> None:
    schema_path = FOLDER.parent.parent / "shared" / "data" / "standards" / "cloudevents_schema.json"
    if not schema_path.exists():
        pytest.skip("../shared/data/standards is not beside this checkout")
    validator = Draft202012Validator(json.loads(schema_path.read_text()), format_checker=FormatChecker())
    for path in GOLDEN_FILES:
        validator.validate(a_cloud_event(json.loads(path.read_text())))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda event: event.wire_name)
def test_what_an_event_leaves_out_on_its_own_subject_can_be_put_back(example: Event) -> None:
    for subject in example.subjects(2):
        short = example.headers_on(subject)
        assert type(example).from_wire(short, example.body()) == example
        whole = whole_headers(subject if subject.startswith(example.wire_name) else f"{example.wire_name}.0", short)
        assert {**whole, "ce-time": datetime.fromisoformat(whole["ce-time"]).isoformat()} == example.headers()
        assert ("ce-type" in short) == (not subject.startswith(example.wire_name))
        Draft202012Validator(ALL_HEADERS if "ce-type" in short else OWN_HEADERS).validate(short)


@pytest.mark.parametrize(
    ("correlation", "causation", "said"),
    [
        ("evt_1", None, {}),  # it begins a chain
        ("cap_1", "cap_1", {"correlation": "cap_1"}),  # the first thing a capture brought about
        ("cap_1", "evt_0", {"correlation": "cap_1", "causation": "evt_0"}),
        ("cap_1", None, {"correlation": "cap_1", "causation": "-"}),
        ("evt_1", "evt_0", {"causation": "evt_0"}),
    ],
)
def test_causes_that_follow_from_others_are_not_said(
    correlation: str, causation: str | None, said: dict[str, str]
) -> None:
    example = EXAMPLES[0].model_copy(
        update={"meta": Meta(event_id="evt_1", at=MOMENT, correlation_id=correlation, causation_id=causation)}
    )
    subject = example.subjects(1)[0]
    assert example.headers_on(subject) == {"ce-id": "evt_1", "ce-time": "2026-03-01T08:00:00Z", **said}
    assert meta_from_headers(example.headers_on(subject)) == example.meta
    assert meta_from_headers(whole_headers(subject, example.headers_on(subject))) == example.meta
    assert meta_from_headers(example.headers()) == example.meta


def test_missing_header_is_named() -> None:
    example = EXAMPLES[0]
    headers = {name: value for name, value in example.headers().items() if name != "ce-id"}
    with pytest.raises(ValueError, match="ce-id"):
        type(example).from_wire(headers, example.body())


def test_what_is_wrong_with_the_headers_is_told_as_theirs_and_first() -> None:
    example = EXAMPLES[0]
    with pytest.raises(ValidationError) as refused:
        type(example).from_wire(example.headers() | {"ce-time": "2026-03-01T08:00:00"}, b"{}")
    assert [error["loc"] for error in refused.value.errors()] == [("at",)]


def test_what_all_shards_must_hear_goes_to_every_lane() -> None:
    for example in EXAMPLES:
        in_lanes = [subject for subject in example.subjects(8) if subject.startswith(example.wire_name)]
        assert len(in_lanes) == (8 if example.every_lane else 1)
        assert example.subjects(1)[0] == f"{example.wire_name}.0"


def test_an_alert_is_also_for_the_rep_alone_and_a_test_for_nobody() -> None:
    alert = next(example for example in EXAMPLES if isinstance(example, AlertRaised))
    others = [example for example in EXAMPLES if len(example.subjects(1)) > 1]
    assert others == [alert]
    assert alert.subjects(1)[1:] == (f"alerts.rep.{alert.rep_id}.offered",)
    assert alert.model_copy(update={"is_test": True}).subjects(1)[1:] == (f"alerts.sink.{alert.rep_id}.offered",)
