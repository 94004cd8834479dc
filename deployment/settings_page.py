"""Writes docs/settings.md from the settings themselves: `python -m deployment.settings_page [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from deployment.catalogue import PROCESSES
from deployment.secret_names import SECRET_NAMES
from deployment.setting_catalogue import own_settings, shared_settings
from deployment.suite_settings import SUITE_SETTINGS, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_HEAD = """# Settings

Everything that can be said by the environment, in every way to run. Written by `python -m deployment.settings_page`
from the code, which a test holds it to; `rapport settings` shows the same, and which of them are set.

* A variable that begins with the prefix of a process and is none of its settings stops the start, and what was
  probably meant is named. What belongs to somebody else (links of Kubernetes and Docker, GATEWAY_INTERFACE, the
  passwords of an env file) is known; more can be listed in RAPPORT_FOREIGN.
* The caller's environment wins over the defaults of `make up`. What it cannot change there is refused with the reason:
  `NATS_URL`, `NATS_REPLICAS`, `LANES`, the keys of tokens and of the callout, and where services answer.
* Lists are JSON, `["https://app.example.com"]`; those of the gateway may have commas instead: `https://a.example, https://b.example`.
"""


def page() -> str:
    """The page."""
    parts = [
        _HEAD,
        "## The suite and its command\n",
        _table(SUITE_SETTINGS, "who reads it"),
        "## Every process\n\n`<P>` is " + ", ".join(f"`{process.prefix.rstrip('_')}`" for process in PROCESSES) + ".\n",
        _table(shared_settings()),
    ]
    for process in PROCESSES:
        if own := own_settings(process):
            parts += [f"## {process.name.capitalize()} alone, or with another default\n", _table(own)]
    parts += [
        "## Secrets\n\n`rapport keys new` makes them all. The compose file and Kubernetes hand each process its own.\n",
        ", ".join(f"`{name}`" for name in SECRET_NAMES) + "\n",
    ]
    return "\n".join(parts)


def main(words: Sequence[str]) -> int:
    """Write the page, or with --check say whether it is what the code says."""
    parser = argparse.ArgumentParser(prog="deployment.settings_page", description="Write docs/settings.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when the page is not the code's")
    if not parser.parse_args(words).check:
        PAGE.write_text(page())
        return 0
    if PAGE.exists() and PAGE.read_text() == page():
        return 0
    sys.stderr.write("docs/settings.md is not what the settings say; run python -m deployment.settings_page\n")
    return 1


def _table(settings: Iterable[Setting], process: str = "") -> str:
    head = ["variable", "type", "default", "meaning", *([process] if process else [])]
    lines = [_line(head), _line("---" for _ in head)]
    lines += [_line([*_cells(one), *([one.process] if process else [])]) for one in settings]
    return "\n".join([*lines, ""])


def _cells(setting: Setting) -> list[str]:
    default = "must be given" if setting.default is None else setting.default
    return [f"`{setting.variable}`", setting.type, default, setting.meaning]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
