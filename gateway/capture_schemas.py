"""The schemas of captures and forms as the published document shows them: these bodies are read by hand, and a
client's library writes them.
"""

from __future__ import annotations

from typing import Any

_OBJECT: dict[str, Any] = {"type": ["object", "null"], "additionalProperties": True}
_ID: dict[str, Any] = {"type": ["string", "number", "null"], "maxLength": 512}
_TIME: dict[str, Any] = {"type": ["string", "number", "null"]}
CAPTURE_SCHEMAS: dict[str, Any] = {
    "CaptureEvent": {
        "type": "object",
        "description": "An event of the Segment spec; fields it does not name are kept.",
        "properties": {
            "type": {
                "type": "string",
                "enum": ["identify", "track", "page", "screen", "group", "alias"],
                "description": "In a batch",
            },
            "event": {
                "type": "string",
                "maxLength": 512,
                "description": "track: what happened",
                "examples": ["Demo Requested"],
            },
            "name": {
                "type": ["string", "null"],
                "maxLength": 512,
                "description": "page, screen: which one",
                "examples": ["Pricing"],
            },
            "userId": _ID | {"description": "The id that your own system has for the person", "examples": ["u-1001"]},
            "anonymousId": _ID
            | {
                "description": "The name a browser or app gives a visitor before it knows who they are",
                "examples": ["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"],
            },
            "groupId": _ID
            | {"description": "group: the id that your own system has for the company", "examples": ["g-77"]},
            "previousId": _ID
            | {"description": "alias: the name that the person went by before", "examples": ["u-0042"]},
            "messageId": _ID
            | {
                "description": "Your id of the event: sent again it counts once; without it, one is made",
                "examples": ["msg-5d41402a"],
            },
            "traits": _OBJECT
            | {
                "description": "identify, group: what is said of the person or the company",
                "examples": [{"email": "ada@example.com", "company": "Tidewater Freight"}],
            },
            "properties": _OBJECT
            | {"description": "What is said of the event itself", "examples": [{"plan": "team", "seats": 40}]},
            "context": _OBJECT
            | {
                "description": "Where it happened: page, campaign, device, language",
                "examples": [{"page": {"path": "/pricing"}, "campaign": {"name": "spring-2026"}}],
            },
            "timestamp": _TIME
            | {
                "description": "When it happened, by the sender's clock; without it, when it came",
                "examples": ["2026-03-02T09:30:00Z"],
            },
            "sentAt": _TIME
            | {
                "description": "When it was sent, by the same clock; tells how far that clock is off",
                "examples": ["2026-03-02T09:30:02Z"],
            },
        },
        "examples": [
            {"type": "track", "event": "Demo Requested", "userId": "u-1001", "properties": {"email": "ada@example.com"}}
        ],
        "additionalProperties": True,
    },
    "CaptureBatch": {
        "type": "object",
        "description": "Up to 2500 events in one request.",
        "required": ["batch"],
        "properties": {
            "batch": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/CaptureEvent"},
                "maxItems": 2500,
                "description": "The events; each is taken or rejected by itself",
            },
            "context": _OBJECT
            | {
                "description": "What is true of all events; what an event says itself goes before it",
                "examples": [{"library": {"name": "analytics-node", "version": "2.1.0"}}],
            },
            "sentAt": _TIME
            | {
                "description": "When the batch was sent; counts for each event that does not say it",
                "examples": ["2026-03-02T09:30:02Z"],
            },
            "writeKey": {
                "type": "string",
                "description": "The source's write key, where a header cannot be set",
                "examples": ["wk_6f1d2a0c9b"],
            },
        },
        "examples": [
            {
                "batch": [
                    {"type": "identify", "userId": "u-1001", "traits": {"email": "ada@example.com"}},
                    {"type": "track", "event": "Demo Requested", "userId": "u-1001"},
                ],
                "sentAt": "2026-03-02T09:30:02Z",
            }
        ],
        "additionalProperties": True,
    },
    "CaptureAnswer": {
        "type": "object",
        "description": "What became of the events.",
        "required": ["success"],
        "properties": {
            "success": {"const": True, "description": "All events that are not among the rejected are on disk"},
            "rejected": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/RejectedEvent"},
                "description": "Events that were not taken; absent when there are none",
            },
        },
        "examples": [{"success": True}],
        "additionalProperties": False,
    },
    "RejectedEvent": {
        "type": "object",
        "description": "An event that was not taken, and why.",
        "required": ["index", "field", "reason"],
        "properties": {
            "index": {"type": "integer", "description": "Its place in the batch, counted from 0", "examples": [3]},
            "field": {
                "type": "string",
                "description": "Dotted path of the field, within the event",
                "examples": ["userId"],
            },
            "reason": {
                "type": "string",
                "description": "Why, and what would help",
                "examples": ["must be a string, not an array"],
            },
        },
        "additionalProperties": False,
    },
    "FormAnswer": {
        "type": "object",
        "description": "What became of the post.",
        "required": ["success"],
        "properties": {
            "success": {"const": True, "description": "The post is on disk"},
            "return_url": {
                "type": "string",
                "description": "Where the form asked to be sent on to; absent when it did not, or may not",
                "examples": ["https://www.acme.test/thanks"],
            },
            "recognized": {
                "type": "boolean",
                "description": "false: nobody was found in it; it is in the source's rejects",
            },
            "reason": {
                "type": "string",
                "description": "Why nobody was found",
                "examples": ["nobody was found: no field holds an e-mail address, a phone number or a user id"],
            },
        },
        "examples": [{"success": True}],
        "additionalProperties": False,
    },
}
