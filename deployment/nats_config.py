"""The nats-server's configuration: durable before it acknowledges, one user per service with least subjects, reps and
observers apart from all of them (`deployment.nats_accounts`). One source for every way to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chassis.bus.streams import ALERTS, ROOM, ack_subjects, probe_subject
from contracts.limits import LANES
from deployment import backup_user
from deployment.nats_accounts import HOUSE, LOOKS, OBSERVER, REVOKER, exports, observing, outer_accounts, revoking
from deployment.nats_values import Given, written

OPERATOR = "operator"
PERMITTED_LANES = 8
ROUTE_USER = "cluster"
_LOG_TURNS = "logfile_size_limit: 20MB\nlogfile_max_num: 3"
LAME_DUCK_SECONDS = 30
"""So long a server of a cluster takes to hand its clients and streams over before it ends."""

_AUTH_SECONDS = 2  # how long the server waits for the callout; the callout decides in less
# with its queue group: passwords travel here, nobody may listen beside the replicas
_CALLOUT_LISTENS = "$SYS.REQ.USER.AUTH callout"
_CALLOUT_ANSWERS = "$SYS._INBOX.*.*"


@dataclass(frozen=True)
class BusUser:
    """A service on the bus: the owners whose streams it writes and those whose streams it hears."""

    name: str
    says: tuple[str, ...]
    hears: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()  # core subjects beside its streams
    listens: tuple[str, ...] = ()  # core subjects it may subscribe to
    browses: tuple[str, ...] = ()  # owners whose streams it reads through consumers that pass
    looks: tuple[str, ...] = ()  # owners whose streams it reads message by message, without a consumer
    hosts: tuple[str, ...] = ()  # owners on whose streams it makes and removes consumers for others

    def consumers(self, lanes: int) -> tuple[str, ...]:
        """The names that its durables may have, with any number of lanes up to this."""
        return (self.name, *(f"{self.name}-{lane}" for lane in range(lanes if lanes > 1 else 0)))

    @property
    def former_consumers(self) -> tuple[str, ...]:
        """The names that its durables may have had when it ran with other lanes; it looks after these and removes
        them.
        """
        return (self.name, *(f"{self.name}-{lane}" for lane in range(LANES)))

    @property
    def inbox(self) -> str:
        """Where answers to it arrive; nobody else may listen there."""
        return f"_INBOX_{self.name}"


BUS_USERS = (
    BusUser(
        "gateway",
        says=("capture",),
        publishes=("gateway.rejected.>", "gateway.told.>"),
        listens=("capture.>", "gateway.rejected.>", "gateway.told.>"),
        browses=("alerts",),
        looks=("capture", "identity", "scoring", "lifecycle", "nurture", "routing", "metrics"),  # for webhooks
    ),
    BusUser("identity", says=("identity",), hears=("capture",)),
    BusUser("scoring", says=("scoring",), hears=("identity",)),
    BusUser("lifecycle", says=("lifecycle",), hears=("identity", "scoring", "routing")),
    BusUser("nurture", says=("nurture",), hears=("identity", "scoring", "lifecycle")),
    BusUser(
        "routing",
        says=("routing", "alerts"),
        hears=("identity", "lifecycle"),
        publishes=(_CALLOUT_ANSWERS,),
        listens=(_CALLOUT_LISTENS,),
        hosts=("alerts",),
    ),
    BusUser("metrics", says=("metrics",), hears=("identity", "lifecycle", "routing", "nurture")),
)


@dataclass(frozen=True)
class Cluster:
    """Several servers that keep the streams together."""

    name: str
    port: int
    password: Given
    routes: tuple[Given, ...]  # nats-route://cluster:<password>@host:port of each: a server does not complete a route


@dataclass(frozen=True)
class NatsPlan:
    """What the configuration depends on."""

    port: int
    monitor_port: int
    store: Path
    passwords: Mapping[str, Given]
    issuer: Given  # the public key that the callout's grants are signed with
    lanes: int = PERMITTED_LANES  # up to so many a service may have without another configuration
    users: tuple[BusUser, ...] = field(default=BUS_USERS)
    host: str = "127.0.0.1"
    server_name: Given = "rapport"
    cluster: Cluster | None = None
    sync: str = "always"  # when written data goes to the disk: at once, or after a time such as "2m"
    log: Path | None = None  # None: standard output; a server that logs into a pipe dies with its reader

    @property
    def pid_file(self) -> Path:
        """Where the server writes which process it is."""
        return self.store.with_suffix(".pid")


def nats_config(plan: NatsPlan) -> str:
    """The configuration file. `sync_interval: always`: a message is acknowledged only when it is on disk."""
    return "\n".join(
        [
            f"server_name: {written(plan.server_name)}",
            f"host: {plan.host}",
            f"port: {plan.port}",
            f"pid_file: {json.dumps(str(plan.pid_file))}",
            f'http: "{plan.host}:{plan.monitor_port}"',
            *([] if plan.log is None else [f"log_file: {json.dumps(str(plan.log))}", _LOG_TURNS]),
            "max_payload: 1MB",
            f"jetstream {{ store_dir: {json.dumps(str(plan.store))}, sync_interval: {plan.sync} }}",
            *([_cluster(plan.cluster)] if plan.cluster else []),
            access(plan),
            "",
        ]
    )


def _cluster(cluster: Cluster) -> str:
    password = written(cluster.password)
    return "\n".join(
        [
            "cluster {",
            f" name: {cluster.name}",
            f" port: {cluster.port}",
            f" authorization {{ user: {ROUTE_USER}, password: {password}, timeout: {_AUTH_SECONDS} }}",
            f" routes: {written(cluster.routes)}",
            "}",
            # one that is told to end hands its clients over within the half minute, the shortest there is
            "lame_duck_grace_period: 5s",
            f"lame_duck_duration: {LAME_DUCK_SECONDS}s",
        ]
    )


def static_users(users: tuple[BusUser, ...] = BUS_USERS) -> tuple[str, ...]:
    """Whoever has a password in the configuration; all others are decided by the callout."""
    return (*(user.name for user in users), OBSERVER, OPERATOR, backup_user.BACKUP, REVOKER)


def access(plan: NatsPlan) -> str:
    """Who may connect and do what. Users that are not listed are decided by the callout."""
    owners = [owner for user in plan.users for owner in user.says]
    users = [
        *(_service_user(user, plan) for user in plan.users),
        _operator(plan, owners),
        _user(backup_user.BACKUP, plan, {"allow": [*backup_user.PUBLISHES]}, {"allow": [*backup_user.HEARS]}),
    ]
    (asks, hears), (revokes, answers) = observing(), revoking()
    observer = _user(OBSERVER, plan, {"allow": asks}, {"allow": hears, "deny": ["$SYS.>"]})
    revoker = _user(REVOKER, plan, {"allow": revokes}, {"allow": answers})
    house = {"jetstream": "enabled", "users": users, "exports": exports(owners)}
    accounts = {HOUSE: house, **outer_accounts(owners, observer, revoker)}
    callout = {"issuer": plan.issuer, "account": HOUSE, "auth_users": [*static_users(plan.users)]}
    return "\n".join(
        [
            f"accounts {written(accounts)}",
            f"authorization {written({'timeout': _AUTH_SECONDS, 'auth_callout': callout})}",
        ]
    )


def take_over_store(store: Path) -> None:
    """Move what an older installation kept outside any named account to where this configuration looks for it.

    The server must not run.
    """
    old, new = store / "jetstream" / "$G", store / "jetstream" / HOUSE
    if old.exists() and not new.exists():
        old.rename(new)


def _service_user(user: BusUser, plan: NatsPlan) -> dict[str, object]:
    publish = ["$JS.API.INFO", "$JS.API.STREAM.INFO.*", "dead.>", *_laying(ROOM), *user.publishes]
    for owner in (*user.says, "dead"):
        publish += [f"{owner}.>", probe_subject(owner.upper()), *_laying(owner.upper())]
    for owner in user.hears:
        publish.append(f"$JS.API.STREAM.CREATE.{owner.upper()}")  # whoever starts first lays the pipe
        # is it the stream that I counted in?
        publish += [f"$JS.API.{call}.{owner.upper()}" for call in ("STREAM.MSG.GET", "CONSUMER.NAMES")]
        publish += [
            f"$JS.API.CONSUMER.{call}.{owner.upper()}.{name}"
            for call in ("INFO", "DELETE")
            for name in user.former_consumers
        ]
        for consumer in user.consumers(plan.lanes):
            publish += _consumer_subjects(owner.upper(), consumer)
    publish += [f"$JS.API.STREAM.MSG.GET.{owner.upper()}" for owner in user.looks]
    publish += [subject for owner in user.browses for subject in _browsing(owner.upper())]
    publish += [subject for owner in user.hosts for subject in _hosting(owner.upper())]
    return _user(user.name, plan, {"allow": sorted(set(publish))}, {"allow": [f"{user.inbox}.>", *user.listens]})


def _laying(stream: str) -> list[str]:
    return [f"$JS.API.STREAM.CREATE.{stream}", f"$JS.API.STREAM.UPDATE.{stream}"]


def _consumer_subjects(stream: str, consumer: str) -> list[str]:
    api = ("CONSUMER.CREATE", "CONSUMER.MSG.NEXT", "CONSUMER.UNPIN", "CONSUMER.RESET")
    return [f"$JS.API.{call}.{stream}.{consumer}" for call in api] + [
        f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>",
        *ack_subjects(stream, consumer),
    ]


def _browsing(stream: str) -> list[str]:
    # their names are made up as they come, and a permission cannot say "any name but those
    # of the durables"; it acknowledges nothing
    api = ("CREATE.{}.>", "INFO.{}.*", "MSG.NEXT.{}.*", "DELETE.{}.*")
    return [f"$JS.API.CONSUMER.{call.format(stream)}" for call in api]


def _hosting(stream: str) -> list[str]:
    api = ("CREATE.{}.>", "DURABLE.CREATE.{}.*", "INFO.{}.*", "DELETE.{}.*", "NAMES.{}", "LIST.{}")
    return [f"$JS.API.CONSUMER.{call.format(stream)}" for call in api]


def _operator(plan: NatsPlan, owners: list[str]) -> dict[str, object]:
    """Reads every stream, through consumers of its own but for ALERTS, where reps have theirs; sends dead letters on
    their way again: any owner's subjects, and removing the letter.
    """
    # a consumer is named by the subject that makes it: the form without, which takes one in the body, reaches others'
    own = ("CREATE.*.*", "CREATE.*.*.>", "MSG.NEXT.*.*", "DELETE.*.*")
    publish = [f"$JS.API.{look}" for look in LOOKS] + [f"$JS.API.CONSUMER.{call}" for call in own]
    publish += [f"{owner}.>" for owner in owners] + ["$JS.API.STREAM.MSG.DELETE.DEAD"]
    taken = [durable for user in plan.users if user.hears for durable in user.consumers(plan.lanes)]
    deny = [f"$JS.API.CONSUMER.{call.replace('*', '{}', 1).format(ALERTS)}" for call in own]
    deny += [f"$JS.API.CONSUMER.{_named(call, durable)}" for durable in taken for call in own]
    # answers meant for others, and the passwords of those who connect
    private = [f"{user.inbox}.>" for user in plan.users] + [f"{backup_user.BACKUP_INBOX}.>", "$SYS.>"]
    return _user(OPERATOR, plan, {"allow": publish, "deny": deny}, {"allow": [">"], "deny": private})


def _named(call: str, durable: str) -> str:
    """`CREATE.*.*.>` of this consumer alone, on any stream."""
    verb, _, rest = call.partition(".*.*")
    return f"{verb}.*.{durable}{rest}"


def _user(
    name: str, plan: NatsPlan, publish: Mapping[str, list[str]], subscribe: Mapping[str, list[str]]
) -> dict[str, object]:
    return {"user": name, "password": plan.passwords[name], "permissions": {"publish": publish, "subscribe": subscribe}}
