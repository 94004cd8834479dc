"""Inputs that nobody would think of, for every pure reader behind the doors: each either reads or is refused by name.

A seed gives the same inputs always. They are made of a small corpus of our own: bytes are changed, values of JSON are
exchanged for odd ones and put where they do not belong, pairs of forms are repeated, headers are broken.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from contracts.limits import BATCH_BYTES
from contracts.values import InteractionKind, SourceKind
from gateway.capture import ENDPOINTS
from gateway.domain.batch import BatchArrival, read_batch, read_single
from gateway.domain.body import inflate, parse
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.forms import signatures
from gateway.domain.forms.form_body import decode
from gateway.domain.forms.kept_posts import kept, read_again
from gateway.domain.forms.presets import Preset
from gateway.domain.forms.submission import Form, Visit, read_form
from gateway.domain.keys import hash_of, write_key_in
from gateway.domain.protocols import snowplow
from gateway.domain.refusal import CaptureRefused

CORPUS: Final = Path(__file__).resolve().parents[1] / "unit" / "gateway" / "corpus"
_NOW: Final = datetime(2026, 11, 22, 2, 50, tzinfo=UTC)
_SOURCES: Final = (
    CaptureSource("src_web", SourceKind.WEB, mapping=(("properties.a.b", "budget"),)),
    CaptureSource("src_server", SourceKind.SERVER),
)
_SENDER: Final = CaptureSender("192.0.2.1", "Mozilla/5.0")
_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**63, 2**64 - 1, 1e308, -0.0, 0.1, "", " ", "\x00", "\ud800", "\U0001f600", "a" * 600,
    "٣", "null", "nan", "1e999", "2026-02-30T99:00:00Z", "20260101100000", "9" * 30, "a@b.example", "a@@b", "1" * 40,
    "+41 44 668 18 00", "http://[::1", "https://a.example/?utm_source=%00&gclid=x#/r?utm_medium=%2525", "=" * 9, "%%%",
    "iglu:a/b/jsonschema/1-0-0", [], [[]], {}, {"": {}}, [None], [1, "x", {}], {"value": {"value": {}}},
    {"label": 1, "value": [{}]}, "eyJkYXRhIjpbXX0",
)  # fmt: skip
_TYPES: Final = (
    "application/json", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=idna",
    "text/plain", "multipart/form-data; boundary=B", "multipart/form-data", "text/html", "",
    "a/b; charset=\xff; boundary=\"", "text/plain;charset=utf-16",
    "application/x-www-form-urlencoded; charset=iso-2022-jp", "application/x-www-form-urlencoded; charset=shift_jis",
)  # fmt: skip
_HEADERS: Final = (b"typeform-signature", b"x-hub-signature-256", b"x-webflow-signature", b"calendly-webhook-signature")
_PARTS_OF_HEADERS: Final = (
    b"sha256=", b"t=1795315800,v1=", b"v1=", b"t=", b"1795315800000", b"\xff", b"00" * 32, b","
)  # fmt: skip
_BYTES: Final = (
    b"", b"\x00", b"\xff", b'"', b"{", b"[", b"&", b"=", b"%", b"\r\n", b"--B", b"\\ud800", b"9" * 25,
    b"\xc3\x28", b";", b":",
)  # fmt: skip
_DEEPEST: Final = 5
_OF_ALL: Final = 0.2  # of the inputs of a door are another door's
_OF_DOCUMENTS: Final = 0.85
_CHANGES: Final = 6
_SINGLES: Final = tuple(kind for kind in set(ENDPOINTS.values()) if isinstance(kind, InteractionKind))


@dataclass
class Findings:
    """What came of the inputs: how many each door read and refused, what broke, and the slowest (seconds of CPU)."""

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, str, bytes]] = field(default_factory=list)  # door, exception, input
    slowest: dict[str, tuple[float, bytes]] = field(default_factory=dict)


class Mutator:
    """Makes inputs of a corpus."""

    def __init__(self, seed: int, corpus: Mapping[str, bytes]) -> None:
        self.random = random.Random(seed)  # the same inputs for the same seed
        self._names = sorted(corpus)
        self._corpus = corpus
        self._named = {name: orjson.loads(corpus[name]) for name in self._names if name.endswith(".json")}
        self._documents = list(self._named.values())
        self._words = sorted({word for document in self._documents for word in _keys(document)})

    def one(self, kin: str) -> bytes:
        """An input, of a document or of bytes; mostly of those whose name begins with `kin`."""
        names = self._names if self.random.random() < _OF_ALL else [one for one in self._names if one.startswith(kin)]
        name = self.random.choice(names)
        if name in self._named and self.random.random() < _OF_DOCUMENTS:
            return self._written(self._changed(self._named[name]))
        return self._bent(self._corpus[name])

    def header(self) -> bytes:
        """What may stand in a header of a signature."""
        part = self.random.choice(
            (b"sha256=", b"t=1795315800,v1=", b"v1=", b"t=", b"1795315800000", b"\xff", b"00" * 32, b",")
        )
        return part * self.random.choice((0, 1, 1, 2, 60))

    def _changed(self, document: Any) -> Any:
        for _ in range(self.random.randint(1, _CHANGES)):
            document = self._exchange(document, 0)
        return document

    def _exchange(self, node: Any, depth: int) -> Any:
        """A copy in which one place is another."""
        dice = self.random.random()
        if dice < 0.12 or depth > _DEEPEST or not isinstance(node, dict | list) or not node:
            return self._odd(node)
        if isinstance(node, list):
            at = self.random.randrange(len(node))
            return [*node[:at], self._exchange(node[at], depth + 1), *node[at + (dice > 0.3) :]]
        key = self.random.choice(list(node))
        if dice < 0.25:
            return {**node, self.random.choice(self._words): self._odd(node[key])}
        if dice < 0.32:
            return {name: value for name, value in node.items() if name != key}
        return {**node, key: self._exchange(node[key], depth + 1)}

    def _odd(self, instead_of: Any) -> Any:
        dice = self.random.random()
        if dice < 0.08:
            deep = instead_of
            for _ in range(self.random.choice((3, 63, 64, 65, 260))):
                deep = {"a": deep} if dice < 0.04 else [deep]
            return deep
        if dice < 0.14:
            return [instead_of] * self.random.choice((2, 30))
        if dice < 0.2:
            return self.random.choice(self._documents)
        return self.random.choice(_ODD)

    def _written(self, document: Any) -> bytes:
        try:
            raw = orjson.dumps(document)
        except orjson.JSONEncodeError:  # lone surrogates, too deep: as a sender would write them all the same
            raw = repr(document)[:20_000].replace("'", '"').replace("None", "null").encode("utf-8", "surrogatepass")
        return self._bent(raw) if self.random.random() < 0.15 else raw

    def _bent(self, raw: bytes) -> bytes:
        bent = bytearray(raw)
        for _ in range(self.random.randint(1, _CHANGES)):
            at = self.random.randrange(len(bent) + 1)
            part = self.random.choice(
                (b"", b"\x00", b"\xff", b'"', b"{", b"[", b"&", b"=", b"%", b"\r\n", b"--B", b"\\ud800", b"9" * 25)
            )
            bent[at : at + self.random.choice((0, 0, 1, 4, 40))] = part
        return bytes(bent)


def corpus() -> dict[str, bytes]:
    """The inputs to begin with, by file name."""
    return {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir()) if path.is_file()}


def fuzz(inputs: int, seed: int) -> Findings:
    """Give `inputs` inputs to the doors in turn."""
    mutator, findings = Mutator(seed, corpus()), Findings()
    doors = list(_DOORS.items())
    for number in range(inputs):
        name, door = doors[number % len(doors)]
        raw = mutator.one(_KIN[name])[:BATCH_BYTES]  # of more the doors read nothing
        judge(findings, name, raw, partial(door, raw, mutator))
    return findings


def judge(findings: Findings, name: str, raw: bytes, read: Callable[[], None]) -> None:
    """Let a door read `raw`, and note what came of it."""
    began = time.process_time()
    try:
        read()
        findings.outcomes[f"{name} read"] += 1
    except CaptureRefused:
        findings.outcomes[f"{name} refused"] += 1
    except Exception as error:  # it is what is looked for
        findings.outcomes[f"{name} broken"] += 1
        findings.broken.append((name, f"{type(error).__name__}: {error}"[:300], raw))
    spent = time.process_time() - began
    if spent > findings.slowest.get(name, (0.0, b""))[0]:
        findings.slowest[name] = (spent, raw)


def _single(raw: bytes, mutator: Mutator) -> None:
    source = mutator.random.choice(_SOURCES)
    read_single(parse(raw), mutator.random.choice(_SINGLES), BatchArrival(source, _NOW, _SENDER))


def _batch(raw: bytes, mutator: Mutator) -> None:
    body = parse(raw)
    write_key_in("Basic " + raw[:40].decode("latin-1"), body.get("writeKey"), None)
    is_import = mutator.random.random() < 0.2
    wrapped = body if "batch" in body else {"batch": [body, body], "context": body.get("context") or {}}
    read_batch(wrapped, len(raw), BatchArrival(mutator.random.choice(_SOURCES), _NOW, _SENDER, is_import))


def _packed(raw: bytes, mutator: Mutator) -> None:
    inflate(raw, mutator.random.choice(("gzip", "deflate", "identity", "br")), BATCH_BYTES)


def _snowplow(raw: bytes, _mutator: Mutator) -> None:
    body = parse(raw)
    events = snowplow.events_of(body) if "data" in body else [body]
    for event in events:
        snowplow.app_id_of(event)
    read = [snowplow.segment_event(event) for event in events]
    read_batch({"batch": read}, len(raw), BatchArrival(_SOURCES[0], _NOW, _SENDER))


def _pixel(raw: bytes, _mutator: Mutator) -> None:
    read_batch(
        {"batch": [snowplow.segment_event(snowplow.event_of_query(raw[:16_000]))]},
        len(raw),
        BatchArrival(_SOURCES[0], _NOW, _SENDER),
    )


def _form(raw: bytes, mutator: Mutator) -> None:
    preset = mutator.random.choice((None, None, None, *Preset))
    mapping = {"a.b": "email", "email": "@anonymous_id", "x": "@occurred_at"} if mutator.random.random() < 0.2 else {}
    form = Form("frm", _SOURCES[0], "F", preset, mapping, honeypot="x", return_urls=("https://a.example/x",))
    submission = decode(raw, mutator.random.choice(_TYPES), mutator.random.choice((None, "utf-16", "idna", "x" * 99)))
    visit = Visit(
        _SENDER,
        mutator.random.choice((None, "https://a.example/?utm_source=x", "http://[")),
        {"ajs_anonymous_id": "%22"},
    )
    reading = read_form(form, submission, visit, _NOW)
    reading.capture("m")
    if (post := kept(submission, visit, "m")) is not None:
        again, visit, _ = read_again(post)
        read_form(form, again, visit, _NOW)


def _signature(raw: bytes, mutator: Mutator) -> None:
    names = mutator.random.sample((*_HEADERS, b"x-webflow-timestamp"), 2)
    headers = {name: mutator.header() for name in names}
    signatures.check(mutator.random.choice((None, *Preset)), "secret", headers, raw, _NOW)
    hash_of(raw.decode("utf-8", "surrogateescape"))


_DOORS: Final[Mapping[str, Callable[[bytes, Mutator], None]]] = {
    "single": _single, "batch": _batch, "form": _form, "snowplow": _snowplow, "form again": _form, "pixel": _pixel,
    "packed": _packed, "signature": _signature,
}  # fmt: skip

_KIN: Final = {
    "single": "event_", "batch": "batch", "form": "form", "snowplow": "snowplow", "form again": "form",
    "pixel": "pixel", "packed": "event.gz", "signature": "form_typeform",
}  # fmt: skip


def _keys(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in _keys(value)}
    return {key for value in node for key in _keys(value)} if isinstance(node, list) else set()
