"""What the embedded suite is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chassis.bus.callout.claims import Issuer, new_issuer_seed
from deployment.nats_accounts import REPS
from embedded.plan import NATS_USERS, PORT_NAMES, SERVICES, WATCHDOG, Plan, parse_procfile
from embedded.secrets import Secrets, SecretsUnreadable, load_or_make

ROOT = Path(__file__).resolve().parents[3]


def a_plan(var: Path = Path("/var/rapport")) -> Plan:
    secrets = Secrets(
        "private", "public", "wk_1", "rk_1", {user: f"{user}%password" for user in NATS_USERS}, new_issuer_seed()
    )
    return Plan(ROOT, var, 8080, dict(zip(PORT_NAMES, range(9000, 9100), strict=False)), secrets)


def test_only_the_gateway_gets_the_signing_key() -> None:
    plan = a_plan()
    assert "GATEWAY_TOKEN_PRIVATE_KEY" in plan.environment("gateway")
    for process in SERVICES:
        assert not any("PRIVATE" in name or "BOOTSTRAP" in name for name in plan.environment(process))


def test_only_routing_gets_the_key_that_lets_reps_in_and_the_server_its_public_half() -> None:
    plan = a_plan()
    seed = plan.environment("routing")["ROUTING_CALLOUT_SEED"]
    assert plan.environment("routing")["ROUTING_CALLOUT_ACCOUNT"] == REPS
    assert not [
        process
        for process in ("gateway", *SERVICES)
        if process != "routing" and seed in plan.environment(process).values()
    ]
    assert Issuer(seed).public_key in plan.nats_config()
    assert seed not in plan.nats_config()


def test_only_the_gateway_has_an_inner_port_and_its_url_is_told() -> None:
    plan = a_plan()
    assert plan.environment("gateway")["GATEWAY_INNER_PORT"] == str(plan.ports["gateway_inner"])
    assert f"RAPPORT_INNER_URL=http://127.0.0.1:{plan.ports['gateway_inner']}\n" in plan.rapport_env()
    assert [name for name in SERVICES for setting in plan.environment(name) if setting.endswith("INNER_PORT")] == []


def test_readiness_is_asked_of_the_processes_of_the_procfile_and_of_no_others() -> None:
    plan = a_plan()
    urls = plan.ready_urls()
    assert list(urls) == [
        name for name in parse_procfile((ROOT / "Procfile").read_text(), {"RAPPORT_VAR": "/var"}) if name != WATCHDOG
    ]
    assert urls["gateway"] == "http://127.0.0.1:8080/readyz"
    assert urls["nats"] == f"http://127.0.0.1:{plan.ports['nats_monitor']}/healthz"
    assert urls["identity"] == f"http://127.0.0.1:{plan.ports['identity']}/readyz"


def test_every_process_of_the_procfile_is_kept_and_starts_in_that_order() -> None:
    procfile = (ROOT / "Procfile").read_text()
    config = a_plan().supervisor_config(procfile, detached=True)
    programs = [line for line in config.splitlines() if line.startswith("[program:")]
    assert programs == [f"[program:{line.partition(':')[0]}]" for line in procfile.splitlines()]
    assert (programs[0], programs[-1]) == ("[program:nats]", "[program:gateway]")
    assert {"[program:identity]", "[program:scoring]"} < set(programs)
    assert config.count("autorestart=true") == len(programs)


def test_percent_signs_survive_supervisors_expansion() -> None:
    assert "identity%%password" in a_plan().supervisor_config(
        "identity: python -m services.identity.main", detached=False
    )


def test_a_procfile_variable_that_nobody_gives_is_an_error() -> None:
    with pytest.raises(KeyError, match="NOWHERE"):
        parse_procfile("nats: nats-server --config $NOWHERE/nats.conf", {})


def test_too_long_a_path_has_no_control_socket() -> None:
    assert "unix_http_server" not in a_plan(Path("/" + "x" * 100)).supervisor_config("", detached=False)


def test_nats_acknowledges_after_the_disk_and_gives_each_user_its_own_subjects() -> None:
    config = a_plan().nats_config()
    assert "sync_interval: always" in config
    assert '"capture.>"' in config
    assert '"_INBOX_identity.>"' in config


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_make(path, ["gateway"])
    second = load_or_make(path, ["gateway", "newcomer"])
    assert path.stat().st_mode & 0o077 == 0
    assert (first.write_key, first.api_key, first.nats_passwords["gateway"]) == (
        second.write_key,
        second.api_key,
        second.nats_passwords["gateway"],
    )
    assert second.nats_passwords["newcomer"] not in first.nats_passwords.values()


def test_a_newer_version_completes_the_secrets_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make(path, ["gateway"])
    older = {name: value for name, value in json.loads(path.read_text()).items() if name != "callout_seed"}
    path.write_text(json.dumps(older))
    completed = load_or_make(path, ["gateway"])
    assert completed.write_key == made.write_key
    assert Issuer(completed.callout_seed)
    assert load_or_make(path, ["gateway"]) == completed


def test_secrets_that_cannot_be_read_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    for torn in ('{"token_private_key": "ab', "[]", '{"stranger": 1}'):
        path.write_text(torn)
        with pytest.raises(SecretsUnreadable, match="backup"):
            load_or_make(path, ["gateway"])
        assert path.read_text() == torn
