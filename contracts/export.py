"""Write the contracts of the bus: AsyncAPI 3, a JSON Schema per event, golden examples.

`python -m contracts.export` writes them; `--check` fails when the committed ones differ from the code. Golden examples
are kept for ever: an existing one is never rewritten, a test reads them all.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.descriptions import joined, unwrapped
from contracts.envelope import NO_CAUSE, Event
from contracts.events.catalogue import EVENTS
from contracts.events.routing import AlertRaised
from contracts.examples import EXAMPLES

FOLDER = Path(__file__).resolve().parent
GOLDEN = FOLDER / "golden"


def main() -> int:
    differing = [path for path, text in documents() if not path.exists() or path.read_text() != text]
    missing = [path for path, _ in golden_examples() if not path.exists()]
    if "--check" in sys.argv[1:]:
        for path in (*differing, *missing):
            sys.stderr.write(
                f"{path.relative_to(FOLDER.parent)} is not what the code says; run `make contracts` and commit it\n"
            )
        return 1 if differing or missing else 0
    for path, text in (*documents(), *((path, text) for path, text in golden_examples() if path in missing)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it must have."""
    for event in EVENTS:
        yield FOLDER / "schemas" / f"{event.wire_name}.json", _pretty(unwrapped(json_schema(event)))
    yield FOLDER / "asyncapi.json", _pretty(unwrapped(asyncapi()))


def golden_examples() -> Iterator[tuple[Path, str]]:
    """One example a wire name, as it goes over NATS: headers and body."""
    for example in EXAMPLES:
        yield (
            GOLDEN / f"{example.wire_name}.json",
            _pretty({"headers": example.headers(), "body": json.loads(example.body())}),
        )


def json_schema(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's body."""
    schema = event.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = event.wire_name
    return schema


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of the suite: a channel and a send operation per event."""
    channels = {event.wire_name: _channel(event) for event in EVENTS} | _alert_channels()
    operations = {
        f"{event.owner}.says.{event.wire_name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_pointer(event.wire_name)}"},
            "summary": _idea(event),
        }
        for event in EVENTS
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rapport: events",
            "version": "1",
            "description": (
                "Facts and decisions on NATS JetStream. CloudEvents 1.0, binary mode: attributes in headers, JSON in"
                " the body. On its own subject an event leaves out what is known: `ce-type` is the subject without its"
                " lane, `ce-source` a slash and the first word of it, `ce-specversion` 1.0, `content-type`"
                " application/json; `correlation` is `ce-id` unless it is said, and `causation` is `correlation` where"
                " that is said. On `alerts.` subjects all attributes are there."
            ),
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": {"Headers": OWN_HEADERS, "AllHeaders": ALL_HEADERS}},
    }


def _channel(event: type[Event], headers: str = "Headers") -> dict[str, Any]:
    return {
        "address": f"{event.wire_name}.{{lane}}",
        "title": event.__name__,
        "description": _idea(event),
        "parameters": {
            "lane": {
                "description": "0 .. LANES-1; " + ("every lane" if event.every_lane else "a hash of whom it is about")
            }
        },
        "messages": {
            event.__name__: {
                "name": event.wire_name,
                "headers": {"$ref": f"#/components/schemas/{headers}"},
                "payload": {"$ref": f"./schemas/{event.wire_name}.json"},
                "bindings": {"nats": {"bindingVersion": "0.1.0"}},
            }
        },
    }


def _alert_channels() -> dict[str, Any]:
    """Alerts are published a second time, under the same id, for the rep alone."""
    rep = {"description": "the rep who is asked; a rep's credentials read their own alone"}
    kind = {"description": "offered, reminded, withdrawn"}
    channel = _channel(AlertRaised, "AllHeaders") | {
        "address": "alerts.rep.{rep_id}.{kind}",
        "parameters": {"rep_id": rep, "kind": kind},
    }
    sink = channel | {"address": "alerts.sink.{rep_id}.{kind}", "description": "Alerts about tests: nobody is called."}
    return {"alerts.rep": channel, "alerts.sink": sink}


def _idea(event: type[Event]) -> str:
    return joined(inspect.cleandoc(event.__doc__ or "").partition("\n\n")[0])


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _pretty(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


_TEXT = {"type": "string"}
_OWN = {
    "ce-id": {**_TEXT, "description": "the same on every redelivery: de-duplicate on it"},
    "ce-time": {**_TEXT, "format": "date-time"},
    "correlation": {**_TEXT, "description": "the capture that the chain of events began with"},
    "causation": {
        **_TEXT,
        "description": f"the event that brought this one about; `{NO_CAUSE}`: none of the chain did",
    },
    "rulebook": {**_TEXT, "description": "the rulebook version that decided, e.g. scoring@1"},
    "traceparent": {**_TEXT, "description": "W3C trace context, where the trace is recorded"},
}
_CONSTANT = {
    "ce-specversion": {"const": "1.0"},
    "ce-source": {**_TEXT, "description": "/<owner>"},
    "ce-type": {**_TEXT, "description": "the wire name"},
    "content-type": {"const": "application/json"},
}
OWN_HEADERS: dict[str, Any] = {"type": "object", "required": ["ce-id", "ce-time"], "properties": _OWN}
ALL_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [*_CONSTANT, "ce-id", "ce-time", "correlation"],
    "properties": {**_CONSTANT, **_OWN},
}

if __name__ == "__main__":
    sys.exit(main())
