"""Where the stores of an embedded suite are: SQLite files in its folder, or PostgreSQL, chosen at its first start.

`DATABASE=` (or RAPPORT_DATABASE, which shows in no list of processes) is a server, postgresql://user:password@host/,
on which each process gets a database and a role; or an address with {service} in it; <P>_DATABASE_URL moves one. The
choice is kept: a start that says nothing means the same stores, and one that says others is refused, because streams
and stores belong together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deployment.catalogue import PROCESSES
from embedded.files import read_private, write_private
from embedded.secrets import Secrets

VARIABLES = ("RAPPORT_DATABASE", "DATABASE")
FILE = "stores.json"
_PLACE = "{service}"
_POSTGRES = ("postgresql", "postgres")


class StoresRefused(Exception):
    """The stores cannot be where they were asked for."""


def chosen_stores(var: Path, environment: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    """The address of each process's store, and everything that PostgreSQL needs for it made.

    Raises StoresRefused.
    """
    before = known_stores(var)
    asked = _asked(environment, secrets) | {
        process.name: own
        for process in PROCESSES
        if (own := environment.get(f"{process.prefix}DATABASE_URL", "").strip())
    }
    for name, url in asked.items():
        _refuse_misspelt(f"the address of {name}'s store", url)
    stores = before | asked
    if (var / "nats" / "jetstream").exists():
        _refuse_moved(var, before, stores)
    ours = _sqlite(var)
    elsewhere = {name: url for name, url in stores.items() if url != ours[name]}
    if elsewhere or (var / FILE).exists():
        write_private(var / FILE, json.dumps(elsewhere, indent=2))
    return stores


def known_stores(var: Path) -> dict[str, str]:
    """The stores of the suite in `var`, by process. Those in the folder go where the folder goes: they are not noted.

    Raises StoresRefused when nobody knows any more where they are.
    """
    path = var / FILE
    if not path.exists():
        return _sqlite(var)
    try:
        elsewhere = {str(name): str(url) for name, url in json.loads(read_private(path)).items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise StoresRefused(
            f"{path} cannot be read ({type(error).__name__}): it says where the stores are; write it anew, as an object"
            " of process and address, or bring it back from a backup"
        ) from None
    return _sqlite(var) | elsewhere


def shown(url: str) -> str:
    """The address without user and password."""
    netloc = urlsplit(url).netloc
    return url.replace(netloc, netloc.rpartition("@")[2], 1) if "@" in netloc else url


def _sqlite(var: Path) -> dict[str, str]:
    return {process.name: f"sqlite:///{var / process.name}.db" for process in PROCESSES}


def _asked(environment: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    asked = {name: text for name in VARIABLES if (text := environment.get(name, "").strip())}
    for variable, text in asked.items():
        _refuse_misspelt(variable, text)
    if len(set(asked.values())) > 1:
        raise StoresRefused(f"{' and '.join(asked)} differ; unset one of them")
    if not asked:
        return {}
    (variable, text), *_ = asked.items()
    if _PLACE in text:
        stores = {process.name: text.replace(_PLACE, process.name) for process in PROCESSES}
        if urlsplit(text).scheme in _POSTGRES:
            _make_missing(text, stores, secrets)
        return stores
    return _on_server(variable, text, secrets)


def _refuse_misspelt(what: str, url: str) -> None:
    """A password's own signs would be taken for the address's, and the host for another one."""
    netloc = urlsplit(url).netloc
    signs = url.partition("://")[2].partition("?")[0].count("@")
    if signs > 1 or ("@" not in netloc and "@" in url.partition("://")[2]):
        raise StoresRefused(
            f"{what} has an @, /, ? or # too many: in a password @ is written %40, / %2F, ? %3F, # %23, : %3A and % %25"
        )


def _on_server(variable: str, url: str, secrets: Secrets) -> dict[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in _POSTGRES:
        raise StoresRefused(
            f"{variable} is not understood: give a server, postgresql://user:password@host:5432/, or the address of a"
            " store with {service} in it"
        )
    if parts.path not in ("", "/"):
        raise StoresRefused(
            f"{variable} names one database, and each process has a store of its own: leave the name out, and a"
            " database is made for each, or write {service} in its place"
        )
    from embedded.postgres import PostgresRefused, provide  # its driver, only for those who have PostgreSQL

    try:
        return provide(url, secrets)
    except PostgresRefused as refusal:
        raise StoresRefused(f"PostgreSQL at {shown(url)}: {refusal}") from None


def _make_missing(template: str, stores: Mapping[str, str], secrets: Secrets) -> None:
    from embedded.postgres import PostgresRefused, make_missing  # its driver, only for those who have PostgreSQL

    try:
        make_missing(stores, secrets.installation)
    except PostgresRefused as refusal:
        raise StoresRefused(f"PostgreSQL at {shown(template)}: {refusal}") from None


def _refuse_moved(var: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    moved = [name for name, url in before.items() if _place(url) != _place(now[name])]
    if moved:
        raise StoresRefused(
            f"the suite in {var} has its stores elsewhere: that of {moved[0]} is {shown(before[moved[0]])}, not"
            f" {shown(now[moved[0]])}; streams and stores belong together, so take another folder with VAR=, and move"
            " what is here by `rapport backup` and `rapport restore`"
        )


def _place(url: str) -> tuple[str, int | None, str, str]:
    # who logs in may change, and how; where it is may not
    parts = urlsplit(url)
    return parts.hostname or "", parts.port, parts.path, parts.query
