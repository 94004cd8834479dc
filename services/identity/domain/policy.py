"""Which automatic links are made. Judged on clusters alone: what a human merged must not change what machines believe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.values import IdentifierKind
from services.identity.domain.graph import Fragment, Graph, count_kinds, pair_of

_WEAK: Final = (IdentifierKind.PHONE, IdentifierKind.ANONYMOUS_ID)  # shared by households, switchboards, devices


class Reason(StrEnum):
    """Why a link was not made."""

    PARTED_BY_HUMAN = "parted_by_human"  # somebody cut a link between these two before
    TWO_USER_IDS = "two_user_ids"
    TWO_KNOWN_PEOPLE = "two_known_people"  # a device or phone would join two that both have e-mail addresses
    TOO_MANY_EMAILS = "too_many_emails"
    TOO_MANY_PHONES = "too_many_phones"
    TOO_MANY_DEVICES = "too_many_devices"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many identifiers of a kind machines may gather under one roof; a human may gather more."""

    emails: int = 5
    phones: int = 5
    anonymous_ids: int = 100


@dataclass(frozen=True, slots=True)
class Join:
    """The link is made; the two clusters become one (or are one already)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The link is there; it may be believed more than before."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The link is not made."""

    reason: Reason


Verdict = Join | Seen | Refuse


def judge(graph: Graph, one: Fragment, other: Fragment, limits: Limits, *, is_alias: bool = False) -> Verdict:
    """Whether a capture that names both fragments joins them. `is_alias`: the sender says that two user ids are one person's."""
    link = graph.links.get(pair_of(one.fragment_id, other.fragment_id))
    if link is not None:
        return Seen() if link.is_live else Refuse(Reason.PARTED_BY_HUMAN)
    if one.cluster_id == other.cluster_id:
        return Join()
    if graph.is_parted(one.cluster_id, other.cluster_id):
        return Refuse(Reason.PARTED_BY_HUMAN)
    reason = _why_not(graph, one, other, limits, is_alias)
    return Join() if reason is None else Refuse(reason)


def _why_not(graph: Graph, one: Fragment, other: Fragment, limits: Limits, is_alias: bool) -> Reason | None:
    here, there = count_kinds(graph.cluster(one.cluster_id)), count_kinds(graph.cluster(other.cluster_id))
    if not is_alias and here[IdentifierKind.USER_ID] and there[IdentifierKind.USER_ID]:
        return Reason.TWO_USER_IDS
    # clusters are disjoint, so two that both hold e-mails share none
    if (one.kind in _WEAK or other.kind in _WEAK) and here[IdentifierKind.EMAIL] and there[IdentifierKind.EMAIL]:
        return Reason.TWO_KNOWN_PEOPLE
    bounds = (
        (IdentifierKind.EMAIL, limits.emails, Reason.TOO_MANY_EMAILS),
        (IdentifierKind.PHONE, limits.phones, Reason.TOO_MANY_PHONES),
        (IdentifierKind.ANONYMOUS_ID, limits.anonymous_ids, Reason.TOO_MANY_DEVICES),
    )
    for kind, most, reason in bounds:
        # one side alone may be over the limit after an alias; that must not stop what adds nothing to it
        if here[kind] and there[kind] and here[kind] + there[kind] > most:
            return reason
    return None
