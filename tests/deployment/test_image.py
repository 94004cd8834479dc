"""What the Dockerfile makes: an image with one process in it, that a platform may run with a read-only root."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from chassis.version import VERSION
from chassis.web.probe import ask
from deployment.catalogue import INNER_PORT, PORT, PROCESSES, SERVICES
from deployment.image_content import TOOLS, NothingToStart, copy, folders, reached, start_module
from tests.support.composition import ROOT
from tests.support.dockerfile import line_of, read_stages

STAGES = read_stages()
IMAGES = (*(process.name for process in PROCESSES), TOOLS)
HOUSE = (
    "chassis",
    "contracts",
    "semantics",
    "rulebook",
    "people_kernel",
    "services",
    "gateway",
    "deployment",
    "embedded",
    "cli",
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    house = [name for name in (*HOUSE, "backup") if (ROOT / name / "__init__.py").exists()]
    return grimp.build_graph(*house, include_external_packages=True)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_carries_what_its_process_imports_and_no_more(graph: grimp.ImportGraph, image: str) -> None:
    start = start_module(image)
    reached = {start, *graph.find_upstream_modules(start)}
    ours = {module for module in reached if not graph.is_module_squashed(module)}
    needed = {"/".join(module.split(".")[: 2 if module.startswith("services.") else 1]) for module in ours} | {
        "services" for module in ours if module.startswith("services.")
    }
    migrations = {f"{process.folder}/migrations" for process in PROCESSES} if image == TOOLS else set()
    assert set(folders(image, ROOT)) == needed | migrations


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_carries_no_other_service(image: str) -> None:
    carried = {folder for folder in folders(image, ROOT) if folder.startswith(("services/", "gateway"))}
    own = {process.folder for process in PROCESSES if process.name == image}
    migrations = {f"{process.folder}/migrations" for process in PROCESSES} if image == TOOLS else set()
    assert carried - migrations == own


@pytest.mark.parametrize("image", IMAGES)
def test_what_an_image_imports_is_locked_for_images(graph: grimp.ImportGraph, image: str) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    locked = {_plain(name) for name in re.findall(r"(?m)^([\w.-]+)(?:\[[\w,]+\])?==", lock)}
    homes = importlib.metadata.packages_distributions()
    start = start_module(image)
    strangers = {
        module.partition(".")[0] for module in graph.find_upstream_modules(start) if graph.is_module_squashed(module)
    } - set(sys.stdlib_module_names)
    missing = {
        stranger for stranger in strangers if not any(_plain(home) in locked for home in homes.get(stranger, ()))
    }
    assert missing == set()


@pytest.mark.slow
@pytest.mark.platform
@pytest.mark.parametrize("image", IMAGES)
def test_what_was_copied_starts_and_writes_nothing_beside_itself(image: str, tmp_path: Path) -> None:
    copy(image, ROOT, tmp_path / "app")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["version"] if image == TOOLS else []
    command = [sys.executable, "-m", start_module(image).removesuffix(".__main__"), *words]
    done = subprocess.run(command, cwd=tmp_path / "app", env=environment, capture_output=True, text=True, check=False)
    if image == TOOLS:
        assert done.stdout.startswith(f"rapport {VERSION}"), done.stderr
    else:  # without settings: it names them
        assert f"{image.upper()}_DATABASE_URL" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_all_that_was_copied_is_compiled_by_content(tmp_path: Path) -> None:
    copy("metrics", ROOT, tmp_path)
    sources = list(tmp_path.rglob("*.py"))
    for source in sources:
        (compiled,) = (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc")
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # by hash, and not looked at again
    assert sources


def test_the_tools_find_the_migrations_of_every_store(tmp_path: Path) -> None:
    copy(TOOLS, ROOT, tmp_path)
    names = ", ".join(repr(process.migrations) for process in PROCESSES)
    script = (
        f"from importlib.resources import files; print(*[(files(each) / 'versions').is_dir() for each in [{names}]])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * len(PROCESSES)
    assert all((tmp_path / process.folder / "__init__.py").exists() for process in PROCESSES)


def test_an_image_of_nothing_is_refused() -> None:
    with pytest.raises(NothingToStart, match="give a service, gateway or tools"):
        folders("billing", ROOT)


@pytest.mark.parametrize("stage", ["service", "tools"])
def test_an_image_runs_as_nobody_and_stands_on_a_version(stage: str) -> None:
    line = line_of(STAGES[stage], STAGES)
    users = [user for each in line for user in each.values("USER")]
    assert users[0] == users[-1] == "10001:10001"
    assert [each.image for each in line][-1] == "${PYTHON_IMAGE}"
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-\S+", STAGES[""].pairs("ARG")["PYTHON_IMAGE"])
    environment = {name: value for each in line for name, value in each.pairs("ENV").items()}
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert [word for each in line for word in each.values("STOPSIGNAL")] == ["SIGTERM"]


@pytest.mark.parametrize("stage", ["service", "tools"])
def test_the_last_stages_install_nothing_and_what_they_copy_comes_from_stages(stage: str) -> None:
    for each in line_of(STAGES[stage], STAGES):
        assert not any(re.search(r"apt|pip install|curl|wget", run) for run in each.values("RUN"))
        assert all(copied.startswith("--from=") for copied in each.values("COPY"))
    assert "'pip'" in "".join(STAGES["runtime"].values("RUN"))


@pytest.mark.parametrize("stage", ["service", "tools"])
def test_labels_say_what_it_is(stage: str) -> None:
    assert STAGES[stage].pairs("ARG")["VERSION"] == VERSION
    labels = " ".join(STAGES[stage].values("LABEL"))
    for label in ("title", "description", 'version="${VERSION}"', 'revision="${REVISION}"'):
        assert f"org.opencontainers.image.{label}" in labels


def test_what_is_installed_is_checked_against_the_runtime_lock() -> None:
    (run,) = STAGES["packages"].values("RUN")
    assert "--require-hashes --requirement /tmp/requirements.lock" in run
    assert "compileall" in run
    assert STAGES["packages"].values("COPY") == ["requirements.lock /tmp/requirements.lock"]


def test_the_entry_point_leaves_python_alone_with_the_signals() -> None:
    shell, flag, script, _ = STAGES["service"].words("ENTRYPOINT")
    assert (shell, flag) == ("/bin/sh", "-c")
    assert script.rpartition("; ")[2] == 'exec python -P -m $module "$@"'
    for process in PROCESSES:
        said = script.replace("exec python -P -m", "echo")
        done = subprocess.run(
            [shell, flag, said, "rapport", "migrate"],
            env={"RAPPORT_SERVICE": process.name},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [process.module, "migrate"]


def test_the_image_asks_whether_it_lives_on_its_inner_port() -> None:
    assert STAGES["service"].words("HEALTHCHECK")[-1] == f"http://127.0.0.1:{INNER_PORT}/healthz"
    assert STAGES["service"].values("EXPOSE") == [f"{PORT} {INNER_PORT}"]


def test_the_context_is_a_list_of_what_is_let_in() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    carried = {folder.partition("/")[0] for image in IMAGES for folder in folders(image, ROOT)}
    assert carried | {"deployment", "requirements.lock"} <= let_in
    assert let_in <= carried | {"backup", "deployment", "embedded", "requirements.lock"}
    assert not {f"services/{name}" for name in SERVICES} & let_in


@pytest.mark.parametrize("image", IMAGES)
def test_nothing_that_a_start_imports_is_kept_out_of_the_context(image: str) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!*"]
    imported = [module.replace(".", "/") for module in reached(ROOT, start_module(image))]
    assert [one for one in imported for line in lines if f"{one}/".startswith(f"{line}/")] == []


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1/healthz", "refused"), ("http://127.0.0.1:none/healthz", "invalid literal"), ("nonsense", "")],
)
def test_a_probe_of_nothing_says_why(url: str, said: str) -> None:
    reason = ask(url)
    assert reason.startswith(url)
    assert said in reason


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
