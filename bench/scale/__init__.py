"""From a laptop to ten thousand captures a second: the arithmetic of `docs/scale.md`, and a simulation that checks it.

`python -m bench.scale 10000 --people 100_000_000` prints what such a load needs.
"""
