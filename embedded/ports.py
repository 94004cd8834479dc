"""Ports of a suite: those that were asked for, else those of the last time, else any that are free."""

from __future__ import annotations

import itertools
import json
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.files import read_private, write_private
from embedded.plan import PORT_NAMES

GATEWAY = "gateway"
_PORTS = range(20_000, 32_768)  # Linux takes those from 32768 on for outgoing connections, others those from 49152 on


_LARGEST = 65_535


class PortTaken(Exception):
    """A port that was asked for cannot be had."""


@dataclass(frozen=True)
class WantedPort:
    """A port that somebody asked for by the name of a variable."""

    port: int
    variable: str


def kept_ports(path: Path, wanted: Mapping[str, WantedPort] | None = None) -> dict[str, int]:
    """The ports of PORT_NAMES and the gateway's, kept in `path`.

    Reps were told where NATS is, and others watch the rest: so a port stays what it was while it is free. Raises
    PortTaken for one that was asked for.
    """
    wanted = wanted or {}
    _refuse_taken(wanted)
    given = {name: one.port for name, one in wanted.items()}
    last = {name: port for name, port in last_ports(path).items() if name not in given and port not in given.values()}
    kept = {name: port for name, port in last.items() if is_free(port)}
    missing = [name for name in (GATEWAY, *PORT_NAMES) if name not in {**given, **kept}]
    others = {*given.values(), *kept.values()}
    fresh = [port for port in free_ports(len(missing) + len(others)) if port not in others]
    ports = {**kept, **given, **dict(zip(missing, fresh, strict=False))}
    write_private(path, json.dumps(ports, indent=2))
    return ports


def free_ports(count: int) -> list[int]:
    """Ports that are free now, and that the system gives no outgoing connection before they are listened on: on a busy
    machine that takes a while.
    """
    start = random.SystemRandom().randrange(len(_PORTS))
    candidates = itertools.chain(_PORTS[start:], _PORTS[:start])
    return list(itertools.islice(filter(is_free, candidates), count))


def is_free(port: int) -> bool:
    """Whether somebody could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _refuse_taken(wanted: Mapping[str, WantedPort]) -> None:
    seen: dict[int, str] = {}
    for one in wanted.values():
        if one.port in seen:
            raise PortTaken(f"{seen[one.port]} and {one.variable} both ask for port {one.port}; change one of them")
        seen[one.port] = one.variable
        if not is_free(one.port):
            raise PortTaken(f"port {one.port} is taken by another program; choose another with {one.variable}=")


def _is_port(port: object) -> bool:
    return isinstance(port, int) and not isinstance(port, bool) and 0 < port <= _LARGEST


def last_ports(path: Path) -> dict[str, int]:
    """Those of the last time; empty where nobody knows any more."""
    try:
        said = json.loads(read_private(path))
        known = {name: port for name, port in said.items() if name in (GATEWAY, *PORT_NAMES) and _is_port(port)}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
    return known if len(set(known.values())) == len(known) else {}
