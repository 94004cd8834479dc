"""`make bench`: what a user waits for, measured on this machine, everything on loopback and of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bench import capture
from bench.latency import measure
from bench.suite import fresh_suite


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--rate", type=int, default=200, help="captures a second for the latency run")
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    with fresh_suite() as target:
        print(asyncio.run(measure(target, rate=arguments.rate, seconds=arguments.seconds)).report())
    return capture.main([])


if __name__ == "__main__":
    sys.exit(main())
