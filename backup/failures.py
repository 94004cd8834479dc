"""What may go wrong on the way, whoever is to blame: the disk, a store, the bus."""

from __future__ import annotations

import sqlite3
from typing import Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from backup.streams import StreamTorn
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.store.errors import StoreError, StoreUnavailable

FAILURES: Final = (
    OSError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    SQLAlchemyError,
    StoreError,
    StoreUnavailable,
    ApiRefused,
    BrokerUnavailable,
    StreamTorn,
)
"""Told in one line by the commands; anything else is a mistake of ours."""
