"""Which processes the suite has here, on which ports and with which settings.

Ports and secrets are arguments; it reads the Procfile alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from chassis.bus.callout.claims import Issuer
from deployment.nats_accounts import OBSERVER, REPS, REVOKER
from deployment.nats_config import BUS_USERS, OPERATOR, PERMITTED_LANES, NatsPlan, nats_config, static_users
from embedded.notation import shell_file, supervisor_environment, supervisor_line
from embedded.secrets import Secrets

SERVICES = tuple(user.name for user in BUS_USERS if user.name != "gateway")
NATS_USERS = static_users()
_REPORTS_GIVE_WAY = "10"  # all share one machine here; whoever waits for an alert or an answer goes first
INNER = "gateway_inner"
PORT_NAMES = ("nats", "nats_monitor", *SERVICES, INNER)
NATS, WATCHDOG = "nats", "watchdog"
LANES_FILE = "lanes.json"
"""In how many lanes the suite in a folder runs; `rapport lanes set` changes it, and it outlives a restart."""
SERVICE_GROUP = "services"  # supervisorctl knows a service as services:<name>
_LOOPBACK, _EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
_SOCKET_PATH_LIMIT = 100  # a unix socket's path may have about 104 characters


@dataclass(frozen=True)
class Plan:
    """One installation under `var`, its gateway on `port`, all other ports in `ports` (PORT_NAMES).

    `stores`: the addresses of those that are not in `var`, by process; `overrides`: what the caller's environment says
    of settings, by variable: it wins.
    """

    root: Path
    var: Path
    port: int
    ports: Mapping[str, int]
    secrets: Secrets
    lanes: int = 1
    stores: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self._address("gateway", self.port)

    def _address(self, process: str, port: int) -> str:
        host = self.overrides.get(f"{process.upper()}_HOST", _LOOPBACK)
        return f"http://{_LOOPBACK if host in _EVERYWHERE else host}:{port}"

    @property
    def inner_url(self) -> str:
        """Where the gateway tells probes and Prometheus how it is; the services do so on their own ports."""
        return f"http://127.0.0.1:{self.ports[INNER]}"

    def nats_url(self, user: str) -> str:
        return f"nats://{user}:{self.secrets.nats_passwords[user]}@127.0.0.1:{self.ports['nats']}"

    @property
    def nats(self) -> NatsPlan:
        issuer = Issuer(self.secrets.callout_seed).public_key
        return NatsPlan(
            self.ports["nats"],
            self.ports["nats_monitor"],
            self.var / "nats",
            self.secrets.nats_passwords,
            issuer,
            max(self.lanes, PERMITTED_LANES),
            log=self._log(NATS),
        )

    @property
    def monitor_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['nats_monitor']}"

    def nats_config(self) -> str:
        return nats_config(self.nats)

    def ready_urls(self) -> dict[str, str]:
        """Where each process of the Procfile says that it is ready; the watchdog serves nobody."""
        return {process: self._ready_url(process) for process in self.commands() if process != WATCHDOG}

    def reason_url(self, process: str) -> str:
        """Where it says why it is not ready: the gateway tells the public no more than that."""
        return f"{self.inner_url}/readyz" if process == "gateway" else self._ready_url(process)

    def _log(self, process: str) -> Path:
        return self.var / "log" / f"{process}.log"

    def commands(self) -> dict[str, str]:
        """Process name -> command, in the order of the Procfile."""
        return parse_procfile((self.root / "Procfile").read_text(), {"RAPPORT_VAR": str(self.var)})

    def _ready_url(self, process: str) -> str:
        if process == NATS:
            return f"{self.monitor_url}/healthz"
        return f"{self.url}/readyz" if process == "gateway" else f"{self._address(process, self.ports[process])}/readyz"

    def environment(self, process: str) -> dict[str, str]:
        """The settings of one process; only the gateway gets the key that signs tokens, only routing the one that lets
        reps into NATS.
        """
        if process == NATS:
            return {}
        if process == WATCHDOG:
            return self._watched()
        prefix = process.upper()
        settings = {
            "PORT": str(self.port if process == "gateway" else self.ports[process]),
            "DATABASE_URL": self.stores.get(process, f"sqlite:///{self.var / process}.db"),
            "NATS_URL": self.nats_url(process),
            "TOKEN_PUBLIC_KEY": self.secrets.token_public_key,
            "LANES": str(self.lanes),
            "LANES_FILE": str(self.var / LANES_FILE),
        }
        if process == "gateway":
            settings |= self._of_the_gateway()
        if process == "routing":
            settings |= {
                "CALLOUT_SEED": self.secrets.callout_seed,
                "CALLOUT_ACCOUNT": REPS,
                "REVOKER_NATS_URL": self.nats_url(REVOKER),
            }
        settings |= {"NICENESS": _REPORTS_GIVE_WAY} if process == "metrics" else {}
        named = {f"{prefix}_{name}": value for name, value in settings.items()}
        return named | {name: value for name, value in self.overrides.items() if name in named}

    def _of_the_gateway(self) -> dict[str, str]:
        return {
            "TOKEN_PRIVATE_KEY": self.secrets.token_private_key,
            "BOOTSTRAP_API_KEY": self.secrets.api_key,
            "BOOTSTRAP_WRITE_KEY": self.secrets.write_key,
            "INNER_PORT": str(self.ports[INNER]),
            **{f"{name.upper()}_URL": self._address(name, self.ports[name]) for name in SERVICES},
        }

    def _watched(self) -> dict[str, str]:
        nats = self.nats
        watched = {"MONITOR_URL": self.monitor_url, "STORE": str(nats.store), "PID_FILE": str(nats.pid_file)}
        return {f"{WATCHDOG.upper()}_{name}": value for name, value in watched.items()}

    def rapport_env(self) -> str:
        """What a user sources. Raises ValueRefused."""
        return shell_file(
            {
                "RAPPORT_URL": self.url,
                "RAPPORT_INNER_URL": self.inner_url,
                "RAPPORT_WRITE_KEY": self.secrets.write_key,
                "RAPPORT_API_KEY": self.secrets.api_key,
                "RAPPORT_NATS_URL": self.nats_url(OBSERVER),
                "RAPPORT_OPERATOR_NATS_URL": self.nats_url(OPERATOR),
            }
        )

    def supervisor_config(self, procfile: str, *, detached: bool) -> str:
        """supervisord's configuration: the Procfile's processes, restarted when they die, NATS first to start and last
        to stop. Raises ValueRefused.
        """
        socket, log = self.var / "supervisor.sock", self.var / "log"
        lines = [
            "[supervisord]",
            f"nodaemon={'false' if detached else 'true'}",
            "silent=true",
            "umask=077",
            supervisor_line("directory", str(self.root)),
            supervisor_line("pidfile", str(self.var / "supervisord.pid")),
            supervisor_line("logfile", str(log / "supervisord.log")),
            supervisor_line("childlogdir", str(log)),
        ]
        if len(str(socket)) <= _SOCKET_PATH_LIMIT:
            lines += _control_section(socket)
        processes = parse_procfile(procfile, {"RAPPORT_VAR": str(self.var)})
        for priority, (name, command) in enumerate(processes.items()):
            lines += self._program_section(name, command, priority)
        # groups stop one after the other, the last first; what is in a group stops together: gateway, services, NATS
        members = [name for name in processes if name in SERVICES]
        lines += [f"[group:{SERVICE_GROUP}]", f"programs={','.join(members)}", "priority=1"] if members else []
        return "\n".join(lines) + "\n"

    def _program_section(self, name: str, command: str, priority: int) -> list[str]:
        return [
            f"[program:{name}]",
            supervisor_line("command", command),
            f"priority={priority}",
            supervisor_environment(self.environment(name)),
            supervisor_line("stdout_logfile", str(self._log(name))),
            "redirect_stderr=true",
            # NATS writes its log itself, and turns it: what comes this way is said before it has read how
            f"stdout_logfile_maxbytes={0 if name == NATS else '20MB'}",
            f"stdout_logfile_backups={0 if name == NATS else 2}",
            "autorestart=true",
            "startsecs=1",
            "startretries=30",
            "stopwaitsecs=15",
        ]


def parse_procfile(text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Process name -> command, `$VARIABLES` replaced. Raises KeyError for a variable that is not given."""
    processes = {}
    for line in text.splitlines():
        name, colon, command = line.partition(":")
        if colon and not line.startswith("#"):
            processes[name.strip()] = Template(command.strip()).substitute(variables)
    return processes


def _control_section(socket: Path) -> list[str]:
    return [
        "[unix_http_server]",
        supervisor_line("file", str(socket)),
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]",
        supervisor_line("serverurl", f"unix://{socket}"),
    ]
