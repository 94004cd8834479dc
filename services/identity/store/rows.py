"""How rows become what the domain speaks of, and back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Column, Table

from chassis.store.statements import Row
from contracts.events.gateway import InteractionReceived
from contracts.events.scoring import Attribute
from contracts.values import CandidateStatus, Consent, ConsentChannel, Strength, WithheldReason
from people_kernel.profile import attributes_from_text, attributes_to_text
from services.identity.domain.accounts import Account
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, LinkRefusal
from services.identity.domain.proposals.candidates import Candidate, CandidateClaim, CandidateDecision
from services.identity.domain.workspace import FragmentRemark, Release, WithheldInteraction
from services.identity.store.tables import ACCOUNT, FRAGMENT, LATEST_CONSENT, LINK


def columns_of(kind: type[Any], table: Table) -> list[Column[Any]]:
    """The columns of `table` in the order of the fields of `kind`, so that a row is its arguments."""
    return [table.c[field.name] for field in fields(kind)]


FRAGMENT_COLUMNS = [FRAGMENT.c[name] for name in Fragment._fields]
LINK_COLUMNS = columns_of(Link, LINK)
ACCOUNT_COLUMNS = columns_of(Account, ACCOUNT)
LATEST_CONSENT_COLUMNS = columns_of(FragmentConsent, LATEST_CONSENT)


def to_account(row: Row) -> Account:
    """Of before facts were kept, what is known is taken for claims of the moment it was created."""
    told = row._asdict()
    facts = _facts_of_before(row) if row.facts is None else attributes_from_text(row.facts)
    return Account(**told | {"facts": facts, "parted": tuple((row.parted or "").split())})


def account_row(account: Account) -> dict[str, Any]:
    facts, parted = attributes_to_text(account.facts), " ".join(account.parted) or None
    return to_row(account) | {"facts": facts, "parted": parted}


def _facts_of_before(row: Row) -> dict[str, Attribute]:
    """An absorbed account gave all it knew to the survivor."""
    values = {} if row.survivor_id else dict(row.traits) | ({} if row.name is None else {"company": row.name})
    moment = row.created_at
    return {
        name: Attribute(value=value, strength=Strength.CLAIMED, source_id="", interaction_id="", occurred_at=moment)
        for name, value in values.items()
    }


def to_link(row: Row) -> Link:
    values: tuple[Any, ...] = tuple(row)
    link_id, left_id, right_id, strength, *rest = values
    return Link(link_id, left_id, right_id, Strength(strength), *rest)


def to_consent(row: Row) -> FragmentConsent:
    """Of any of the three tables; one of before says neither where it was said nor whether it was told."""
    told = row._asdict()
    told["channel"], told["consent"] = ConsentChannel(row.channel), Consent(row.consent)
    told["strength"] = Strength(row.strength)
    return FragmentConsent(**{"origin_id": row.fragment_id} | told)


def to_row(value: Any) -> dict[str, Any]:
    """A domain value as a row: its fields are the columns."""
    return {name: getattr(value, name) for name in type(value).__slots__}


def latest_consent_row(consent: FragmentConsent) -> dict[str, Any]:
    return _stated(consent) | {"kind": consent.key.kind.value}


def consent_statement_row(consent: FragmentConsent) -> dict[str, Any]:
    row = _stated(consent)
    return {name: row[name] for name in row if name not in ("origin_id", "is_told")}


def former_consent_row(consent: FragmentConsent) -> dict[str, Any]:
    """As releases before 0.3.0 read it."""
    row = consent_statement_row(consent)
    return {name: row[name] for name in row if name not in ("reason", "evidence")}


def _stated(consent: FragmentConsent) -> dict[str, Any]:
    return to_row(consent) | {
        "channel": consent.channel.value,
        "consent": consent.consent.value,
        "strength": consent.strength.value,
    }


def link_row(link: Link) -> dict[str, Any]:
    return to_row(link) | {"strength": link.strength.value}


def to_candidate(row: Row) -> Candidate:
    told = row._asdict()
    decision = None
    by, at, reason, link_id = (told.pop(name) for name in _DECISION)
    if by is not None:
        decision = CandidateDecision(by, at, reason, link_id)
    told |= {
        "strength": Strength(row.strength),
        "status": CandidateStatus(row.status),
        "claims": tuple(map(_to_claim, row.claims)),
    }
    return Candidate(**told, decision=decision)


def candidate_row(candidate: Candidate) -> dict[str, Any]:
    row, decision = to_row(candidate), candidate.decision
    del row["decision"]
    made = (decision.by, decision.at, decision.reason, decision.link_id) if decision else (None,) * len(_DECISION)
    return row | {
        "strength": candidate.strength.value,
        "status": candidate.status.value,
        "claims": [_claim_document(one) for one in candidate.claims],
        **dict(zip(_DECISION, made, strict=True)),
    }


_DECISION = ("decided_by", "decided_at", "decision_reason", "link_id")


def _claim_document(claim: CandidateClaim) -> dict[str, Any]:
    moments = {"first_at": claim.first_at.isoformat(), "last_at": claim.last_at.isoformat()}
    return to_row(claim) | moments | {"strength": claim.strength.value}


def _to_claim(document: dict[str, Any]) -> CandidateClaim:
    moments = {name: datetime.fromisoformat(document[name]) for name in ("first_at", "last_at")}
    return CandidateClaim(**document | moments | {"strength": Strength(document["strength"])})


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


def withheld_row(one: WithheldInteraction) -> dict[str, Any]:
    capture = one.capture
    return {
        "interaction_id": one.interaction_id,
        "source_id": capture.interaction.source_id,
        "reason": one.reason.value,
        "sign": one.sign,
        "received_at": capture.interaction.received_at,
        "capture": zlib.compress(orjson.dumps(capture.headers()) + b"\n" + capture.body()),
        **release_columns(one.release),
    }


def release_columns(release: Release | None) -> dict[str, Any]:
    if release is None:
        return {"released_at": None, "released_by": None, "release_reason": None, "person_id": None}
    return {
        "released_at": release.at,
        "released_by": release.by,
        "release_reason": release.reason,
        "person_id": release.person_id,
    }


def to_withheld(row: Row) -> WithheldInteraction:
    headers, _, body = zlib.decompress(row.capture).partition(b"\n")
    capture = InteractionReceived.from_wire(orjson.loads(headers), body)
    release = None
    if row.released_at is not None:
        release = Release(row.released_by, row.released_at, row.release_reason, row.person_id)
    return WithheldInteraction(capture, WithheldReason(row.reason), row.sign, release)
