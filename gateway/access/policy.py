"""The terms of the table: roles, how far each sees, and what an operation is about. Pure; the table is `table.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from chassis.web.auth import Principal

MARKETING, SALES, MANAGER, AGENT, OPS, ADMIN = ROLES = ("marketing", "sales", "manager", "agent", "ops", "admin")
SITE = "site"
"""Whoever has a source's write key."""
_ROLES = frozenset(ROLES)
_WIDE = frozenset({MARKETING, AGENT, OPS, ADMIN, SITE})  # who serves everybody sees everybody

EVERYBODY = _ROLES
DECIDERS = _ROLES - {AGENT}
TALKERS = _ROLES - {OPS}
"""Who speaks with people, and says what came of it."""
REFERRED = _ROLES - {MARKETING}
"""Who answers a referral: the rep, or a leader for them."""
WATCHERS = _ROLES - {SALES, MANAGER, AGENT}
"""Who writes rules, treatments, campaigns and costs, and watches what comes in."""
COUNTERS = _ROLES - {SALES, AGENT}
"""Who reads what all of it cost and was worth."""
LEADERS = frozenset({MANAGER, OPS, ADMIN})
"""Who says which rep gets what."""
KEEPERS = frozenset({OPS, ADMIN})
LISTENERS = frozenset({SALES, MANAGER, OPS, ADMIN})
ONLY_ADMIN = frozenset({ADMIN})


class About(StrEnum):
    """What an operation is about, for a caller who does not see everybody."""

    NOBODY = "nobody"  # of the installation, the catalogue, the team: no lead is told of
    PERSON = "a lead"  # the person in the path, and those in the body
    DEAL = "a lead's deal"
    ACCOUNT = "an account of theirs"  # one, or both, that a rep they see owns
    REFERRAL = "a referral"  # routing decides: it has them
    LEADS = "a list of leads"  # it holds whom they see
    NAMED = "leads by name"  # whom they do not see are strangers
    REP = "a rep"  # themselves; for leaders those of their teams


class Door(StrEnum):
    """What lets somebody in."""

    API_KEY = "API key"
    WRITE_KEY = "write key"
    EITHER = "either key"
    TICKET = "API key or ticket"
    OPEN = "no key"  # a form, a signed link, a page's settings


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table. `body` and `query`: the field that names
    somebody, or an account, beside the path."""

    method: str
    path: str
    roles: frozenset[str] = frozenset()
    about: About = About.NOBODY
    door: Door = Door.API_KEY
    body: str | None = None
    query: str | None = None


class Policy:
    """The table, by method and path template."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = tuple(operations)
        self._known: Mapping[tuple[str, str], Operation] = {(one.method, one.path): one for one in self.operations}

    def of(self, method: str, path: str) -> Operation | None:
        """The line of an operation; None is nobody's. HEAD is as GET."""
        return self._known.get(("GET" if method == "HEAD" else method, path))


def is_limited(caller: Principal, operation: Operation) -> bool:
    """Whether the caller does this for their own and their teams' leads only.

    Who has several roles sees as far as the widest of those that may do it. A manager of no team in particular leads
    all of them.
    """
    may = caller.roles & operation.roles
    return may.isdisjoint(_WIDE) and not (MANAGER in may and not caller.teams)


def narrowed(caller: Principal, operation: Operation) -> Principal:
    """The caller as services are told of them: with the roles alone that may do it."""
    may = caller.roles & operation.roles
    return caller if may == caller.roles else Principal(caller.subject, may, caller.rep_id, caller.teams)
