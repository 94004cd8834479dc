"""CPU as the kernel counts it, and processes that are stopped whatever happens."""

from __future__ import annotations

import os

import pytest

from bench.pairs.meter import Meter
from bench.pairs.subprocesses import python, started
from bench.processes import cpu_seconds, descendants, is_supported, naming, tree_cpu_seconds
from tests.support.eventually import eventually

pytestmark = pytest.mark.skipif(not is_supported(), reason="this kernel does not tell")

_BUSY = "import time\nwhile time.process_time() < 0.4: pass\n"
_PARENT = (
    "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c',"
    f" {_BUSY + 'time.sleep(60)'!r}])\ntime.sleep(60)"
)
_WIDOW = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {_BUSY!r}])\ntime.sleep(60)"


async def test_what_a_child_uses_counts_for_its_parent() -> None:
    with started(python("-c", _PARENT)) as pid:
        await eventually(lambda: tree_cpu_seconds(pid) >= 0.3, within=30)
        assert cpu_seconds(pid) < tree_cpu_seconds(pid)  # the parent rests
        (child,) = descendants(pid)
        os.kill(child, 9)


async def test_a_child_that_has_died_still_counts() -> None:
    with started(python("-c", _WIDOW)) as pid:
        await eventually(lambda: tree_cpu_seconds(pid) >= 0.3, within=30)
        await eventually(lambda: not list(descendants(pid)), within=30)
        assert tree_cpu_seconds(pid) >= 0.3


async def test_a_meter_sums_up_what_processes_have_used_since_it_was_made() -> None:
    with (
        started(python("-c", _BUSY + "time.sleep(60)")) as pid,
        started(python("-c", "import time; time.sleep(60)")) as other,
    ):
        meter = Meter({"busy": pid, "idle": other})
        await eventually(lambda: cpu_seconds(pid) >= 0.3, within=30)
        values = meter.per(10)
        late = Meter({"busy": pid}).per(10)  # what it used before is not of this turn
    assert values["cpu"] == pytest.approx(values["cpu of busy"] + values["cpu of idle"])
    assert values["cpu of busy"] > 20  # of the 0.3 s, what it had not used when the meter was made
    assert late["cpu"] < values["cpu of busy"]
    assert values["load generator"] > 0


def test_a_meter_of_a_process_that_has_ended_says_so() -> None:
    with started(python("-c", "import time; time.sleep(60)")) as pid:
        meter = Meter({"gone": pid})
    with pytest.raises((FileNotFoundError, ProcessLookupError)):
        meter.per(1)


async def test_a_process_is_found_by_what_its_command_names() -> None:
    with started(python("-c", "import time; time.sleep(60)", "a-folder-of-its-own")) as pid:
        # it has no command before the kernel has set it up
        await eventually(lambda: list(naming("a-folder-of-its-own")) == [pid], within=30)
    assert list(naming("a-folder-of-its-own")) == []
