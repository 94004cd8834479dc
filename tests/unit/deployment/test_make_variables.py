"""Slips on make's command line are refused with what was meant."""

from __future__ import annotations

import re
import subprocess

import pytest

from deployment.make_variables import KNOWN, slips
from tests.support.process import ROOT


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("DATABSE", "DATABASE"),
        ("DATABASE_URL", "DATABASE"),
        ("LANE", "LANES"),
        ("PROT", "PORT"),
        ("ports", "PORT"),
        ("DETATCH", "DETACH"),
        ("AGANST", "AGAINST"),
        ("lanes", "LANES"),
        ("NATSPORT", "NATS_PORT"),
    ],
)
def test_what_is_nearly_one_of_ours_is_refused(slip: str, meant: str) -> None:
    assert slips([slip]) == [f"{slip}: there is no such variable; did you mean {meant}?"]


@pytest.mark.parametrize(
    "name", [*KNOWN, "GATEWAY_API_ORIGINS", "RAPPORT_DATABASE", "LANG", "CC", "PATH", "HOME", "TERM"]
)
def test_ours_and_what_is_somebody_elses_is_not(name: str) -> None:
    assert slips([name]) == []


def test_all_that_the_makefile_reads_is_known() -> None:
    text = (ROOT / "Makefile").read_text()
    read = set(re.findall(r"\$\((?:if \$\()?([A-Z_]+)\)", text)) | set(re.findall(r"^([A-Z]+) \?=", text, re.M))
    own = {"BIN", "READY", "TOOLS", "RESOLVE", "CODE", "MAKEOVERRIDES", "MAKEFILE_LIST", "GIVEN", "SLIPS"}
    assert read - own <= set(KNOWN)


def made(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_make_itself_refuses_before_it_does_anything() -> None:
    ended = made("--dry-run", "up", "DATABSE=postgresql://u:p@db/")
    assert ended.returncode == 2
    assert "did you mean DATABASE?" in ended.stderr
    assert "embedded.up" not in ended.stdout
    fine = made("--dry-run", "up", "PORT=8123", "LANES=2", "ARGS=-k 'a b'")
    assert fine.returncode == 0, fine.stderr
    assert "--lanes 2" in fine.stdout
