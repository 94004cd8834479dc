"""The nats-server's configuration: durable before it acknowledges, and one user per service with least subjects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

OBSERVER = "observer"
OPERATOR = "operator"
_READ_API = ("$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.MSG.GET.*")


@dataclass(frozen=True)
class BusUser:
    """A service on the bus: the owners whose streams it writes and those whose streams it hears."""

    name: str
    says: tuple[str, ...]
    hears: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()  # core subjects beside its streams
    listens: tuple[str, ...] = ()  # core subjects it may subscribe to

    def consumers(self, lanes: int) -> tuple[str, ...]:
        """The names of its durables."""
        return (self.name,) if lanes == 1 else tuple(f"{self.name}-{lane}" for lane in range(lanes))

    @property
    def inbox(self) -> str:
        """Where answers to it arrive; nobody else may listen there."""
        return f"_INBOX_{self.name}"


BUS_USERS = (
    BusUser("gateway", says=("capture",), publishes=("gateway.rejected.>",), listens=("capture.>", "gateway.rejected.>")),
    BusUser("identity", says=("identity",), hears=("capture",)),
    BusUser("scoring", says=("scoring",), hears=("identity",)),
)


@dataclass(frozen=True)
class NatsPlan:
    """What the configuration depends on."""

    port: int
    monitor_port: int
    store: Path
    passwords: Mapping[str, str]
    lanes: int = 1
    users: tuple[BusUser, ...] = field(default=BUS_USERS)


def nats_config(plan: NatsPlan) -> str:
    """The configuration file. `sync_interval: always`: a message is acknowledged only when it is on disk."""
    users = [*(_service_user(user, plan) for user in plan.users), _reader(OBSERVER, plan), _reader(OPERATOR, plan, _replaying(plan))]
    return "\n".join(
        [
            "server_name: rapport",
            "host: 127.0.0.1",
            f"port: {plan.port}",
            f'http: "127.0.0.1:{plan.monitor_port}"',
            "max_payload: 1MB",
            f"jetstream {{ store_dir: {json.dumps(str(plan.store))}, sync_interval: always }}",
            f"authorization {{ users: {json.dumps(users, indent=1)} }}",
            "",
        ]
    )


def _service_user(user: BusUser, plan: NatsPlan) -> dict[str, object]:
    publish = ["$JS.API.INFO", "$JS.API.STREAM.INFO.*", "dead.>", *user.publishes]
    for owner in (*user.says, "dead"):
        publish += [f"{owner}.>", f"$JS.API.STREAM.CREATE.{owner.upper()}", f"$JS.API.STREAM.UPDATE.{owner.upper()}"]
    for owner in user.hears:
        publish.append(f"$JS.API.STREAM.CREATE.{owner.upper()}")  # whoever starts first lays the pipe
        for consumer in user.consumers(plan.lanes):
            publish += _consumer_subjects(owner.upper(), consumer)
    return _user(user.name, plan, {"allow": sorted(set(publish))}, {"allow": [f"{user.inbox}.>", *user.listens]})


def _consumer_subjects(stream: str, consumer: str) -> list[str]:
    api = ("CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.MSG.NEXT", "CONSUMER.UNPIN", "CONSUMER.RESET", "CONSUMER.DELETE")
    acknowledge = [f"$JS.ACK.{stream}.{consumer}.>", f"$JS.ACK.*.*.{stream}.{consumer}.>"]  # as servers before and after 2.15 write it
    return [f"$JS.API.{call}.{stream}.{consumer}" for call in api] + [f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>", *acknowledge]


def _reader(name: str, plan: NatsPlan, more: Sequence[str] = ()) -> dict[str, object]:
    """Reads every stream, through consumers of its own; says nothing but `more`."""
    publish = [*_READ_API, "$JS.API.CONSUMER.>", "$JS.ACK.>", "$JS.FC.>", *more]
    taken = [durable for user in plan.users for durable in user.consumers(plan.lanes)]
    deny = [f"$JS.API.CONSUMER.{call}.*.{durable}" for durable in taken for call in ("MSG.NEXT", "DELETE", "CREATE", "UNPIN", "RESET", "PAUSE")]
    deny += [f"$JS.API.CONSUMER.CREATE.*.{durable}.>" for durable in taken] + [f"$JS.ACK.*.{durable}.>" for durable in taken]
    return _user(name, plan, {"allow": publish, "deny": deny}, {"allow": [">"], "deny": ["_INBOX_*.>"]})


def _replaying(plan: NatsPlan) -> list[str]:
    """What sending dead letters on their way again takes: any owner's subjects, and removing the letter."""
    return [f"{owner}.>" for user in plan.users for owner in user.says] + ["$JS.API.STREAM.MSG.DELETE.DEAD"]


def _user(name: str, plan: NatsPlan, publish: Mapping[str, list[str]], subscribe: Mapping[str, list[str]]) -> dict[str, object]:
    return {"user": name, "password": plan.passwords[name], "permissions": {"publish": publish, "subscribe": subscribe}}
