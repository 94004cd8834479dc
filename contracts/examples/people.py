"""One invented example per event; golden files, schemas and documentation are made from them. Nobody in here exists."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from contracts.envelope import Event, Meta, following
from contracts.events import gateway, identity, scoring
from contracts.ids import derive_id, hash_id, with_prefix
from contracts.values import (
    AccountClaim,
    Contribution,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    Receipt,
    Scores,
    SourceKind,
    Strength,
)

_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_SOURCE = "src_website"
_CAPTURE_ID = hash_id("cap", _SOURCE, "msg-1")
_FRAGMENT = derive_id("frg", _AT, "email", "mara.lindqvist@tidewater.example")
_OTHER_FRAGMENT = derive_id("frg", _AT, "anonymous_id", "5f1c2b")
_PERSON, _OTHER_PERSON = with_prefix("per", _FRAGMENT), with_prefix("per", _OTHER_FRAGMENT)
_ACCOUNT = hash_id("acc", "tidewater.example")
_IDENTIFIERS = (
    Identifier(kind=IdentifierKind.EMAIL, value="mara.lindqvist@tidewater.example"),
    Identifier(kind=IdentifierKind.ANONYMOUS_ID, value="5f1c2b"),
)
_INTERACTION = Interaction(
    interaction_id=derive_id("int", _AT, _CAPTURE_ID),
    kind=InteractionKind.FORM,
    name="Demo request",
    source_id=_SOURCE,
    source_kind=SourceKind.WEB,
    message_id="msg-1",
    occurred_at=_AT,
    received_at=_AT,
    traits={"email": "mara.lindqvist@tidewater.example", "name": "Mara Lindqvist", "title": "Head of Logistics"},
    properties={"budget": "approved"},
    context={"page": {"path": "/demo", "title": "See it live"}, "campaign": {"source": "newsletter", "name": "spring"}},
    account=AccountClaim(name="Tidewater Freight", domain="tidewater.example"),
)
_RECEIVED = gateway.InteractionReceived(
    meta=Meta(event_id=_CAPTURE_ID, at=_AT, correlation_id=_CAPTURE_ID), interaction=_INTERACTION, identifiers=_IDENTIFIERS
)
_RECEIPT = Receipt(
    receipt_id=derive_id("rcp", _AT, _INTERACTION.interaction_id, "demo-requested"),
    at=_AT,
    owner="scoring",
    kind="score.engagement",
    person_id=_PERSON,
    fragment_id=_FRAGMENT,
    cause_id=_INTERACTION.interaction_id,
    rule="demo-requested",
    rulebook="scoring@1",
    inputs={"interaction.name": "Demo request"},
    contribution=Contribution(measure="engagement", points=Decimal(40), half_life_days=Decimal(30)),
    sentence="Asked for a demo.",
)
_SCORES = Scores(fit=Decimal("55.0000"), engagement=Decimal("40.0000"), cell="B2", at=_AT)


def _meta(wire_name: str, rulebook: str | None = None) -> Meta:
    return following(_RECEIVED, wire_name, rulebook=rulebook)


EXAMPLES: tuple[Event, ...] = (
    _RECEIVED,
    identity.InteractionRecognized(
        meta=_meta("identity.interaction.recognized.v1"),
        fragment_id=_FRAGMENT,
        person_id=_PERSON,
        graph_version=2,
        strength=Strength.CLAIMED,
        identifiers=_IDENTIFIERS,
        account_id=_ACCOUNT,
        interaction=_INTERACTION,
    ),
    identity.PersonCreated(meta=_meta("identity.person.created.v1"), person_id=_PERSON, fragment_id=_FRAGMENT, graph_version=1),
    identity.PersonMerged(
        meta=_meta("identity.person.merged.v1"),
        person_id=_PERSON,
        absorbed_person_ids=(_OTHER_PERSON,),
        fragment_ids=(_FRAGMENT, _OTHER_FRAGMENT),
        graph_version=2,
        strength=Strength.CLAIMED,
        sentence="The visitor gave an e-mail address that was known already.",
    ),
    identity.PersonSplit(
        meta=_meta("identity.person.split.v1"),
        person_id=_PERSON,
        parts=(
            identity.PersonPart(person_id=_PERSON, fragment_ids=(_FRAGMENT,), graph_version=3),
            identity.PersonPart(person_id=_OTHER_PERSON, fragment_ids=(_OTHER_FRAGMENT,), graph_version=3),
        ),
        graph_version=3,
        sentence="A sales rep cut the link: two colleagues share a laptop.",
    ),
    identity.AccountCreated(meta=_meta("identity.account.created.v1"), account_id=_ACCOUNT, domain="tidewater.example", name="Tidewater Freight"),
    identity.AccountChanged(meta=_meta("identity.account.changed.v1"), account_id=_ACCOUNT, domain="tidewater.example", traits={"employees": 140}),
    scoring.ProfileChanged(
        meta=_meta("scoring.profile.changed.v1", "scoring@1"),
        person_id=_PERSON,
        fragment_id=_FRAGMENT,
        graph_version=2,
        attributes={
            "title": scoring.Attribute(
                value="Head of Logistics",
                strength=Strength.CLAIMED,
                source_id=_SOURCE,
                interaction_id=_INTERACTION.interaction_id,
                occurred_at=_AT,
            ),
            "industry": None,
        },
    ),
    scoring.ScoreChanged(
        meta=_meta("scoring.score.changed.v1", "scoring@1"),
        person_id=_PERSON,
        fragment_id=_FRAGMENT,
        graph_version=2,
        scores=_SCORES,
        receipts=(_RECEIPT,),
    ),
    scoring.ScoreCorrected(
        meta=_meta("scoring.score.corrected.v1", "scoring@1"),
        person_id=_PERSON,
        fragment_id=_FRAGMENT,
        graph_version=3,
        scores=_SCORES,
        reason="split",
    ),
    scoring.RulebookActivated(meta=_meta("scoring.rulebook.activated.v1"), version=2, digest="0" * 64, activated_by="a.marketer@rapport.example"),
)
