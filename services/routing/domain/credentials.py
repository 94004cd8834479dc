"""What a sales rep may do on NATS: read their own alerts, through a consumer that was made for them, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

STREAM = "ALERTS"
DOMAIN = "RAPPORT"
"""The JetStream domain that a rep's client names: reps are an account of their own, and JetStream is at home in another."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RepPermissions:
    """Whom NATS lets in as `name`, and the subjects they may publish and subscribe to."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def durable_of(rep_id: str) -> str:
    """The durable consumer on ALERTS that holds this rep's place. Raises ValueError for an id that cannot be part of a subject."""
    return f"rep-{_plain(rep_id)}"


def alerts_of(rep_id: str) -> str:
    """The subjects of this rep's alerts: what the durable filters by, and what they may listen to live."""
    return f"alerts.rep.{_plain(rep_id)}.>"


def inbox_of(rep_id: str) -> str:
    """The inbox prefix that this rep's client has to be told: no other is open to it."""
    return f"_INBOX_{_plain(rep_id)}"


def rep_permissions(rep_id: str, durable: str) -> RepPermissions:
    """Pull from `durable`, ask about it, acknowledge; hear the answers, and the alerts as they come. Raises ValueError for odd names."""
    consumer = _plain(durable)
    return RepPermissions(
        name=_plain(rep_id),
        publish=(
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}",  # for clients that bind without asking
            f"$JS.{DOMAIN}.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}",
            f"$JS.{DOMAIN}.API.CONSUMER.INFO.{STREAM}.{consumer}",
            f"$JS.ACK.{STREAM}.{consumer}.>",
            f"$JS.ACK.*.*.{STREAM}.{consumer}.>",  # as servers since 2.15 may write it, with domain and account
        ),
        subscribe=(f"{inbox_of(rep_id)}.>", alerts_of(rep_id)),
    )


def _plain(name: str) -> str:
    # refused rather than cleaned: two ids must not become one, and a wildcard would open other reps' alerts
    if not _PLAIN.fullmatch(name):
        raise ValueError("a name on NATS has 1 to 64 letters, digits, - and _")
    return name
