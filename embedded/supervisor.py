"""supervisord for this suite: what our processes need is imported once, and each is forked from there instead of
starting an interpreter of its own.

`python -m embedded.supervisor -c var/supervisord.conf` takes what supervisord takes and does what it does; only `python
-m module` begins otherwise. Linux alone: elsewhere system libraries do not stand a fork without exec.
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


class ForkOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's way to the system."""

    is_alone = False  # one thread, and so a child of which nothing is missing

    def check_execv_args(self, filename: str, argv: Sequence[str], st: Any) -> None:
        """The last look at a command before its fork.

        Before the first of ours all is imported: what comes later is not shared.
        """
        super().check_execv_args(filename, argv, st)
        if forks.module_of([filename, *argv[1:]]) is not None:
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
    supervisord.ServerOptions, supervisord.Supervisor = ForkOptions, Supervisor
    supervisord.main()


if __name__ == "__main__":
    main()
