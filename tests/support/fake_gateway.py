"""A gateway that answers what it was told to, for commands that only ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[tuple[str, str], tuple[int, Any]]


@dataclass
class FakeGateway:
    """`asked`: what came in, as (method, path with question, key, body)."""

    url: str
    asked: list[tuple[str, str, str, Any]] = field(default_factory=list)


@contextmanager
def answering(answers: Answers) -> Iterator[FakeGateway]:
    """Answers by (method, path); 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            gateway.asked.append((self.command, self.path, self.headers.get("authorization", ""), body))
            status, text = answers.get((self.command, self.path), (404, {"detail": "There is nothing at this path"}))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"" if text is None else json.dumps(text).encode())

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that the library calls

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway = FakeGateway(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
