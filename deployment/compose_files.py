"""The files beside `docker-compose.yml` that follow from the code: `python -m deployment.compose_files` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from deployment.nats_config import PERMITTED_LANES, NatsPlan, nats_config
from deployment.nats_values import ByName, PasswordsByName

FOLDER: Final = Path(__file__).resolve().parent / "compose"
_ABOUT = "# Written by `python -m deployment.compose_files`; a change belongs into deployment/nats_config.py.\n"
_STORE = Path("/data/jetstream")
_CLIENT_PORT, _MONITOR_PORT = 4222, 8222


def nats_file(lanes: int = PERMITTED_LANES) -> str:
    """The configuration of the nats-server in compose, without a secret in it."""
    plan = NatsPlan(
        port=_CLIENT_PORT,
        monitor_port=_MONITOR_PORT,
        store=_STORE,
        passwords=PasswordsByName(),
        issuer=ByName("CALLOUT_ISSUER"),
        lanes=lanes,
        host="0.0.0.0",  # noqa: S104 - in a container of its own; what is published is decided in docker-compose.yml
    )
    return _ABOUT + nats_config(plan)


def main() -> None:
    """Write them, for as many lanes as is said."""
    lanes = int(sys.argv[1]) if sys.argv[1:] else PERMITTED_LANES
    (FOLDER / "nats.conf").write_text(nats_file(lanes))


if __name__ == "__main__":
    main()
