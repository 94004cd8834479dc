"""supervisord for this suite: what our processes need is imported once, and each is forked from there instead of
starting an interpreter of its own.

`python -m embedded.supervisor -c var/supervisord.conf` takes what supervisord takes and does what it does; only `python
-m module` begins otherwise. Linux alone: elsewhere system libraries do not stand a fork without exec, and an
interpreter is started for each, as RAPPORT_FORK=0 asks for. Every process inherits the lock on the suite's folder
(`embedded.lock`), which supervisord would close.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor import supervisord
from supervisor.options import ServerOptions

from embedded import forks
from embedded.lock import DESCRIPTOR_VARIABLE

_FIRST_OF_OURS = 5  # as supervisord counts


class ForkOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's way to the system."""

    is_alone = False  # one thread, and so a child of which nothing is missing
    has_forks = sys.platform == "linux"
    lock: int | None = None  # the descriptor that every child keeps

    def close_fd(self, fd: int) -> None:
        """In a child, before its program begins."""
        if fd != self.lock:
            super().close_fd(fd)

    def cleanup_fds(self) -> None:
        """When its configuration is read anew: what it has from before is closed."""
        for descriptor in range(_FIRST_OF_OURS, self.minfds):
            self.close_fd(descriptor)

    def check_execv_args(self, filename: str, argv: Sequence[str], st: Any) -> None:
        """The last look at a command before its fork.

        Before the first of ours all is imported: what comes later is not shared.
        """
        super().check_execv_args(filename, argv, st)
        if self.has_forks and forks.module_of([filename, *argv[1:]]) is not None:
            for process in (process for group in self.process_group_configs for process in group.process_configs):
                forks.load(process.command)
            self.is_alone = forks.threads() == 1
            if not self.is_alone:
                self.logger.warn(
                    f"{forks.threads()} threads run here, which a fork would not have: an interpreter is started for"
                    f" {argv[2]}"
                )

    def fork(self) -> int:
        """Nothing may wait to be written twice, and the collector leaves alone what is shared: it would write on every
        page.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()
        return os.fork()

    def execve(self, filename: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """In the child, with its descriptors, its group and its user."""
        module = forks.module_of([filename, *argv[1:]])
        if module is not None and self.is_alone:
            forks.go_on_as(module, argv, env)
        super().execve(filename, argv, env)


class Supervisor(supervisord.Supervisor):  # type: ignore[misc]
    """supervisord, but for its first second."""

    def runforever(self) -> None:
        """Starts what is to be started at once; supervisord would first wait a second for somebody to talk to it."""
        for group in sorted(self.process_groups.values()):
            group.transition()
        super().runforever()


def main() -> None:
    """Until it is asked to end."""
    ForkOptions.has_forks = ForkOptions.has_forks and os.environ.pop(forks.VARIABLE, "1") != "0"
    if lock := os.environ.pop(DESCRIPTOR_VARIABLE, ""):
        ForkOptions.lock = int(lock)
    supervisord.ServerOptions, supervisord.Supervisor = ForkOptions, Supervisor
    supervisord.main()


if __name__ == "__main__":
    main()
