"""Who may send and who may call, held in memory: hot paths ask no store.

Refreshed after each change made here, and at intervals for changes made by other replicas. A
store that is away leaves what is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from chassis.errors import NotFound, Unauthenticated
from chassis.store.database import Database
from chassis.web.auth import Principal
from contracts.values import SourceKind
from gateway.domain.capture import CaptureSource
from gateway.domain.forms.presets import Preset
from gateway.domain.forms.submission import Form
from gateway.domain.keys import API_KEY_PREFIX, WRITE_KEY_PREFIX, hash_of
from gateway.domain.secret_box import SecretBox
from gateway.store import ApiKeyRow, FormRow, SourceRow, all_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """One state of sources, forms and keys. Keys are hashes."""

    sources: Mapping[str, CaptureSource] = field(default_factory=dict)  # by write key hash
    forms: Mapping[str, Form] = field(default_factory=dict)
    callers: Mapping[str, Principal] = field(default_factory=dict)  # by API key hash
    prefixes: frozenset[str] = frozenset()
    apps: Mapping[str, CaptureSource] = field(default_factory=dict)  # by Snowplow's app id


class FormNotFound(NotFound):
    """No form has this id, or it is switched off."""

    slug = "form-not-found"


class Directory:
    """What is known now."""

    def __init__(self, database: Database, prefixes: tuple[str, ...] = (), box: SecretBox | None = None) -> None:
        self._database, self._box = database, box
        self._configured = frozenset(map(clean_prefix, prefixes))
        self.known = DirectoryState()

    async def refresh(self) -> None:
        """Read everything anew."""
        async with self._database.read() as session:
            sources = await all_of(session, SourceRow)
            forms = await all_of(session, FormRow)
            keys = await all_of(session, ApiKeyRow)
        by_id = {row.source_id: row for row in sources if row.is_enabled}
        self.known = DirectoryState(
            sources={row.write_key_hash: _source(row) for row in by_id.values()},
            forms={
                row.form_id: _form(row, _source(by_id[row.source_id]), self._box)
                for row in forms
                if row.is_enabled and row.source_id in by_id
            },
            callers={row.key_hash: _caller(row) for row in keys if not row.is_revoked},
            prefixes=self._configured.union(*(row.prefixes for row in by_id.values())),
            apps={app_id: _source(row) for row in by_id.values() for app_id in row.app_ids or ()},
        )

    def source_of(self, write_key: str | None) -> CaptureSource:
        """The source a write key belongs to. Raises Unauthenticated."""
        source = self.known.sources.get(hash_of(write_key)) if write_key else None
        if source is None:
            raise self._no_source(write_key)
        return source

    def source_of_app(self, app_id: str | None) -> CaptureSource:
        """The source that an app id belongs to, or whose write key it is. Raises Unauthenticated."""
        source = self.known.apps.get(app_id or "") or self.known.sources.get(hash_of(app_id or ""))
        if source is None:
            remedy = "Give it to a source, PATCH /v1/sources/{id} with app_ids, or send a write key as appId"
            raise Unauthenticated("No source has this app id", field="aid", remedy=remedy).wrong_key()
        return source

    def _no_source(self, write_key: str | None) -> Unauthenticated:
        remedy = "Send a source's write key by Basic auth, Bearer, X-Write-Key, or writeKey in body or query"
        if not write_key:
            return Unauthenticated("There is no write key", field="writeKey", remedy=remedy)
        if write_key.startswith(API_KEY_PREFIX) or hash_of(write_key) in self.known.callers:
            remedy = "Send the write key of a source (wk_...); POST /v1/sources makes one"
            wrong = Unauthenticated("This is an API key; captures take a write key", field="writeKey", remedy=remedy)
            return wrong if hash_of(write_key) in self.known.callers else wrong.wrong_key()
        return Unauthenticated("The write key is not known", field="writeKey", remedy=remedy).wrong_key()

    def knows(self, write_key: str) -> bool:
        """Whether a source has this write key."""
        return hash_of(write_key) in self.known.sources

    def form(self, form_id: str) -> Form:
        """The form of this id. Raises FormNotFound."""
        form = self.known.forms.get(form_id)
        if form is None:
            raise FormNotFound("There is no such form", remedy="Create it with POST /v1/forms")
        return form

    def caller_of(self, authorization: str | None) -> Principal:
        """Who `Authorization: Bearer <API key>` is. Raises Unauthenticated."""
        hashed = bearer_hash(authorization)
        caller = self.known.callers.get(hashed)
        if caller is None and (hashed in self.known.sources or (authorization or "")[7:].startswith(WRITE_KEY_PREFIX)):
            remedy = "Send Authorization: Bearer <API key> (rk_...); POST /v1/keys makes one"
            mistaken = Unauthenticated(
                "This is a write key; it takes captures, and this call takes an API key", remedy=remedy
            )
            raise mistaken if hashed in self.known.sources else mistaken.wrong_key()
        if caller is None:
            unknown = Unauthenticated(
                "There is no API key, or it is not known", remedy="Send Authorization: Bearer <API key>"
            )
            raise unknown.wrong_key() if hashed else unknown
        return caller


@asynccontextmanager
async def kept_fresh(directory: Directory, every_seconds: float) -> AsyncIterator[Directory]:
    """`directory`, read now and again every so often inside the block."""
    await directory.refresh()
    task = asyncio.create_task(_refresh_for_ever(directory, every_seconds), name="directory refresh")
    try:
        yield directory
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def bearer_hash(authorization: str | None) -> str:
    """What is stored of the key in `Authorization: Bearer <key>`; empty when there is none."""
    scheme, _, key = (authorization or "").partition(" ")
    return hash_of(key.strip()) if scheme.lower() == "bearer" else ""


def clean_prefix(prefix: str) -> str:
    """`/capture` of `capture/`."""
    return "/" + prefix.strip("/") if prefix.strip("/") else ""


async def _refresh_for_ever(directory: Directory, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await directory.refresh()
        except Exception as error:  # whatever it was: what is known stays good, and the next round may succeed
            log.warning("directory.stale", reason=type(error).__name__)


def _source(row: SourceRow) -> CaptureSource:
    mapping, origins = tuple((row.mapping or {}).items()), tuple(row.origins or ())
    kind = SourceKind(row.kind)
    return CaptureSource(row.source_id, kind, row.is_test, row.name, mapping, origins, row.events_a_minute)


def _form(row: FormRow, source: CaptureSource, box: SecretBox | None) -> Form:
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


def _caller(row: ApiKeyRow) -> Principal:
    return Principal(row.subject, frozenset(row.roles), row.rep_id, frozenset(row.teams))
