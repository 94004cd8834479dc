"""Requests of real SDKs and browsers, and the payloads of the Segment spec, from the material beside the repository."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.values import InteractionKind, SourceKind
from gateway.domain.batch import BatchArrival
from gateway.domain.capture import CaptureSender, CaptureSource

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
NOW = datetime(2026, 11, 22, 2, 50, tzinfo=UTC)
WEB = CaptureSource("src_web", SourceKind.WEB, name="site")
SERVER = CaptureSource("src_server", SourceKind.SERVER, name="backend")
SHORT = {kind.value[0]: kind for kind in InteractionKind if kind is not InteractionKind.FORM}
BY_PATH = SHORT | {kind.value: kind for kind in SHORT.values()}


def arrival(
    source: CaptureSource = WEB, received_at: datetime = NOW, sender: CaptureSender | None = None
) -> BatchArrival:
    return BatchArrival(source, received_at, sender or CaptureSender())


@dataclass(frozen=True)
class Recorded:
    """One recorded request; `recorded_at` is when the recorder got it."""

    file: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    recorded_at: datetime

    @property
    def kind(self) -> InteractionKind | None:
        return BY_PATH.get(self.path.rsplit("/", 1)[-1])


def sdk_requests() -> list[Recorded]:
    return [request for path in sorted(_folder("sdk_captures").glob("segment_*.json")) for request in _requests(path)]


def form_requests() -> list[Recorded]:
    return _requests(_folder("sdk_captures") / "native_browser_forms_chromium.json")


def spec_payloads() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((_folder("segment_spec") / "segment_docs_json_payloads.json").read_text())
    return items


def _folder(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the recordings are not beside the repository: shared/data/{name}")
    return folder


def _requests(path: Path) -> list[Recorded]:
    return [_recorded(path.name, item) for item in json.loads(path.read_text())]


def _recorded(file: str, item: dict[str, Any]) -> Recorded:
    body = base64.b64decode(item["body_gzip_b64"]) if "body_gzip_b64" in item else item["body_text"].encode()
    assert len(body) == item["body_len"], "the recording is torn"
    headers = {name.lower(): value for name, value in item["headers"]}
    return Recorded(file, item["method"], item["path"], headers, body, datetime.fromtimestamp(item["t"], UTC))
