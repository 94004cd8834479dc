"""The processes of the suite: which there are, what starts each, where it answers in a container, what it owns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from deployment.nats_config import BUS_USERS, BusUser

PORT: Final = 8000
"""Where a process answers in a container of its own; the gateway to the world, a service to the gateway."""
INNER_PORT: Final = 9000
"""Where it tells probes and Prometheus how it is."""
GATEWAY: Final = "gateway"


@dataclass(frozen=True)
class ServiceProcess:
    """A process of ours: a service, or the gateway."""

    bus: BusUser

    @property
    def name(self) -> str:
        return self.bus.name

    @property
    def module(self) -> str:
        """What `python -m` starts."""
        return f"{self.folder.replace('/', '.')}.main"

    @property
    def folder(self) -> str:
        """Its own folder in the repository."""
        return GATEWAY if self.name == GATEWAY else f"services/{self.name}"

    @property
    def prefix(self) -> str:
        """What its settings begin with in the environment."""
        return f"{self.name.upper()}_"

    @property
    def migrations(self) -> str:
        """The module that holds the migrations of its store."""
        return f"{self.folder.replace('/', '.')}.migrations"


PROCESSES: Final = tuple(ServiceProcess(user) for user in BUS_USERS)
SERVICES: Final = tuple(process.name for process in PROCESSES if process.name != GATEWAY)
