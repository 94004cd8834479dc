"""The ports of a suite stay what they were: reps were told where NATS is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from embedded.plan import PORT_NAMES
from embedded.up import kept_ports, prepare


def test_every_start_in_a_folder_has_the_ports_of_the_first(tmp_path: Path) -> None:
    first = prepare(tmp_path, 0, detached=True)
    assert set(first.ports) == set(PORT_NAMES)
    assert len({first.port, *first.ports.values()}) == len(PORT_NAMES) + 1
    assert prepare(tmp_path, 0, detached=True).ports == first.ports


def test_a_port_that_somebody_else_has_meanwhile_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first = kept_ports(path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["nats"]))
        taken.listen()
        second = kept_ports(path)
    assert second["nats"] != first["nats"]
    assert {name: second[name] for name in PORT_NAMES if name != "nats"} == {
        name: first[name] for name in PORT_NAMES if name != "nats"
    }
    assert kept_ports(path, taken=second["identity"])["identity"] != second["identity"]


@pytest.mark.parametrize("left", ["", "[]", '{"nats": "x"}', '{"stranger": 1}'])
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, left: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(left)
    assert set(kept_ports(path)) == set(PORT_NAMES)
