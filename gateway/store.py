"""The gateway's own small store: sources, forms, keys, tickets, and what was refused. Forms that NATS
could not take wait in the chassis's outbox.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import BigInteger, Column, ColumnElement, Index, MetaData, and_, delete, func, or_, select, update
from sqlmodel import Field, SQLModel

from chassis.store.batch import core_table, insert_all, upsert
from chassis.store.columns import JsonDocument, Serial, UtcDateTime, moment
from chassis.store.errors import Violated
from chassis.store.session import Session
from contracts.limits import UNRECOGNIZED
from gateway.domain.refusal import RejectKind

Row = TypeVar("Row", bound=SQLModel)


class Table(SQLModel):
    """The gateway's tables hang on a metadata of their own."""

    metadata = MetaData()


class SourceRow(Table, table=True):
    """Who may send captures."""

    __tablename__ = "source"

    source_id: str = Field(primary_key=True)
    name: str
    kind: str
    write_key_hash: str = Field(unique=True)
    write_key_hint: str
    prefixes: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    is_test: bool
    is_enabled: bool
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    mapping: dict[str, str] | None = Field(default=None, sa_column=Column(JsonDocument))
    origins: list[str] | None = Field(default=None, sa_column=Column(JsonDocument))
    events_a_minute: int | None = None
    app_ids: list[str] | None = Field(default=None, sa_column=Column(JsonDocument))
    expires_at: datetime | None = moment(is_nullable=True)
    last_used_at: datetime | None = moment(is_nullable=True)  # to the minute
    rotated_at: datetime | None = moment(is_nullable=True)
    previous_hash: str | None = None
    previous_until: datetime | None = moment(is_nullable=True)


class FormRow(Table, table=True):
    """How the posts to one form are read."""

    __tablename__ = "form"

    form_id: str = Field(primary_key=True)
    source_id: str = Field(foreign_key="source.source_id", index=True)
    name: str
    preset: str | None = None
    mapping: dict[str, str] = Field(sa_column=Column(JsonDocument, nullable=False))
    honeypot: str | None = None
    return_urls: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    is_enabled: bool
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    secret_hash: str | None = None
    secret_sealed: str | None = None  # encrypted, as a signature needs the secret itself
    verify_hash: str | None = None  # of Meta's hub.verify_token

    @property
    def has_webhook_secret(self) -> bool:
        return self.secret_hash is not None

    @property
    def has_verify_token(self) -> bool:
        return self.verify_hash is not None


class ApiKeyRow(Table, table=True):
    """A key of a person or a tool. A revoked one stays, so that its use can still be told from nonsense."""

    __tablename__ = "api_key"

    key_id: str = Field(primary_key=True)
    key_hash: str = Field(unique=True)
    hint: str
    subject: str
    roles: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    rep_id: str | None = None
    teams: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    is_revoked: bool
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime | None = moment(is_nullable=True)
    last_used_at: datetime | None = moment(is_nullable=True)  # to the minute
    rotated_at: datetime | None = moment(is_nullable=True)
    previous_hash: str | None = None
    previous_until: datetime | None = moment(is_nullable=True)


class RejectRow(Table, table=True):
    """Something a source sent that was not taken, or a form in which nobody was found (`kind`; of before: refused).
    `post` is all of it, as `gateway.domain.forms.kept_posts` writes it.
    """

    __tablename__ = "reject"

    reject_id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    source_id: str = Field(index=True)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    field: str
    reason: str
    excerpt: str
    kind: str | None = None
    form_id: str | None = None
    post: str | None = None
    replayed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class TicketRow(Table, table=True):
    """A ticket for the alert stream; the row goes with its use."""

    __tablename__ = "ticket"

    ticket_hash: str = Field(primary_key=True)
    key_hash: str
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    caller: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonDocument))  # whose token it was made with


class AuditRow(Table, table=True):
    """Who did or saw what. Nothing changes but `status`, once: None until the operation was answered."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_principal", "principal", "audit_id"),
        Index("ix_audit_operation", "operation", "audit_id"),
    )

    audit_id: int | None = Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    principal: str
    roles: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    key_id: str | None = None  # None: a token of the sign-in service
    operation: str
    method: str
    objects: list[str] = Field(sa_column=Column(JsonDocument, nullable=False))
    status: int | None = None
    request_id: str | None = None


class AuditObjectRow(Table, table=True):
    """What an entry of the audit is about, to be found by it."""

    __tablename__ = "audit_object"

    object_id: str = Field(primary_key=True)
    audit_id: int = Field(sa_column=Column(BigInteger, primary_key=True, index=True))


REJECT, TICKET = core_table(RejectRow), core_table(TicketRow)


class Taken(NamedTuple):
    """A ticket that was just used: the key it was made with, until when it was good, and whose token that was."""

    key_hash: str
    expires_at: datetime
    caller: dict[str, Any] | None


class KeyTaken(Exception):
    """Another source, form or key has this key or id already."""


async def add(session: Session, row: SQLModel) -> None:
    """Write one new row. Raises KeyTaken when its id or key is another's."""
    with _keys_told():
        await insert_all(session, type(row), [row.model_dump()])


async def change(session: Session, row: SQLModel) -> None:
    """Write one known row anew. Raises KeyTaken when its key is another's."""
    with _keys_told():
        await upsert(session, type(row), [row.model_dump()])


async def get(session: Session, table: type[Row], key: str | int) -> Row | None:
    """The row with this primary key."""
    core = core_table(table)
    (column,) = core.primary_key
    found = (await session.execute(select(core).where(column == key))).first()
    return None if found is None else table(**found._asdict())


async def all_of(session: Session, table: type[Row]) -> Sequence[Row]:
    """Every row; sources, forms and keys are few, and all are held in memory."""
    return [table(**row._asdict()) for row in await session.execute(select(core_table(table)))]


async def page_of(session: Session, table: type[Row], key: str, after: str | None, limit: int) -> Sequence[Row]:
    """Up to `limit` rows whose `key` follows `after`, in its order."""
    core = core_table(table)
    query = select(core).order_by(core.c[key]).limit(limit)
    rows = await session.execute(query if after is None else query.where(core.c[key] > after))
    return [table(**row._asdict()) for row in rows]


@contextmanager
def _keys_told() -> Iterator[None]:
    try:
        yield
    except Violated as error:
        raise KeyTaken from error


async def add_rejects(session: Session, rejects: Sequence[dict[str, Any]], kept: int) -> None:
    """Write rejects, and forget the oldest of each source concerned: of what was refused beyond `kept`, of posts in
    which nobody was found beyond UNRECOGNIZED. A flood of the first pushes none of the second out.
    """
    await insert_all(session, RejectRow, rejects)
    number = REJECT.c.reject_id
    for source_id, kind in sorted({(reject["source_id"], reject["kind"]) for reject in rejects}):
        own = and_(REJECT.c.source_id == source_id, _of_kind(kind))
        most = UNRECOGNIZED if kind == RejectKind.UNRECOGNIZED else kept
        newest_too_many = select(number).where(own).order_by(number.desc()).offset(most).limit(1).scalar_subquery()
        await session.execute(delete(REJECT).where(own, number <= newest_too_many))


class RejectFilter(NamedTuple):
    """The newest rejects of a source; those before the one with id `before`; those of one kind."""

    source_id: str
    before: int | None = None
    kind: str | None = None


async def rejects_of(session: Session, wanted: RejectFilter, limit: int) -> Sequence[Any]:
    """Rows of RejectRow, newest first; whether it is there stands for the post itself (`is_kept_whole`)."""
    number = REJECT.c.reject_id
    columns = [column for column in REJECT.c if column.name not in ("post", "kind")]
    kind = func.coalesce(REJECT.c.kind, RejectKind.REFUSED.value).label("kind")
    query = select(*columns, kind, REJECT.c.post.is_not(None).label("is_kept_whole"))
    query = query.where(REJECT.c.source_id == wanted.source_id).order_by(number.desc()).limit(limit)
    if wanted.before is not None:
        query = query.where(number < wanted.before)
    if wanted.kind is not None:
        query = query.where(_of_kind(wanted.kind))
    return list(await session.execute(query))


async def mark_replayed(session: Session, reject_id: int, now: datetime) -> None:
    """Note that a post was read again and captured."""
    await session.execute(update(REJECT).where(REJECT.c.reject_id == reject_id).values(replayed_at=now))


def _of_kind(kind: str) -> ColumnElement[bool]:
    is_kind = REJECT.c.kind == kind
    return is_kind if kind == RejectKind.UNRECOGNIZED else or_(is_kind, REJECT.c.kind.is_(None))


async def take_ticket(session: Session, ticket_hash: str) -> Taken | None:
    """What a ticket is good for; it is gone after that, whichever replica asks first."""
    told = (TICKET.c.key_hash, TICKET.c.expires_at, TICKET.c.caller)
    row = (await session.execute(delete(TICKET).where(TICKET.c.ticket_hash == ticket_hash).returning(*told))).first()
    return None if row is None else Taken(*row)


async def forget_tickets(session: Session, now: datetime) -> None:
    """Remove those that have run out."""
    await session.execute(delete(TICKET).where(TICKET.c.expires_at <= now))


async def try_writing(session: Session, now: datetime) -> None:
    """Write what nobody needs and take it away again: the commit goes to the disk,
    and says whether the store takes anything.
    """
    hash_of_none = f"tried-{secrets.token_hex(8)}"  # replicas may try at the same time
    await add(session, TicketRow(ticket_hash=hash_of_none, key_hash="", expires_at=now))
    await session.execute(delete(TICKET).where(TICKET.c.ticket_hash == hash_of_none))
