"""The secrets of an installation."""

from __future__ import annotations

import re

import jwt

from chassis.bus.callout.claims import Issuer
from chassis.keys import read_private_key, read_public_keys
from deployment.catalogue import PROCESSES
from deployment.secret_names import SECRET_NAMES, env_file, new_secrets


def test_each_process_has_its_passwords_and_no_name_stands_twice() -> None:
    assert len(set(SECRET_NAMES)) == len(SECRET_NAMES) == 1 + 3 * len(PROCESSES) + 4 + 7
    assert {"IDENTITY_DATABASE_PASSWORD", "GATEWAY_OWNER_PASSWORD", "METRICS_NATS_PASSWORD"} < set(SECRET_NAMES)


def test_every_value_needs_no_quoting_anywhere() -> None:
    for name, value in new_secrets().items():
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*=?", value), name


def test_what_belongs_together_fits() -> None:
    values = new_secrets()
    assert Issuer(values["CALLOUT_SEED"]).public_key == values["CALLOUT_ISSUER"]
    token = jwt.encode({"sub": "x"}, read_private_key(values["TOKEN_PRIVATE_KEY"]), "EdDSA")
    assert jwt.decode(token, read_public_keys(values["TOKEN_PUBLIC_KEY"])[0], ["EdDSA"]) == {"sub": "x"}
    assert values["BOOTSTRAP_API_KEY"].startswith("rk_")
    assert values["BOOTSTRAP_WRITE_KEY"].startswith("wk_")


def test_no_two_are_alike_and_no_two_calls_either() -> None:
    first, second = new_secrets(), new_secrets()
    assert len({*first.values(), *second.values()}) == 2 * len(SECRET_NAMES)


def test_an_env_file_has_a_line_for_each() -> None:
    values = new_secrets()
    assert dict(line.split("=", 1) for line in env_file(values).splitlines()) == values
