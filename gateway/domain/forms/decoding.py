"""From the body of a form post to its fields, whatever the encoding.

Sources: https://url.spec.whatwg.org/#urlencoded-parsing and https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
(multipart, text/plain, `_charset_`, and the numeric entities that browsers write for what a form's charset cannot express).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import unquote_to_bytes

from contracts.limits import FIELD_NAME_CHARACTERS, FORM_FIELDS
from gateway.domain.body import check_depth, parse
from gateway.domain.refusal import Fault, Refused

_LATIN = frozenset(("iso8859-1", "ascii", "cp1252"))  # what the WHATWG encoding standard reads as windows-1252
_ENTITY = re.compile(r"&#(\d{1,7});")
_DISPOSITION = re.compile(rb'(?:^|;)\s*(filename\*?|name)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', re.IGNORECASE)
_IN_NAMES = {"%22": '"', "%0D": "\r", "%0A": "\n", '\\"': '"'}

Fields = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Submission:
    """The fields of a post in the order they were sent, each with all its values, and the names of files that came along and were dropped."""

    fields: Fields
    files: tuple[str, ...] = ()


def decode(raw: bytes, content_type: str, charset_hint: str | None = None) -> Submission:
    """Read a form post. `charset_hint` is the `encoding` of the query, which Web-to-Lead forms send. Raises Refused, also when it holds nothing."""
    submission = _decoded(raw, content_type, charset_hint)
    if not submission.fields and not submission.files:
        raise Refused("body", "holds no field that could be read; send name=value pairs, multipart parts or a JSON object")
    return submission


def _decoded(raw: bytes, content_type: str, charset_hint: str | None) -> Submission:
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    kind, declared = header.get_content_type(), str(header.get_param("charset") or "") or charset_hint
    if kind == "multipart/form-data":
        return _multipart(raw, str(header.get_param("boundary") or ""), declared)
    if raw.lstrip()[:1] in (b"{", b"["):  # beacons and fetch send JSON under any name
        return _json(raw)
    if kind.endswith("json"):
        return _json(raw)
    if kind == "text/plain":
        pairs = [tuple(line.split(b"=", 1)) for line in re.split(rb"\r?\n", raw) if b"=" in line]
        return _submission([(name, value) for name, value in pairs], declared, ())
    if kind in ("application/x-www-form-urlencoded", "application/octet-stream"):
        return _submission(_urlencoded(raw), declared, ())
    raise Refused("Content-Type", f"{kind[:60]} is not a form; send urlencoded, multipart, JSON or text/plain", Fault.UNSUPPORTED)


def _urlencoded(raw: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [part.partition(b"=") for part in raw.split(b"&", FORM_FIELDS + 1) if part]
    return [(_unquote(name), _unquote(value)) for name, _, value in pairs]


def _unquote(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" ").strip(b"\r\n"))


def _json(raw: bytes) -> Submission:
    """A flat object; or one with `fields: [{name, value}]` or `data: {...}`, as form plugins post them."""
    parsed = parse(raw)
    check_depth(parsed)
    inner = parsed.get("payload") if isinstance(parsed.get("payload"), dict) else parsed
    named = inner.get("fields") if inner is not None else None
    if isinstance(named, list):
        pairs = [(str(item["name"]), item.get("value")) for item in named if isinstance(item, dict) and "name" in item]
        around = parsed.get("context") if isinstance(parsed.get("context"), dict) else {}
        rest = [(key, value) for key, value in parsed.items() if key not in ("fields", "payload", "context")]
        return Submission(_gathered([*pairs, *(around or {}).items(), *rest]))
    data = inner.get("data") if inner is not None else None
    if isinstance(data, dict) and inner is not None:
        return Submission(_gathered([*data.items(), *((key, value) for key, value in inner.items() if key != "data")]))
    return Submission(_gathered(list(parsed.items())))


def _multipart(raw: bytes, boundary: str, declared: str | None) -> Submission:
    if not boundary or len(boundary) > 200:
        raise Refused("Content-Type", "multipart without a boundary", Fault.MALFORMED)
    parts = (b"\r\n" + raw).split(b"\r\n--" + boundary.encode("latin-1", "replace"), FORM_FIELDS + 2)
    if len(parts) < 2:
        raise Refused("body", "holds no part that begins with the boundary", Fault.MALFORMED)
    pairs: list[tuple[bytes, bytes]] = []
    files: list[bytes] = []
    for part in parts[1:]:
        if part.startswith(b"--"):
            break
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = _names_in(head)
        if b"filename" in named or b"filename*" in named:
            files.extend(name for name in [named.get(b"filename") or named.get(b"filename*", b"")] if name)
        elif b"name" in named:
            pairs.append((named[b"name"], value))
    return _submission(pairs, declared, tuple(files))


def _names_in(head: bytes) -> dict[bytes, bytes]:
    for line in head.split(b"\r\n"):
        key, _, rest = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            return {found[1].lower(): found[2] if found[2] is not None else found[3] for found in _DISPOSITION.finditer(rest)}
    return {}


def _submission(pairs: list[tuple[bytes, bytes]], declared: str | None, files: tuple[bytes, ...]) -> Submission:
    own = next((value for name, value in pairs if name == b"_charset_" and value), None)
    charset = _charset((own.decode("latin-1") if own else None) or declared)
    read = [(_plain_name(_text(name, charset)), _text(value, charset)) for name, value in pairs if name != b"_charset_"]
    return Submission(_gathered(read), tuple(_plain_name(_text(name, charset))[:FIELD_NAME_CHARACTERS] for name in files))


def _charset(label: str | None) -> str:
    try:
        name = codecs.lookup((label or "utf-8").strip().strip("\"'")).name
    except (LookupError, ValueError):
        return "utf-8"
    if name in _LATIN:
        return "cp1252"
    return name if codecs.lookup(name)._is_text_encoding else "utf-8"


def _text(raw: bytes, charset: str) -> str:
    """Decoded text without NUL. A UTF-8 form that holds no UTF-8 was written as windows-1252."""
    if charset != "utf-8":
        text = _ENTITY.sub(_character, raw.decode(charset, "replace"))
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else entity[0]


def _plain_name(name: str) -> str:
    for written, meant in _IN_NAMES.items():
        name = name.replace(written, meant)
    return name


def _gathered(pairs: list[tuple[str, Any]]) -> Fields:
    """Values by name; `interests[]` is `interests`. JSON lists are several values."""
    if len(pairs) > FORM_FIELDS:
        raise Refused("body", f"has more than {FORM_FIELDS} fields", Fault.TOO_LARGE)
    fields: Fields = {}
    for name, value in pairs:
        values = value if isinstance(value, list) else [value]
        fields.setdefault(name.strip().removesuffix("[]")[:FIELD_NAME_CHARACTERS], []).extend(values)
    return fields
