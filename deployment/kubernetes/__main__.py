"""`python -m deployment.kubernetes` writes the files; `--check` says which differ; `nats` prints a configuration for
another number of nodes or lanes.
"""

from __future__ import annotations

import argparse
import sys

from deployment.kubernetes.broker import broker_config
from deployment.kubernetes.files import FOLDER, LANES, NODES, files


def main(words: list[str]) -> int:
    """Exit code 1 when `--check` found a difference."""
    asked = _parser().parse_args(words)
    if asked.what == "nats":
        sys.stdout.write(broker_config(asked.nodes, asked.lanes))
        return 0
    differing = [name for name, text in files().items() if _present(name) != text]
    if asked.check:
        sys.stdout.writelines(f"k8s/{name} is not what the code says\n" for name in differing)
        return 1 if differing else 0
    for name in differing:
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[name])
        sys.stdout.write(f"k8s/{name}\n")
    return 0


def _present(name: str) -> str:
    path = FOLDER / name
    return path.read_text() if path.exists() else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployment.kubernetes", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("files", "nats"), default="files")
    parser.add_argument("--check", action="store_true", help="write nothing, say which files differ")
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--lanes", type=int, default=LANES)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
