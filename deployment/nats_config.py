"""The nats-server's configuration: durable before it acknowledges, one user per service with least subjects, reps apart
from all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chassis.bus.streams import ROOM, probe_subject
from contracts.limits import GRANTED_BYTES, GRANTED_SUBSCRIPTIONS, LANES
from deployment import backup_user
from deployment.nats_values import Given, written

OBSERVER = "observer"
OPERATOR = "operator"
PERMITTED_LANES = 8
HOUSE = "RAPPORT"
REPS = "REPS"
"""Two accounts, because a permission does not cover the reply subject of what is published, and JetStream answers
to whatever stands there: a rep beside the services could have a pull answered to `$JS.API.STREAM.PURGE.CAPTURE`.
Answers to an account of their own stay in it.
"""

ROUTE_USER = "cluster"
_LIMITS_OF_REPS = {"max_subscriptions": GRANTED_SUBSCRIPTIONS, "max_payload": GRANTED_BYTES}  # of each connection
_LOG_TURNS = "logfile_size_limit: 20MB\nlogfile_max_num: 3"
LAME_DUCK_SECONDS = 30
"""So long a server of a cluster takes to hand its clients and streams over before it ends."""

_READ_API = (
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.MSG.GET.*",
)
_PULL, _INFO = "$JS.API.CONSUMER.MSG.NEXT.ALERTS.*", "$JS.API.CONSUMER.INFO.ALERTS.*"
_ACKS = ("$JS.ACK.ALERTS.*.>", "$JS.ACK.*.*.ALERTS.*.>")  # as servers before and after 2.15 write it
_LIVE = "alerts.rep.>"
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
        publishes=("gateway.rejected.>",),
        listens=("capture.>", "gateway.rejected.>"),
        browses=("alerts",),
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


def access(plan: NatsPlan) -> str:
    """Who may connect and do what. Users that are not listed are decided by the callout."""
    users = [
        *(_service_user(user, plan) for user in plan.users),
        _reader(OBSERVER, plan),
        _reader(OPERATOR, plan, _replaying(plan)),
        _user(backup_user.BACKUP, plan, {"allow": [*backup_user.PUBLISHES]}, {"allow": [*backup_user.HEARS]}),
    ]
    house = {"jetstream": "enabled", "users": users, "exports": _exports()}
    callout = {"issuer": plan.issuer, "account": HOUSE, "auth_users": [user["user"] for user in users]}
    return "\n".join(
        [
            f"accounts {written({HOUSE: house, REPS: {'imports': _imports(), 'limits': _LIMITS_OF_REPS}})}",
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


def _exports() -> list[dict[str, object]]:
    """What reaches the house from the reps: pulls, questions about a consumer, acknowledgements; and to them, alerts as
    they are published.
    """
    pulls = {"service": _PULL, "response_type": "stream"}
    return [
        {**export, "accounts": [REPS]}
        for export in (pulls, *({"service": subject} for subject in (_INFO, *_ACKS)), {"stream": _LIVE})
    ]


def _imports() -> list[dict[str, object]]:
    """The house's JetStream is a domain to the reps' clients, because their account answers for itself what comes
    without one, pulls excepted.
    """
    at_home: list[dict[str, object]] = [
        {"service": {"account": HOUSE, "subject": subject}} for subject in (_PULL, *_ACKS)
    ]
    by_domain: list[dict[str, object]] = [
        {"service": {"account": HOUSE, "subject": subject}, "to": subject.replace("$JS.", f"$JS.{HOUSE}.", 1)}
        for subject in (_PULL, _INFO)
    ]
    return [*at_home, *by_domain, {"stream": {"account": HOUSE, "subject": _LIVE}}]


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
    publish += [subject for owner in user.browses for subject in _browsing(owner.upper())]
    publish += [subject for owner in user.hosts for subject in _hosting(owner.upper())]
    return _user(user.name, plan, {"allow": sorted(set(publish))}, {"allow": [f"{user.inbox}.>", *user.listens]})


def _laying(stream: str) -> list[str]:
    return [f"$JS.API.STREAM.CREATE.{stream}", f"$JS.API.STREAM.UPDATE.{stream}"]


def _consumer_subjects(stream: str, consumer: str) -> list[str]:
    api = ("CONSUMER.CREATE", "CONSUMER.MSG.NEXT", "CONSUMER.UNPIN", "CONSUMER.RESET")
    # as servers before and after 2.15 write it
    acknowledge = [f"$JS.ACK.{stream}.{consumer}.>", f"$JS.ACK.*.*.{stream}.{consumer}.>"]
    return [f"$JS.API.{call}.{stream}.{consumer}" for call in api] + [
        f"$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>",
        *acknowledge,
    ]


def _browsing(stream: str) -> list[str]:
    # their names are made up as they come, and a permission cannot say "any name but those
    # of the durables"; it acknowledges nothing
    api = ("CREATE.{}", "CREATE.{}.>", "INFO.{}.*", "MSG.NEXT.{}.*", "DELETE.{}.*")
    return [f"$JS.API.CONSUMER.{call.format(stream)}" for call in api] + [f"$JS.FC.{stream}.>"]


def _hosting(stream: str) -> list[str]:
    api = ("CREATE.{}.>", "DURABLE.CREATE.{}.*", "INFO.{}.*", "DELETE.{}.*", "NAMES.{}", "LIST.{}")
    return [f"$JS.API.CONSUMER.{call.format(stream)}" for call in api]


def _reader(name: str, plan: NatsPlan, more: Sequence[str] = ()) -> dict[str, object]:
    """Reads every stream, through consumers of its own; says nothing but `more`."""
    publish = [*_READ_API, "$JS.API.CONSUMER.>", "$JS.ACK.>", "$JS.FC.>", *more]
    taken = [durable for user in plan.users for durable in user.consumers(plan.lanes)]
    deny = [
        f"$JS.API.CONSUMER.{call}.*.{durable}"
        for durable in taken
        for call in ("MSG.NEXT", "DELETE", "CREATE", "UNPIN", "RESET", "PAUSE")
    ]
    also = (
        "$JS.API.CONSUMER.CREATE.*.{}.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.*.{}",
        "$JS.ACK.*.{}.>",
        "$JS.ACK.*.*.*.{}.>",
    )
    deny += [subject.format(durable) for durable in taken for subject in also]
    # answers meant for others, and the passwords of those who connect
    private = [f"{user.inbox}.>" for user in plan.users] + [f"{backup_user.BACKUP_INBOX}.>", "$SYS.>"]
    return _user(name, plan, {"allow": publish, "deny": deny}, {"allow": [">"], "deny": private})


def _replaying(plan: NatsPlan) -> list[str]:
    """What sending dead letters on their way again takes: any owner's subjects, and removing the letter."""
    return [f"{owner}.>" for user in plan.users for owner in user.says] + ["$JS.API.STREAM.MSG.DELETE.DEAD"]


def _user(
    name: str, plan: NatsPlan, publish: Mapping[str, list[str]], subscribe: Mapping[str, list[str]]
) -> dict[str, object]:
    return {"user": name, "password": plan.passwords[name], "permissions": {"publish": publish, "subscribe": subscribe}}
