"""How rows become what the domain speaks of, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, Table

from chassis.store.statements import Row
from contracts.values import Consent, ConsentChannel, Strength
from services.identity.domain.accounts import Account
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, LinkRefusal
from services.identity.domain.workspace import FragmentRemark
from services.identity.store.tables import ACCOUNT, CONSENT, FRAGMENT, LINK


def columns_of(kind: type[Any], table: Table) -> list[Column[Any]]:
    """The columns of `table` in the order of the fields of `kind`, so that a row is its arguments."""
    return [table.c[field.name] for field in fields(kind)]


FRAGMENT_COLUMNS = [FRAGMENT.c[name] for name in Fragment._fields]
LINK_COLUMNS = columns_of(Link, LINK)
ACCOUNT_COLUMNS = columns_of(Account, ACCOUNT)
CONSENT_COLUMNS = columns_of(FragmentConsent, CONSENT)


def to_link(row: Row) -> Link:
    values: tuple[Any, ...] = tuple(row)
    link_id, left_id, right_id, strength, *rest = values
    return Link(link_id, left_id, right_id, Strength(strength), *rest)


def to_consent(row: Row) -> FragmentConsent:
    told = row._asdict()
    return FragmentConsent(
        **told
        | {"channel": ConsentChannel(row.channel), "consent": Consent(row.consent), "strength": Strength(row.strength)}
    )


def to_row(value: Any) -> dict[str, Any]:
    """A domain value as a row: its fields are the columns."""
    return {name: getattr(value, name) for name in type(value).__slots__}


def consent_row(consent: FragmentConsent) -> dict[str, Any]:
    return to_row(consent) | {
        "channel": consent.channel.value,
        "consent": consent.consent.value,
        "strength": consent.strength.value,
    }


def link_row(link: Link) -> dict[str, Any]:
    return to_row(link) | {"strength": link.strength.value}


def refusal_rows(refusals: Iterable[LinkRefusal]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for one in refusals:
        first = rows.get(one.refusal_id)
        rows[one.refusal_id] = {
            "refusal_id": one.refusal_id,
            "left_id": one.left_id,
            "right_id": one.right_id,
            "reason": one.reason,
            "strength": one.strength.value,
            "evidence_id": one.evidence_id,
            "first_at": first["first_at"] if first else one.at,
            "last_at": one.at,
            "times": first["times"] + 1 if first else 1,
        }
    return [rows[key] for key in sorted(rows)]


def remark_rows(remarks: Iterable[FragmentRemark]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in remarks:
        key = (one.fragment_id, one.remark.kind.value, one.remark.reason)
        first = rows.get(key)
        rows[key] = {
            "fragment_id": one.fragment_id,
            "kind": one.remark.kind.value,
            "reason": one.remark.reason,
            "interaction_id": one.interaction_id,
            "first_at": first["first_at"] if first else one.at,
            "last_at": one.at,
            "times": first["times"] + 1 if first else 1,
        }
    return [rows[key] for key in sorted(rows)]
