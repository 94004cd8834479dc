"""Fuzz the readers behind the capture doors: `python -m bench.fuzz --inputs 1000000 --seed 1`.

Ends with an error when anything but a declared refusal was raised, or one input took longer than `--most-seconds` of
CPU.
"""

from __future__ import annotations

import argparse
import time

from tests.support.capture_fuzzer import fuzz

_SHOWN = 5


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-seconds", type=float, default=1.0)
    told = parser.parse_args()
    began = time.perf_counter()
    findings = fuzz(told.inputs, told.seed)
    for name, count in sorted(findings.outcomes.items()):
        print(f"{name:20} {count:9,}")
    for name, (seconds, raw) in sorted(findings.slowest.items()):
        print(f"slowest of {name:12} {seconds * 1000:8.1f} ms CPU, {len(raw):,} bytes")
    for name, error, raw in findings.broken[:_SHOWN]:
        print(f"BROKEN {name}: {error}\n  {raw[:400]!r}")
    slow = any(seconds > told.most_seconds for seconds, _ in findings.slowest.values())
    print(f"{told.inputs:,} inputs in {time.perf_counter() - began:.0f} s, {len(findings.broken)} broken")
    return 1 if findings.broken or slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
