"""What a visitor sees who sent a form: thanks, or that it was not taken and what to do, in their words."""

from __future__ import annotations

import html
from collections.abc import Sequence

import orjson
from starlette.types import Receive, Scope, Send

from chassis.errors import Problem
from contracts.values import JsonObject
from gateway import requests
from gateway.domain.forms.submission import FormReading
from gateway.requests import ANY_ORIGIN, Incoming

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<meta name="referrer" content="no-referrer">
<body style="font-family:system-ui;margin:20vh auto;max-width:30em;padding:0 1em;text-align:center">
<h1>{title}</h1>{rest}</body></html>
"""
THANKS = _PAGE.format(title="Thank you", rest="<p>We have received your message.</p>").encode()
SENT_BY_GET = _PAGE.format(
    title="Your message was not sent",
    rest="<p>The page you came from sends its form in a way that is not safe for your data, so we did not take it."
    ' Please tell its owner: the form needs <code>method="post"</code>.</p>',
).encode()
_PASSES = frozenset({429, 500, 503, 504})
_TOLD_CHARACTERS = 300


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a form that was not taken: a page to a browser that shows it, a problem document to all others."""
    if "text/html" not in Incoming(scope).header(b"accept"):
        await requests.send_problem(problem, scope, receive, send)
        return
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items()]
    headers += [(b"cache-control", b"no-store")]
    await send_page(send, problem.status, _not_taken(problem), headers)


def _not_taken(problem: Problem) -> bytes:
    if problem.status in _PASSES:
        help_ = "Please go back and send it again in a moment: what you wrote is still in the form."
    else:
        help_ = "Please go back and look at what you wrote. If it stays, tell the owner of the page what stands below."
    said = problem.detail if problem.remedy is None else f"{problem.detail}. {problem.remedy}"
    small = html.escape(said[:_TOLD_CHARACTERS])
    rest = f"<p>{help_}</p><p><small>{small} ({problem.status})</small></p>"
    return _PAGE.format(title="Your message was not sent", rest=rest).encode("utf-8", "replace")


async def thank(send: Send, incoming: Incoming, reading: FormReading, status: int) -> None:
    """Answer a form that was taken: JSON, a page, or on to the return URL."""
    return_url = reading.return_url
    if "text/html" not in incoming.header(b"accept"):
        answer: JsonObject = {"success": True} if return_url is None else {"success": True, "return_url": return_url}
        if reading.unrecognized is not None:
            answer |= {"recognized": False, "reason": reading.unrecognized}
        await requests.send_json(send, status, orjson.dumps(answer), requests.origin_of(incoming))
        return
    kind = [(b"content-type", b"text/html; charset=utf-8"), ANY_ORIGIN]
    if return_url is None:
        await send_page(send, status, THANKS)
        return
    page = f'<a href="{html.escape(return_url)}">Thank you</a>'.encode()
    location = (b"location", _as_header(return_url))
    await send(
        {
            "type": "http.response.start",
            "status": 303,
            "headers": [*kind, location, (b"content-length", str(len(page)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": page})


async def send_page(send: Send, status: int, page: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Answer a page."""
    kind = [(b"content-type", b"text/html; charset=utf-8"), ANY_ORIGIN, (b"content-length", b"%d" % len(page))]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *headers]})
    await send({"type": "http.response.body", "body": page})


def _as_header(url: str) -> bytes:
    """A URL in ASCII; what is beyond it is percent-encoded, as browsers do."""
    return "".join(
        mark if mark.isascii() else "".join(f"%{byte:02X}" for byte in mark.encode()) for mark in url
    ).encode()
