"""From the body of a form post to its fields, whatever the encoding.

Sources: https://url.spec.whatwg.org/#urlencoded-parsing and
https://html.spec.whatwg.org/multipage/form-control-infrastructure.html (multipart, text/plain, `_charset_`, and the
numeric entities that browsers write for what a form's charset cannot express).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from contracts.limits import FIELD_NAME_CHARACTERS, FORM_FIELDS
from contracts.values import JsonObject
from gateway.domain.body import check_depth, parse
from gateway.domain.forms.bracket_names import unbracketed
from gateway.domain.forms.charsets import charset_of
from gateway.domain.forms.presets import guess
from gateway.domain.refusal import CaptureRefused, RefusalKind

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_NAME = re.compile(rb"[A-Za-z_][\w\-.:\[\]$]{0,63}")  # of a field, as a line of text/plain begins with it
_ENTITY = re.compile(r"&#(\d{1,7});")
_IN_NAMES = {"%22": '"', "%0D": "\r", "%0A": "\n", '\\"': '"'}

Fields = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Submission:
    """The fields of a post in the order they were sent, each with all its values, or the document it was; and the names
    of files that came along and were dropped.
    """

    fields: Fields
    files: tuple[str, ...] = ()
    document: JsonObject | None = None


def decode(raw: bytes, content_type: str, charset_hint: str | None = None) -> Submission:
    """Read a form post. `charset_hint` is the `encoding` of the query, which Web-to-Lead forms send.
    Raises Refused, also when it holds nothing.
    """
    submission = _decoded(raw, content_type, charset_hint)
    if not submission.fields and not submission.files and not submission.document:
        raise CaptureRefused(
            "body", "holds no field that could be read; send name=value pairs, multipart parts or a JSON object"
        )
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
        return _submission(_lines(raw), declared, ())
    if kind in ("application/x-www-form-urlencoded", "application/octet-stream"):
        return _submission(_urlencoded(raw), declared, ())
    raise CaptureRefused(
        "Content-Type",
        f"{kind[:60]} is not a form; send urlencoded, multipart, JSON or text/plain",
        RefusalKind.UNSUPPORTED,
    )


def _urlencoded(raw: bytes) -> list[tuple[bytes, bytes]]:
    pairs = [part.partition(b"=") for part in raw.split(b"&", FORM_FIELDS + 1) if part]
    return [(_unquote(name), _unquote(value)) for name, _, value in pairs]


def _unquote(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" ").strip(b"\r\n"))


def _json(raw: bytes) -> Submission:
    parsed = parse(raw, is_list_of_one=True)
    check_depth(parsed)
    return Submission({}, (), parsed)


def _lines(raw: bytes) -> list[tuple[bytes, bytes]]:
    """The pairs of text/plain. A line that names no field goes on with the value before it."""
    pairs: list[tuple[bytes, bytes]] = []
    for line in re.split(rb"\r?\n", raw):
        name, found, value = line.partition(b"=")
        if found and (not pairs or _NAME.fullmatch(name) or guess(name.decode("utf-8", "replace"))):
            pairs.append((name, value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + b"\r\n" + line)
    return [(name, value.rstrip(b"\r\n")) for name, value in pairs]


def _multipart(raw: bytes, boundary: str, declared: str | None) -> Submission:
    if not boundary or len(boundary) > 200:
        raise CaptureRefused("Content-Type", "multipart without a boundary", RefusalKind.MALFORMED)
    begins = raw.find(b"--" + boundary.encode("latin-1", "replace"))  # whatever stands before it is no part
    if begins < 0:
        raise CaptureRefused("body", "holds no part that begins with the boundary", RefusalKind.MALFORMED)
    parts = _Parts()
    parser = MultipartParser(boundary.encode("latin-1", "replace"), parts.callbacks)
    with suppress(FormParserError):  # what came whole before the mistake is kept: somebody filled it in
        parser.write(raw[begins:])
    parts.end()  # the last one may lack its boundary
    return _submission(parts.pairs, declared, tuple(parts.files))


class _Parts:
    """The parts of a multipart body as the parser tells of them: values by name, and the names of files."""

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.files: list[bytes] = []
        self._field, self._disposition, self._value = b"", b"", bytearray()
        self.callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_part_data": self._on_data,
            "on_part_end": self.end,
        }

    def end(self) -> None:
        """The part is whole. Raises CaptureRefused when there are too many."""
        options = parse_options_header(self._disposition)[1]
        name = options.get(b"filename", _extended_name(self._disposition))
        if name is not None:
            self.files += [name] if name else []
        elif b"name" in options:
            self.pairs.append((options[b"name"], bytes(self._value)))
        if len(self.pairs) > FORM_FIELDS:
            raise CaptureRefused("body", f"has more than {FORM_FIELDS} fields", RefusalKind.TOO_LARGE)
        self._begin()

    def _begin(self) -> None:
        self._field, self._disposition, self._value = b"", b"", bytearray()

    def _begin_header(self) -> None:
        self._field = b""

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        if self._field.strip().lower() == b"content-disposition":
            self._disposition += data[start:end]

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]


def _extended_name(disposition: bytes) -> bytes | None:
    """What `filename*=` says, which has no place in a form, so that the library passes over it;
    some clients write it, and it is a file.
    """
    _, found, rest = disposition.partition(b"filename*=")
    return rest.partition(b";")[0].strip().strip(b'"') if found else None


def _submission(pairs: list[tuple[bytes, bytes]], declared: str | None, files: tuple[bytes, ...]) -> Submission:
    own = next((value for name, value in pairs if name == b"_charset_" and value), None)
    charset = charset_of((own.decode("latin-1") if own else None) or declared)
    # numeric entities are what browsers write for a character that the form's charset has not
    has_entities = charset != "utf-8" or not all(_is_utf_8(value) for _, value in pairs)
    pairs = [(name, value) for name, value in pairs if name != b"_charset_"]
    read = [(_plain_name(_text(name, charset)), _text(value, charset, has_entities)) for name, value in pairs]
    names = tuple(_plain_name(_text(name, charset))[:FIELD_NAME_CHARACTERS] for name in files)
    fields = _gathered(read)
    document = unbracketed(fields)
    return Submission(fields, names) if document is None else Submission({}, names, document)


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _text(raw: bytes, charset: str, has_entities: bool = False) -> str:
    """Decoded text without NUL. A UTF-8 form that holds no UTF-8 was written as windows-1252."""
    if charset != "utf-8":
        text = raw.decode(charset, "replace")
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    if has_entities:
        text = _ENTITY.sub(_character, text)
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else entity[0]


def _plain_name(name: str) -> str:
    for written, meant in _IN_NAMES.items():
        name = name.replace(written, meant)
    return name


def _gathered(pairs: list[tuple[str, str]]) -> Fields:
    """Values by name; `interests[]` is `interests`."""
    if len(pairs) > FORM_FIELDS:
        raise CaptureRefused("body", f"has more than {FORM_FIELDS} fields", RefusalKind.TOO_LARGE)
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name.strip().removesuffix("[]")[:FIELD_NAME_CHARACTERS], []).append(value)
    return fields
