"""The ports of a suite stay what they were: reps were told where NATS is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from embedded.plan import PORT_NAMES
from embedded.ports import GATEWAY, PortTaken, WantedPort, free_ports, kept_ports
from embedded.up import prepare

NAMES = {GATEWAY, *PORT_NAMES}


def test_every_start_in_a_folder_has_the_ports_of_the_first(tmp_path: Path) -> None:
    first = prepare(tmp_path, 0, detached=True)
    assert set(first.ports) == set(PORT_NAMES)
    assert len({first.port, *first.ports.values()}) == len(PORT_NAMES) + 1
    second = prepare(tmp_path, 0, detached=True)
    assert (second.port, second.ports) == (first.port, first.ports)


def test_a_port_that_somebody_else_has_meanwhile_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = kept_ports(path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["nats"]))
        taken.listen()
        second = kept_ports(path)
    assert second["nats"] != first["nats"]
    assert {name: second[name] for name in NAMES - {"nats"}} == {name: first[name] for name in NAMES - {"nats"}}


def test_a_port_that_was_asked_for_is_had_and_kept_and_nobody_else_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = kept_ports(path)
    wanted = {"nats": WantedPort(first["identity"], "NATS_PORT")}
    second = kept_ports(path, wanted)
    assert second["nats"] == first["identity"] != second["identity"]
    assert kept_ports(path) == second


def test_a_port_that_was_asked_for_and_is_taken_is_refused_by_its_variable(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken .* NATS_PORT="):
            kept_ports(tmp_path / "ports.json", {"nats": WantedPort(port, "NATS_PORT")})


def test_two_who_ask_for_one_port_are_both_named(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    wanted = {"nats": WantedPort(port, "NATS_PORT"), "identity": WantedPort(port, "IDENTITY_PORT")}
    with pytest.raises(PortTaken, match="NATS_PORT and IDENTITY_PORT"):
        kept_ports(tmp_path / "ports.json", wanted)


@pytest.mark.parametrize(
    "left", ["", "[]", '{"nats": "x"}', '{"stranger": 1}', '{"nats": 4000, "identity": 4000}', "{"]
)
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, left: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(left)
    ports = kept_ports(path)
    assert set(ports) == NAMES
    assert len(set(ports.values())) == len(NAMES)
