"""The report, for machines and for readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.pairs import report
from bench.pairs.comparison import Comparison, Goal, Limit, ReportCard, compare
from bench.pairs.turns import Measured, Turn
from tests.unit.bench.turns import turns_of

CARD = ReportCard("web", "ours", frozenset({"before"}), (Goal("rate", "bare", 0.30),), (Limit("p99", 100.0),))


def a_comparison() -> Comparison:
    ours = turns_of("ours", cpu=[3.0, 3.6, 3.3], rate=[310.0, 250.0, 290.0], p99=[120.0, 90.0, 110.0])
    before = turns_of("before", cpu=[2.0, 2.5, 2.2])
    return compare(
        CARD,
        [*ours, *before, *turns_of("bare", rate=[2900.0, 3000.0, 2800.0]), Turn("bare", 3, Measured({}, "refused"))],
    )


def test_a_report_has_medians_spreads_samples_and_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.write(path, {"cores": 2}, [a_comparison()])
    read = json.loads(path.read_text())
    (scenario,) = read["scenarios"]
    assert read["machine"] == {"cores": 2}
    assert scenario["figures"]["ours"]["cpu"] == {
        "unit": "CPU-ms a capture", "median": 3.3, "low": 3.0, "high": 3.6, "width": 0.1818, "samples": [3.0, 3.6, 3.3],
    }  # fmt: skip
    ratio = next(one for one in scenario["ratios"] if one["figure"] == "cpu")
    assert (ratio["median"], ratio["low"], ratio["high"], ratio["verdict"]) == (1.5, 1.44, 1.5, "worse")
    goal = next(one for one in scenario["ratios"] if one["theirs"] == "bare")
    assert (goal["goal"], goal["is_goal_met"], goal["verdict"]) == (0.3, False, None)
    assert scenario["limits"] == [{"figure": "p99", "at_most": 100.0, "is_met": False}]
    assert scenario["regressions"] == ["cpu against before"]
    assert scenario["complaints"] == ["bare, round 4: refused"]


def test_a_run_that_is_broken_off_leaves_the_former_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.write(path, {}, [])
    former = path.read_text()
    with pytest.raises(TypeError):
        report.write(path, {"cores": object()}, [a_comparison()])
    assert path.read_text() == former
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]


def test_a_reader_of_the_former_report_reads_on_while_the_next_is_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report.write(path, {}, [])
    with path.open() as reader:
        report.write(path, {"cores": 2}, [])
        assert json.load(reader) == {"machine": {}, "scenarios": []}
    assert json.loads(path.read_text())["machine"] == {"cores": 2}


def test_a_summary_says_what_matters_first() -> None:
    lines = report.summary(a_comparison()).splitlines()
    assert lines[0] == "== web (4 rounds; median, lowest to highest)"
    assert " ".join(lines[1].split()) == "cpu ours 3.3 (3 to 3.6) before 2.2 (2 to 2.5) CPU-ms a capture"
    assert "  cpu / before: 1.5 (1.44 to 1.5)   worse" in lines
    assert "  rate / bare: 0.104 (0.0833 to 0.107)   goal 0.3 missed" in lines
    assert "  p99: 110 ms   goal 100 missed" in lines
    assert lines[-1] == "  DOES NOT COUNT bare, round 4: refused"


def test_one_round_has_no_spread_to_show() -> None:
    text = report.summary(compare(CARD, turns_of("ours", p99=[80.0])))
    assert "ours 80 " in text
    assert "goal 100 met" in text
    assert " to " not in text.partition("\n")[2]
