"""Processes for the length of a block."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import nats
import nats.errors
from nats.aio.client import Client

from bench.suite import ROOT, environment

READY_SECONDS, STOP_SECONDS = 30.0, 20.0


@contextmanager
def started(command: Sequence[str], *, folder: Path = ROOT, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """Gives the process's id; asks it to stop at the end, and kills what does not."""
    process = subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment() | dict(settings or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=STOP_SECONDS)


@contextmanager
def nats_server(folder: Path, port: int) -> Iterator[int]:
    """A server of its own that syncs before it acknowledges."""
    config = folder / "nats.conf"
    config.write_text(f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{folder}/nats", sync_interval: always }}\n')
    with started([str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-c", str(config)]) as pid:
        yield pid


async def until_connected(url: str) -> Client:
    """A server that was just started takes a moment. Raises TimeoutError."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                return await nats.connect(url, allow_reconnect=False, error_cb=_ignore)
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.05)


async def _ignore(error: Exception) -> None:
    """The next try tells."""


def python(*words: str) -> list[str]:
    return [sys.executable, *words]
