"""What servers vouched for as one, and what people and accounts are searched by; both are filled from what is there."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from chassis.store import search

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS = 1_000  # at once
_FRAGMENT = sa.table("fragment", *map(sa.column, ("fragment_id", "person_id", "kind", "value", "core_id")))
_LINK = sa.table("link", *map(sa.column, ("link_id", "left_id", "right_id", "strength", "cut_at")))
_ACCOUNT = sa.table("account", *map(sa.column, ("account_id", "name", "domain", "group_id", "survivor_id")))


def upgrade() -> None:
    op.add_column("fragment", sa.Column("core_id", sa.String, nullable=True))
    search.create("person_search")
    search.create("account_search")
    if op.get_context().as_sql:  # SQL that is written for an empty store has nothing to copy
        return
    _join_cores()
    _fill_people()
    _fill_accounts()


def _join_cores() -> None:
    connection = op.get_bind()
    root: dict[str, str] = {}
    verified = (
        sa.select(_LINK)
        .where(_LINK.c.strength == "verified", _LINK.c.cut_at.is_(None))
        .order_by(_LINK.c.link_id)
        .limit(_ROWS)
    )
    after = ""
    while links := connection.execute(verified.where(_LINK.c.link_id > after)).all():
        for link in links:
            first, second = sorted((_root_of(root, link.left_id), _root_of(root, link.right_id)))
            root[second] = first
        after = links[-1].link_id
    joined = [{"fragment": one, "core": _root_of(root, one)} for one in sorted(root)]
    update = (
        _FRAGMENT.update()
        .where(_FRAGMENT.c.fragment_id == sa.bindparam("fragment"))
        .values(core_id=sa.bindparam("core"))
    )
    for start in range(0, len(joined), _ROWS):
        connection.execute(update, joined[start : start + _ROWS])


def _fill_people() -> None:
    connection, table, after = op.get_bind(), search.search_table("person_search", sa.MetaData()), ""
    is_name = sa.and_(_FRAGMENT.c.kind.is_not(None), _FRAGMENT.c.kind != "anonymous_id")
    people = sa.select(_FRAGMENT.c.person_id).distinct().where(is_name).order_by(_FRAGMENT.c.person_id).limit(_ROWS)
    while found := connection.execute(people.where(_FRAGMENT.c.person_id > after)).scalars().all():
        own = sa.and_(is_name, _FRAGMENT.c.person_id > after, _FRAGMENT.c.person_id <= found[-1])
        order = (_FRAGMENT.c.core_id.is_(None), _FRAGMENT.c.fragment_id)
        names: dict[str, list[str]] = {}
        for row in connection.execute(sa.select(_FRAGMENT).where(own).order_by(*order)):
            names.setdefault(row.person_id, []).append(row.value)
        search.fill(connection, table, {person_id: _lines(values) for person_id, values in names.items()})
        after = found[-1]


def _fill_accounts() -> None:
    connection, table, after = op.get_bind(), search.search_table("account_search", sa.MetaData()), ""
    accounts = sa.select(_ACCOUNT).where(_ACCOUNT.c.survivor_id.is_(None)).order_by(_ACCOUNT.c.account_id).limit(_ROWS)
    while found := connection.execute(accounts.where(_ACCOUNT.c.account_id > after)).all():
        search.fill(connection, table, {row.account_id: _lines((row.name, row.domain, row.group_id)) for row in found})
        after = found[-1].account_id


def _lines(parts: Iterable[str | None]) -> str:
    return "\n".join(part for part in parts if part)


def _root_of(root: dict[str, str], node: str) -> str:
    root.setdefault(node, node)
    while root[node] != node:
        root[node] = node = root[root[node]]
    return node
