"""A post in which nobody was found, as it is kept to be read again: what was filled in, without secrets, and the visit
it came with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from contracts.limits import UNRECOGNIZED_BYTES
from contracts.values import JsonObject
from gateway.domain.capture import CaptureSender
from gateway.domain.forms.form_body import Submission
from gateway.domain.forms.presets import SECRET, guess
from gateway.domain.forms.submission import Visit

_COOKIE: Final = "ajs_anonymous_id"  # the only one that is read
_DROPPED: Final = "(dropped)"
_LABELS: Final = ("name", "label", "key", "title", "id")


def kept(submission: Submission, visit: Visit, message_id: str) -> str | None:
    """As JSON; None when it is larger than is kept. `message_id` is the one it was captured under."""
    post = {
        "message_id": message_id,
        "fields": _without_secrets(submission.fields),
        "files": submission.files,
        "document": None if submission.document is None else _without_secrets(submission.document),
        "page_url": visit.page_url,
        "ip": visit.sender.ip,
        "user_agent": visit.sender.user_agent,
        "cookie": visit.cookies.get(_COOKIE),
        "language": visit.language,
    }
    written = orjson.dumps({name: value for name, value in post.items() if value})
    return written.decode() if len(written) <= UNRECOGNIZED_BYTES else None


def read_again(post: str) -> tuple[Submission, Visit, str]:
    """What was kept: the post, the visit, and the message id it was captured under."""
    told: JsonObject = orjson.loads(post)
    submission = Submission(told.get("fields", {}), tuple(told.get("files", ())), told.get("document"))
    cookies = {_COOKIE: told["cookie"]} if "cookie" in told else {}
    sender = CaptureSender(told.get("ip"), told.get("user_agent"))
    return submission, Visit(sender, told.get("page_url"), cookies, told.get("language")), told["message_id"]


def _without_secrets(node: Any) -> Any:
    if isinstance(node, Mapping):
        is_secret = any(isinstance(label := node.get(name), str) and guess(label) == SECRET for name in _LABELS)
        return {
            key: _DROPPED if guess(key) == SECRET or (is_secret and key not in _LABELS) else _without_secrets(value)
            for key, value in node.items()
        }
    return [_without_secrets(item) for item in node] if isinstance(node, list) else node
