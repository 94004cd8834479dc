"""Signatures of form services: an HMAC over the body as it came, with a secret that service and form share.

Sources stand beside each scheme. A signature that names its moment is good for SIGNED_SECONDS around it; of the others
a delivery that is played again is the same message, as the service's own id says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.forms.presets import Preset
from gateway.domain.refusal import CaptureRefused, RefusalKind

SIGNED_SECONDS: Final = 300
"""How far a signed moment may lie from ours: what Webflow advises; Calendly advises 180 and allows for more."""

_MOST_CHARACTERS: Final = 500  # of a header that is looked at
_MOST_SIGNATURES: Final = 4  # in one header, while a secret is being changed
_DIGITS: Final = 16

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What a request says: its signatures, written as `encode` writes them, over `prefix` and the body."""

    signatures: Sequence[str]
    prefix: bytes = b""
    at: float | None = None  # seconds since 1970, where the signature names its moment


@dataclass(frozen=True, slots=True)
class _Scheme:
    header: bytes
    claimed: Callable[[str, Headers], _Claimed]
    encode: Callable[[bytes], str] = bytes.hex


def check(preset: Preset | None, secret: str, headers: Headers, raw: bytes, received_at: datetime) -> bool:
    """Whether the post proves by a signature that whoever knows `secret` sent it. False: services of this preset, or of
    what the headers look like, sign nothing. Raises CaptureRefused where one is missing, wrong or too old.
    """
    scheme = _SCHEMES.get(preset) if preset is not None else _scheme_in(headers)
    if scheme is None:
        return False
    name = scheme.header.decode().title()
    written = headers.get(scheme.header, b"")[: _MOST_CHARACTERS + 1].decode("latin-1")
    if not written:
        raise _refused(name, "is missing: posts to this form have to be signed", "have the service sign its posts")
    claimed = scheme.claimed(written, headers) if len(written) <= _MOST_CHARACTERS else _Claimed(())
    if not claimed.signatures:
        raise _refused(name, "cannot be read", "send it as the service writes it")
    if claimed.at is not None and abs(received_at.timestamp() - claimed.at) > SIGNED_SECONDS:
        reason = f"was made more than {SIGNED_SECONDS} seconds away from our clock"
        raise _refused(name, reason, "set the clock, or have the service deliver it anew")
    mac = hmac.new(secret.encode(), claimed.prefix, hashlib.sha256)
    mac.update(raw)
    own = scheme.encode(mac.digest()).encode()
    if not any(hmac.compare_digest(own, one.encode("latin-1", "replace")) for one in claimed.signatures):
        remedy = "give the form the service's signing key as webhook_secret: PATCH /v1/forms/{form_id}"
        raise _refused(name, "is not that of this form's webhook_secret over this body", remedy)
    return True


def _scheme_in(headers: Headers) -> _Scheme | None:
    return next((scheme for scheme in _SCHEMES.values() if scheme.header in headers), None)


def _refused(header: str, reason: str, remedy: str) -> CaptureRefused:
    return CaptureRefused(header, reason, RefusalKind.FORBIDDEN, remedy=remedy)


def _after(mark: str) -> Callable[[str, Headers], _Claimed]:
    def claimed(written: str, _headers: Headers) -> _Claimed:
        return _Claimed((written[len(mark) :],) if written.startswith(mark) else ())

    return claimed


def _webflow(written: str, headers: Headers) -> _Claimed:
    """The moment, in milliseconds, stands in a header of its own."""
    moment = headers.get(b"x-webflow-timestamp", b"").decode("latin-1").strip()
    if not _is_number(moment):
        return _Claimed(())
    return _Claimed((written.strip(),), f"{moment}:".encode(), int(moment) / 1000)


def _calendly(written: str, _headers: Headers) -> _Claimed:
    """`t=<seconds>,v1=<signature>`."""
    parts = [part.strip().partition("=") for part in written.split(",")]
    moment = next((value for name, _, value in parts if name == "t"), "")
    signatures = [value for name, _, value in parts if name == "v1"][:_MOST_SIGNATURES]
    return _Claimed(signatures, f"{moment}.".encode(), float(moment)) if _is_number(moment) else _Claimed(())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


_SCHEMES: Final[Mapping[Preset, _Scheme]] = {
    # https://www.typeform.com/developers/webhooks/secure-your-webhooks/
    Preset.TYPEFORM: _Scheme(b"typeform-signature", _after("sha256="), _base64),
    # https://developers.webflow.com/data/docs/working-with-webhooks#validating-webhook-requests
    Preset.WEBFLOW: _Scheme(b"x-webflow-signature", _webflow),
    # https://developer.calendly.com/api-docs/docs/webhook-signatures
    Preset.CALENDLY: _Scheme(b"calendly-webhook-signature", _calendly),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
    Preset.META: _Scheme(b"x-hub-signature-256", _after("sha256=")),
}
