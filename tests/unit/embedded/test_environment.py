"""The caller's environment wins; what it cannot change is refused, and nothing is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.environment import EnvironmentRefused, caller_settings, wanted_ports
from embedded.plan import PORT_NAMES
from embedded.ports import WantedPort
from embedded.up import prepare
from tests.unit.embedded.test_plan import a_plan


def test_what_the_caller_says_wins_over_the_plan(tmp_path: Path) -> None:
    given = {"METRICS_NICENESS": "3", "IDENTITY_DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.db", "HOME": "/root"}
    plan = prepare(tmp_path, 0, detached=True, environment=given)
    assert plan.environment("metrics")["METRICS_NICENESS"] == "3"
    assert plan.environment("identity")["IDENTITY_DATABASE_URL"] == given["IDENTITY_DATABASE_URL"]
    assert 'METRICS_NICENESS="3"' in (tmp_path / "supervisord.conf").read_text()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("IDENTITY_NATS_URL", "NATS_PORT="),
        ("METRICS_LANES", "--lanes"),
        ("GATEWAY_TOKEN_PRIVATE_KEY", "secrets.json"),
        ("ROUTING_CALLOUT_SEED", "secrets.json"),
        ("GATEWAY_SCORING_URL", "SCORING_PORT="),
        ("GATEWAY_PORT", "PORT="),
    ],
)
def test_what_cannot_be_changed_here_is_refused_with_the_remedy(name: str, remedy: str) -> None:
    with pytest.raises(EnvironmentRefused, match=remedy) as refusal:
        caller_settings({name: "4"}, 8080)
    assert name in str(refusal.value)


def test_the_gateways_port_may_be_said_twice_alike() -> None:
    assert caller_settings({"GATEWAY_PORT": "8080"}, 8080) == {}


def test_a_slip_is_named_with_what_was_meant() -> None:
    with pytest.raises(EnvironmentRefused, match=r"GATEWAY_TRUSTED_PROXYS: .*did you mean GATEWAY_TRUSTED_PROXIES"):
        caller_settings({"GATEWAY_TRUSTED_PROXYS": "1"})


def test_secrets_of_an_env_file_are_none_of_its_settings() -> None:
    assert caller_settings({"IDENTITY_NATS_PASSWORD": "x"}) == {}


def test_a_first_key_of_the_callers_is_kept_and_told(tmp_path: Path) -> None:
    prepare(tmp_path, 0, detached=True, environment={"GATEWAY_BOOTSTRAP_API_KEY": "rk_mine_and_nobody_elses_key"})
    plan = prepare(tmp_path, 0, detached=True)
    assert plan.environment("gateway")["GATEWAY_BOOTSTRAP_API_KEY"] == "rk_mine_and_nobody_elses_key"
    assert "RAPPORT_API_KEY=rk_mine_and_nobody_elses_key\n" in (tmp_path / "rapport.env").read_text()


def test_a_base_port_gives_one_after_the_other_and_a_port_of_its_own_wins() -> None:
    wanted = wanted_ports({"BASE_PORT": "7000", "NATS_PORT": "4222", "METRICS_PORT": "9"}, port=8080)
    assert wanted["nats"] == WantedPort(4222, "NATS_PORT")
    assert wanted["metrics"] == WantedPort(9, "METRICS_PORT")
    assert wanted["gateway"] == WantedPort(8080, "PORT")
    assert wanted["identity"] == WantedPort(7000 + PORT_NAMES.index("identity"), "BASE_PORT")


@pytest.mark.parametrize("text", ["tcp://10.0.0.1:4222", "-1", "65536"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(EnvironmentRefused, match="NATS_PORT"):
        wanted_ports({"NATS_PORT": text})


def test_a_process_that_listens_everywhere_is_asked_here() -> None:
    plan = a_plan()
    everywhere = type(plan)(
        plan.root, plan.var, plan.port, plan.ports, plan.secrets, overrides={"GATEWAY_HOST": "0.0.0.0"}
    )
    assert everywhere.url == plan.url


def test_a_slip_in_what_is_said_to_the_suite_is_no_reason_to_begin_elsewhere() -> None:
    with pytest.raises(EnvironmentRefused, match=r"RAPPORT_DATABSE: .*did you mean RAPPORT_DATABASE"):
        caller_settings({"RAPPORT_DATABSE": "postgresql://host/"})


def test_what_a_suite_tells_its_users_may_be_in_the_environment_of_the_next_start(tmp_path: Path) -> None:
    told = prepare(tmp_path, 0, detached=True).rapport_env()
    assert caller_settings({name: "x" for name, _, _ in (line.partition("=") for line in told.splitlines())}) == {}


def test_a_first_key_that_can_be_guessed_is_refused_before_anything_is_kept(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match=r"GATEWAY_BOOTSTRAP_API_KEY .*it has 5 characters") as refusal:
        prepare(tmp_path, 0, detached=True, environment={"GATEWAY_BOOTSTRAP_API_KEY": "short"})
    assert "short" not in str(refusal.value)
    assert not (tmp_path / "secrets.json").exists()


@pytest.mark.parametrize("name", ["DATABSE", "DATABASES", "DATABAS", "DATBASE"])
def test_a_slip_in_where_everything_is_kept_is_refused(name: str) -> None:
    with pytest.raises(EnvironmentRefused, match=f"{name}: .*did you mean DATABASE"):
        caller_settings({name: "postgresql://u:p@db/"})


@pytest.mark.parametrize("name", ["DATABASE", "DATABASE_URL", "RAPPORT_DATABASE", "DATA_BASE_DIR", "database_"])
def test_what_is_somebody_elses_is_left_alone(name: str) -> None:
    assert caller_settings({name: "x"}) == {}
