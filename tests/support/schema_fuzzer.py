"""A stranger's tool: schemathesis throws what it can think of at a running service and holds the answers against its
OpenAPI document.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Door:
    """Where the service is, what it promises (a file or URL of its OpenAPI document), and what opens it: scheme name ->
    bearer token.
    """

    url: str
    document: str
    tokens: dict[str, str]


def schemathesis(
    door: Door, folder: Path, options: Sequence[str] = (), *, seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run all of its checks; it may also leave the token out or spoil it. Its exit code is 0 when it found nothing."""
    config = folder / "schemathesis.toml"
    config.write_text(
        "".join(f'[auth.openapi.{scheme}]\nbearer = "{token}"\n' for scheme, token in door.tokens.items())
    )
    program = Path(sysconfig.get_path("scripts")) / "schemathesis"
    command = [sys.executable, str(program), "--config-file", str(config), "run", door.document, "--url", door.url]
    always = ["--checks", "all", "--seed", "1", "--no-color"]
    return subprocess.run(
        [*command, *always, *options], capture_output=True, text=True, check=False, timeout=seconds, cwd=folder
    )
