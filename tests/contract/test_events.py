"""What the services promise each other on the bus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts.envelope import Event
from contracts.events.catalogue import BY_WIRE_NAME, EVENTS
from contracts.events.routing import AlertRaised
from contracts.examples import EXAMPLES
from contracts.export import FOLDER, GOLDEN, documents

GOLDEN_FILES = sorted(GOLDEN.glob("*.json"))


def a_cloud_event(document: dict[str, Any]) -> dict[str, Any]:
    """The structured form of a binary-mode message."""
    attributes = {name.removeprefix("ce-"): value for name, value in document["headers"].items() if name.startswith("ce-")}
    return {**attributes, "datacontenttype": document["headers"]["content-type"], "data": document["body"]}


def what_was_said(golden: Any, written: Any) -> Any:
    """`written` as far as the golden example says something: without the fields, however deep, that came later. What is not written is as it is
    by default, which the same event read back shows."""
    if isinstance(golden, dict) and isinstance(written, dict):
        return {name: what_was_said(value, written.get(name, value)) for name, value in golden.items()}
    if isinstance(golden, list) and isinstance(written, list) and len(golden) == len(written):
        return [what_was_said(*pair) for pair in zip(golden, written, strict=True)]
    return written


@pytest.mark.parametrize("path", GOLDEN_FILES, ids=lambda path: path.stem)
def test_golden_example_is_still_read_and_means_the_same(path: Path) -> None:
    document = json.loads(path.read_text())
    event = BY_WIRE_NAME[document["headers"]["ce-type"]].from_wire(document["headers"], json.dumps(document["body"]).encode())
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


def test_missing_header_is_named() -> None:
    example = EXAMPLES[0]
    headers = {name: value for name, value in example.headers().items() if name != "ce-id"}
    with pytest.raises(ValueError, match="ce-id"):
        type(example).from_wire(headers, example.body())


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
