"""The containers of the compose file without an engine: each is its start command as a process of this machine, with
its environment, on a loopback address of its own instead of a name.

So ports stay what they are. What a container would find in its image is in a folder of its own: the code that the image
carries and nothing else. Linux alone: elsewhere 127.0.0.1 is the only loopback address.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx

from deployment import image_content
from tests.support.composition import ROOT, Container
from tests.support.dockerfile import line_of, read_stages
from tests.support.eventually import eventually
from tests.support.nats import server_binary
from tests.support.postgres import PostgresNotFound, PostgresServer, installations

_STAGES = read_stages()
_HOST = re.compile(r"(?<=://)([^@/]*@)?([a-z]+)(?=[:/]|$)")  # in a URL, after who asks
_SUPERUSER = "rapport"


@dataclass
class LocalContainers:
    """One set of containers under `folder`, on addresses that begin with `network` ("127.77.5.")."""

    entries: Mapping[str, Container]
    folder: Path
    network: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    postgres: ContainerPostgres | None = None

    def address(self, name: str) -> str:
        """Where the container would be found under its name."""
        return f"{self.network}{10 + sorted(self.entries).index(name)}"

    def environment(self, name: str) -> dict[str, str]:
        """What the container finds, with addresses for names; of this machine nothing but where programs are."""
        given = {key: self._reached(name, value) for key, value in self.entries[name].environment.items()}
        return self._image_environment(name) | given

    def command(self, name: str) -> list[str]:
        """What the container starts: the image's entry point and the words of the compose file."""
        entry = self.entries[name]
        if name == "nats":
            return [str(server_binary()), *(self._mounted(word) for word in entry.command)]
        return [*_STAGES["service"].words("ENTRYPOINT"), *entry.command]

    def start(self, name: str) -> None:
        """Start it, and do not wait."""
        if name == "postgres":
            self.postgres = ContainerPostgres(self.address(name), self.entries[name])
            return
        content = self._content(name)
        with self._log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.command(name), cwd=content, env=self.environment(name), stdout=log, stderr=log
            )

    async def is_done(self, name: str, within: float = 300) -> int:
        """The exit code of a job."""
        async with asyncio.timeout(within):
            return await asyncio.to_thread(self.running[name].wait)

    async def is_healthy(self, name: str, within: float = 60) -> None:
        """Asks the container's own health check until it is content."""

        async def is_content() -> None:
            if name != "postgres" and self.running[name].poll() is not None:
                raise RuntimeError(f"{name} ended:\n{self.log(name)[-3000:]}")
            code, said = await self.check(name)
            assert code == 0, f"{name}: {said}\n{self.log(name)[-1500:]}"

        await eventually(is_content, within=within)

    async def check(self, name: str) -> tuple[int, str]:
        """The health check of the compose file, once: its exit code and what it said."""
        words = [
            self._mounted(word, name).replace("127.0.0.1", self.address(name)) for word in self.entries[name].health
        ]
        if words[0] == "wget":  # of the NATS image; what counts is where it asks
            async with httpx.AsyncClient() as client:
                try:
                    answer = await client.get(words[-1])
                except httpx.HTTPError as error:
                    return 1, repr(error)
                return int(answer.status_code != 200), answer.text
        programs = {
            "python": sys.executable,
            "pg_isready": str(self.postgres.binaries / "pg_isready") if self.postgres else "",
        }
        words[0] = programs[words[0]]
        done = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await done.communicate()
        return done.returncode or 0, said.decode(errors="replace")

    def stop(self) -> None:
        """End all of them, as compose would: those who ask first, those who answer last."""
        ours = [process for name, process in self.running.items() if name != "nats"]
        nats = [process for name, process in self.running.items() if name == "nats"]
        for group in (ours, nats):
            for process in group:
                process.terminate()
            for process in group:
                process.wait(60)
        if self.postgres is not None:
            self.postgres.remove()

    def log(self, name: str) -> str:
        return self._log(name).read_text()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _content(self, name: str) -> Path:
        """What the image has in /app; made once for a process and its job."""
        if name == "nats":
            return self._nats_folder()
        content = self.folder / "images" / self.entries[name].service
        if not content.exists():
            image_content.copy(self.entries[name].service, ROOT, content)
        return content

    def _nats_folder(self) -> Path:
        """The mounted configuration; the volume and the address are this machine's."""
        folder = self.folder / "nats"
        folder.mkdir(exist_ok=True)
        mounts = dict(volume.split(":")[:2] for volume in self.entries["nats"].entry["volumes"])
        (source,) = (path for path, target in mounts.items() if target == "/etc/nats/nats.conf")
        text = (ROOT / source).read_text().replace("0.0.0.0", self.address("nats")).replace('"/data/', f'"{folder}/')
        (folder / "nats.conf").write_text(text)
        return folder

    def _mounted(self, word: str, name: str = "nats") -> str:
        """A path in the container as one of this machine."""
        inside = {"/etc/nats": self.folder / "nats", "/app": self.folder / "images" / self.entries[name].service}
        for path, here in inside.items():
            word = word.replace(path, str(here))
        return word

    def _reached(self, name: str, value: str) -> str:
        if value == "0.0.0.0":
            return self.address(name)
        return _HOST.sub(
            lambda found: (found[1] or "") + (self.address(found[2]) if found[2] in self.entries else found[2]), value
        )

    def _image_environment(self, name: str) -> dict[str, str]:
        if not self.entries[name].is_ours:
            return {"PATH": os.environ["PATH"]}
        stated: dict[str, str] = {}
        for stage in reversed(line_of(_STAGES["service"], _STAGES)):
            stated |= stage.pairs("ENV")
        content = self.folder / "images" / self.entries[name].service
        paths = {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(content)}
        return stated | paths | {"RAPPORT_SERVICE": self.entries[name].service, "RAPPORT_REVISION": ""}


class ContainerPostgres(PostgresServer):
    """A server as the image sets it up: nobody comes in without a password, and its script has been run."""

    def __init__(self, address: str, entry: Container) -> None:
        super().__init__(_with_psql())
        self._address, self._entry = address, entry
        (self._data / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
        super().start()
        self.initialize()
        self.kill()
        self.start()

    @property
    def binaries(self) -> Path:
        return self._binaries

    def start(self) -> None:
        """On its address, with what the compose file says."""
        words = " ".join(self._entry.command[1:])
        options = f"{words} -c listen_addresses={self._address} -c fsync=off -c port=5432 -k {self._directory}"
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._directory / "log"), "-o", options)

    def initialize(self, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run the mounted script as the image's entry point does; it may be run again, with other passwords."""
        (folder,) = (
            volume.split(":")[0] for volume in self._entry.entry["volumes"] if "docker-entrypoint-initdb.d" in volume
        )
        environment = {
            "PATH": f"{self._binaries}:/usr/bin:/bin",
            "PGHOST": str(self._directory),
            "POSTGRES_USER": _SUPERUSER,
            **self._entry.environment,
            **changed,
        }
        (script,) = sorted((ROOT / folder).glob("*.sh"))
        return subprocess.run(["sh", str(script)], env=environment, capture_output=True, text=True, check=True)

    async def connect(self, role: str, password: str, database: str) -> asyncpg.Connection:
        """As somebody from the network."""
        return await asyncpg.connect(
            f"postgresql://{role}:{quote(password, safe='')}@{self._address}:5432/{database}", timeout=10
        )


def _with_psql() -> Path:
    """The first installation that brings the client with which the image runs its scripts. Raises PostgresNotFound."""
    found = next((binaries for binaries in installations() if (binaries / "psql").exists()), None)
    if found is None:
        raise PostgresNotFound("no installation with psql")
    return found


def own_network() -> str:
    """The beginning of loopback addresses that no other run of tests uses at the same time."""
    number = os.getpid()
    return f"127.{64 + number % 128}.{number // 128 % 250}."
