"""`python -m bench.scale CAPTURES_A_SECOND [--people N]`: what a load needs, and how it goes in a simulation of it."""

from __future__ import annotations

import argparse
import random

from bench.scale.capacity import ExpectedLoad, Need, need, replicated
from bench.scale.simulation import ServiceOutcome, simulate

_GB, _MB = 1e9, 1e6
_SECONDS = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("peak", type=float, help="captures a second at the peak")
    parser.add_argument("--people", type=int, default=1_000_000, help="people in the base, known and not")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="how long to simulate")
    arguments = parser.parse_args()
    wanted = need(ExpectedLoad(arguments.peak, arguments.people))
    shards = {name: count for name, count in wanted.processes.items() if name != "gateway"}
    lanes = wanted.lanes
    shards = {name: min(lanes, 2 ** (count - 1).bit_length()) for name, count in shards.items()}
    outcomes = simulate(arguments.peak, arguments.seconds, shards, lanes, random.Random(1))
    print("\n".join(_lines(wanted, shards, outcomes)))


def _lines(wanted: Need, shards: dict[str, int], outcomes: dict[str, ServiceOutcome]) -> list[str]:
    lines = [f"{'':10} cores  processes needed / simulated  busy  a batch  done after p50 / p99"]
    for name, count in wanted.processes.items():
        line = f"{name:10} {wanted.cores[name]:5.2f}  {count:16}"
        if name in outcomes:
            one = outcomes[name]
            line += f" / {shards[name]:<9}  {one.busy:4.0%}  {one.batch:7.0f}"
            line += f"  {one.p50 * 1000:7.0f} / {one.p99 * 1000:.0f} ms"
        lines.append(line)
    return [
        *lines,
        f"{'nats':10} {wanted.cores['nats']:5.2f}  one node; a third node is for safety, not for speed",
        f"{'postgresql':10} {wanted.cores['postgresql']:5.2f}  its log: {wanted.wal_bytes_a_second / _MB:,.0f} MB/s",
        f"lanes {wanted.lanes}; {sum(wanted.cores.values()):.1f} cores busy at the peak",
        f"stores {wanted.store_bytes / _GB:,.0f} GB; rows written a second at the peak {wanted.rows_a_second:,.0f}",
        f"streams {wanted.stream_bytes_a_day / _GB:,.1f} GB a day, on three nodes together "
        f"{replicated(wanted.stream_bytes_a_day) / _GB:,.1f} GB",
    ]


if __name__ == "__main__":
    main()
