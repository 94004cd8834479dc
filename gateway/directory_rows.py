"""Rows of the store as the directory holds them."""

from __future__ import annotations

import structlog

from chassis.web.auth import Principal
from contracts.values import SourceKind
from gateway.domain.capture import CaptureSource
from gateway.domain.forms.presets import Preset
from gateway.domain.forms.submission import Form
from gateway.domain.secret_box import SecretBox
from gateway.store import ApiKeyRow, FormRow, SourceRow

log = structlog.get_logger()


def source_in(row: SourceRow) -> CaptureSource:
    """The source that a row keeps."""
    mapping, origins = tuple((row.mapping or {}).items()), tuple(row.origins or ())
    kind = SourceKind(row.kind)
    return CaptureSource(row.source_id, kind, row.is_test, row.name, mapping, origins, row.events_a_minute)


def form_in(row: FormRow, source: CaptureSource, box: SecretBox | None) -> Form:
    """The form that a row keeps; `box` opens its signing secret."""
    preset = Preset(row.preset) if row.preset is not None else None
    secret = None if row.secret_sealed is None or box is None else box.open(row.secret_sealed, row.form_id)
    if secret is None and row.secret_sealed is not None:
        log.warning("form.secret_unreadable", form_id=row.form_id)  # sealed with another signing key
    return Form(
        row.form_id,
        source,
        row.name,
        preset,
        row.mapping,
        row.honeypot,
        tuple(row.return_urls),
        row.secret_hash,
        secret,
        row.verify_hash or row.secret_hash,
        is_strict=row.secret_sealed is not None,
    )


def caller_in(row: ApiKeyRow) -> Principal:
    """Who calls with a key."""
    return Principal(row.subject, frozenset(row.roles), row.rep_id, frozenset(row.teams))
