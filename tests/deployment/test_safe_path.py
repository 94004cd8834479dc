"""No command that we write down searches the folder it is called in for modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.catalogue import PROCESSES
from deployment.kubernetes import archives
from deployment.kubernetes.pods import migration_spec, process_pod
from embedded.plan import Plan
from embedded.secrets import Secrets
from embedded.up import supervisor_command
from tests.support.composition import ROOT
from tests.support.dockerfile import read_stages

_CALL = re.compile(r"(?:\bpython3?|\$\((?:BIN\)/python|PYTHON\)|OURS\)))((?:\s+-{1,2}[\w-]+)+)")
_OURS = re.compile(r"^OURS = (.*)$", re.MULTILINE)


def unsafe(command: str) -> list[str]:
    """The calls of Python in `command` that look for modules where they are called."""
    return [
        found[0]
        for found in _CALL.finditer(command)
        if re.search(r"\s-[mc]\b", found[1]) and not re.search(r"\s-[IP]\b", found[1])
    ]


def commands() -> Iterator[tuple[str, str]]:
    for name, stage in read_stages().items():
        for number, run in enumerate(stage.values("RUN")):
            yield f"Dockerfile, {name}, RUN {number}", run
        for kind in ("ENTRYPOINT", "HEALTHCHECK"):
            if stage.values(kind):
                yield f"Dockerfile, {name}, {kind}", " ".join(stage.words(kind))
    for process in PROCESSES:
        specs = {"pod": process_pod(process), "job": migration_spec(process, {})["template"]["spec"]}
        for kind, spec in specs.items():
            (container,) = spec["containers"]
            yield f"Kubernetes, {kind} of {process.name}", " ".join(container["command"])
    for one in archives.manifests():
        if one["kind"] == "CronJob":
            (container,) = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
            yield f"Kubernetes, {one['metadata']['name']}", " ".join(container["command"])
    makefile = (ROOT / "Makefile").read_text()
    yield "Makefile", makefile.replace("$(OURS)", _OURS.findall(makefile)[0])
    yield "docker-compose.yml", (ROOT / "docker-compose.yml").read_text().replace(",", " ")
    yield "rapport", (ROOT / "rapport").read_text().replace('"', "")
    plan = Plan(ROOT, Path("/var"), 8080, {}, Secrets("", "", "", "", {}))
    yield "supervisor", " ".join(["python", *supervisor_command(plan)[1:]])


@pytest.mark.parametrize(("where", "command"), [pytest.param(*one, id=one[0]) for one in commands()])
def test_a_command_says_where_its_modules_are(where: str, command: str) -> None:
    assert "python" in command or "RUN" in where
    assert not unsafe(command)


def test_what_would_search_the_folder_is_seen() -> None:
    assert unsafe("f=1; python -m cli backup && python -P -m cli") == ["python -m"]
    assert unsafe("$(BIN)/python -u -m demo") == ["$(BIN)/python -u -m"]
    assert not unsafe("python -I -S /app/chassis/web/probe.py; python -P -u -m demo")


def test_what_an_image_starts_finds_the_project_alone() -> None:
    stated = read_stages()["runtime"].pairs("ENV")
    assert (stated["PYTHONPATH"], stated["PYTHONSAFEPATH"]) == ("/app", "1")
