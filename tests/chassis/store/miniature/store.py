"""Its tables: the ones its migrations make, and ones that went ahead of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, MetaData
from sqlmodel import Field, SQLModel

from chassis.store.columns import JsonDocument, UtcDateTime
from contracts.values import JsonObject


class Table(SQLModel):
    """What the migrations know."""

    metadata = MetaData()


class Visit(Table, table=True):
    __tablename__ = "visit"

    visit_id: str = Field(primary_key=True)
    page: str = Field(index=True)
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    facts: JsonObject = Field(sa_column=Column(JsonDocument, nullable=False))


class NewerTable(SQLModel):
    """What the code expects after a change that nobody wrote a migration for."""

    metadata = MetaData()


class NewerVisit(NewerTable, table=True):
    __tablename__ = "visit"

    visit_id: str = Field(primary_key=True)
    page: str = Field(index=True)
    seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    facts: JsonObject = Field(sa_column=Column(JsonDocument, nullable=False))
    referrer: str | None = None


class Rating(NewerTable, table=True):
    __tablename__ = "rating"

    rating_id: str = Field(primary_key=True)
