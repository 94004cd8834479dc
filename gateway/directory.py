"""Who may send and who may call, held in memory: hot paths ask no store.

Refreshed after each change made here, and at intervals for changes made by other replicas. A
store that is away leaves what is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from chassis.clock import wall_clock
from chassis.errors import NotFound, Problem, Unauthenticated
from chassis.store.database import Database
from chassis.web.auth import Principal
from contracts.values import JsonObject
from gateway.directory_rows import caller_in, form_in, source_in
from gateway.domain.capture import CaptureSource
from gateway.domain.forms.submission import Form
from gateway.domain.keys import API_KEY_PREFIX, WRITE_KEY_PREFIX, hash_of
from gateway.domain.secret_box import SecretBox
from gateway.secret_index import SecretIndex, indexed, refusal_of, secrets_of_key, secrets_of_source
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
    secrets: SecretIndex = field(default_factory=SecretIndex)  # of both


class KnownCaller(NamedTuple):
    """Who calls, and the key they call with; None: a token of the sign-in service."""

    principal: Principal
    key_id: str | None


class Tokens(Protocol):
    """Who are known by tokens of a sign-in service."""

    def principal_of(self, token: str) -> Principal | None:
        """Who `token` is; None: it is none of these. Raises Unauthenticated, Unavailable."""
        ...

    def principal_by_hash(self, hashed: str) -> Principal | None:
        """Who a token is that was good a moment ago, and still is."""
        ...

    def told(self, hashed: str) -> JsonObject | None:
        """What another process needs to know of it."""
        ...

    def believe(self, hashed: str, told: JsonObject) -> None:
        """Take another process's word for it."""
        ...


class FormNotFound(NotFound):
    """No form has this id, or it is switched off."""

    slug = "form-not-found"


class Directory:
    """What is known now."""

    def __init__(
        self,
        database: Database,
        prefixes: tuple[str, ...] = (),
        box: SecretBox | None = None,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._database, self._box = database, box
        self._configured = frozenset(map(clean_prefix, prefixes))
        self._clock = clock
        self.tokens: Tokens | None = None
        self._turn = asyncio.Lock()
        self.known = DirectoryState()

    async def refresh(self) -> bool:
        """Read everything anew, one after the other: what was read last is what was asked for last. Answers whether
        anything is different.
        """
        async with self._turn:
            before, self.known = self.known, await self._read()
            return self.known != before

    async def _read(self) -> DirectoryState:
        async with self._database.read() as session:
            sources = await all_of(session, SourceRow)
            forms = await all_of(session, FormRow)
            keys = await all_of(session, ApiKeyRow)
        by_id = {row.source_id: row for row in sources if row.is_enabled}
        secrets = indexed(
            [
                *(held for row in sources for held in secrets_of_source(row)),
                *(held for row in keys for held in secrets_of_key(row)),
            ]
        )
        of_sources = {row.source_id: source_in(row) for row in by_id.values()}
        of_keys = {row.key_id: caller_in(row) for row in keys if not row.is_revoked}
        return DirectoryState(
            sources={hashed: of_sources[owner] for hashed, owner in secrets.owners.items() if owner in of_sources},
            forms={
                row.form_id: form_in(row, of_sources[row.source_id], self._box)
                for row in forms
                if row.is_enabled and row.source_id in by_id
            },
            callers={hashed: of_keys[owner] for hashed, owner in secrets.owners.items() if owner in of_keys},
            prefixes=self._configured.union(*(row.prefixes for row in by_id.values())),
            apps={app_id: of_sources[row.source_id] for row in by_id.values() for app_id in row.app_ids or ()},
            secrets=secrets,
        )

    def source_of(self, write_key: str | None) -> CaptureSource:
        """The source a write key belongs to. Raises Unauthenticated."""
        hashed = hash_of(write_key) if write_key else ""
        known = self.known
        source = known.sources.get(hashed)
        if source is None or (
            hashed in known.secrets.ends and known.secrets.lost_at(hashed, self._clock()) is not None
        ):
            raise self._no_source(write_key)
        return source

    def source_of_app(self, app_id: str | None) -> CaptureSource:
        """The source that an app id belongs to, or whose write key it is. Raises Unauthenticated."""
        source = self.known.apps.get(app_id or "")
        if source is not None:
            return source
        hashed = hash_of(app_id or "")
        lost = self.known.secrets.lost_at(hashed, self._clock())
        if lost is not None and not lost.owner_id.startswith("key_"):
            raise refusal_of(lost, "aid")
        source = self.known.sources.get(hashed)
        if source is None:
            remedy = "Give it to a source, PATCH /v1/sources/{id} with app_ids, or send a write key as appId"
            raise Unauthenticated("No source has this app id", field="aid", remedy=remedy).wrong_key()
        return source

    def owner_of(self, key: str | None) -> str | None:
        """The id of the key or source whose secret this is or was: whoever keeps it may be told of its use."""
        return self.known.secrets.owner_of(hash_of(key)) if key else None

    def _no_source(self, write_key: str | None) -> Unauthenticated:
        remedy = "Send a source's write key by Basic auth, Bearer, X-Write-Key, or writeKey in body or query"
        if not write_key:
            return Unauthenticated("There is no write key", field="writeKey", remedy=remedy)
        hashed = hash_of(write_key)
        lost = self.known.secrets.lost_at(hashed, self._clock())
        if lost is not None and not lost.owner_id.startswith("key_"):
            return refusal_of(lost, "writeKey")
        if write_key.startswith(API_KEY_PREFIX) or hashed in self.known.callers:
            remedy = "Send the write key of a source (wk_...); POST /v1/sources makes one"
            wrong = Unauthenticated("This is an API key; captures take a write key", field="writeKey", remedy=remedy)
            return wrong if hash_of(write_key) in self.known.callers else wrong.wrong_key()
        return Unauthenticated("The write key is not known", field="writeKey", remedy=remedy).wrong_key()

    def knows(self, write_key: str) -> bool:
        """Whether a source has this write key."""
        hashed = hash_of(write_key)
        return hashed in self.known.sources and self.known.secrets.lost_at(hashed, self._clock()) is None

    def form(self, form_id: str) -> Form:
        """The form of this id. Raises FormNotFound."""
        form = self.known.forms.get(form_id)
        if form is None:
            raise FormNotFound("There is no such form", remedy="Create it with POST /v1/forms")
        return form

    def caller_of(self, authorization: str | None) -> Principal:
        """Who `Authorization: Bearer <API key or token>` is. Raises Unauthenticated; Unavailable when tokens cannot be
        checked.
        """
        hashed, now = bearer_hash(authorization), self._clock()
        lost = self.known.secrets.lost_at(hashed, now)
        caller = self.known.callers.get(hashed) if lost is None else None
        if caller is not None:
            return caller
        if lost is not None and lost.owner_id.startswith("key_"):
            raise refusal_of(lost)
        if hashed in self.known.sources or (authorization or "")[7:].startswith(WRITE_KEY_PREFIX):
            remedy = "Send Authorization: Bearer <API key> (rk_...); POST /v1/keys makes one"
            mistaken = Unauthenticated(
                "This is a write key; it takes captures, and this call takes an API key", remedy=remedy
            )
            raise mistaken if hashed in self.known.sources else mistaken.wrong_key()
        caller = self.tokens.principal_of(bearer_of(authorization)) if self.tokens is not None else None
        if caller is None:
            unknown = Unauthenticated(
                "There is no API key, or it is not known", remedy="Send Authorization: Bearer <API key>"
            )
            raise unknown.wrong_key() if hashed else unknown
        return caller

    def whoever(self, authorization: str | None) -> KnownCaller | None:
        """Who calls, with which key; None: nobody who may. For whoever keeps a record, and decides nothing."""
        try:
            caller = self.caller_of(authorization)
        except Problem:
            return None
        hashed = bearer_hash(authorization)
        return KnownCaller(caller, self.known.secrets.owners[hashed] if hashed in self.known.callers else None)

    def caller_by_hash(self, hashed: str) -> KnownCaller | None:
        """Who calls with what has this hash, a key or a token that was seen here; None: nobody who may, or no more."""
        caller = self.known.callers.get(hashed)
        if caller is not None:
            is_lost = self.known.secrets.lost_at(hashed, self._clock()) is not None
            return None if is_lost else KnownCaller(caller, self.known.secrets.owners[hashed])
        token = self.tokens.principal_by_hash(hashed) if self.tokens is not None else None
        return None if token is None else KnownCaller(token, None)

    def told_of(self, hashed: str) -> JsonObject | None:
        """What another process needs to know of a token; None: of a key, which all know."""
        return None if self.tokens is None or hashed in self.known.callers else self.tokens.told(hashed)

    def caller_believed(self, hashed: str, told: JsonObject | None) -> KnownCaller | None:
        """As `caller_by_hash`, on another process's word where it is a token's."""
        if told is not None and self.tokens is not None:
            self.tokens.believe(hashed, told)
        return self.caller_by_hash(hashed)


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
    key = bearer_of(authorization)
    return hash_of(key) if key else ""


def bearer_of(authorization: str | None) -> str:
    """The key or token in `Authorization: Bearer <it>`; empty when there is none."""
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


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
