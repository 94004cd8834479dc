"""Someone asks for a demo: what the gateway, identity and scoring say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from contracts.envelope import Event, Meta, following
from contracts.events import gateway, identity, scoring
from contracts.ids import derive_id, hash_id, with_prefix
from contracts.values import (
    AccountClaim,
    CandidateStatus,
    Consent,
    ConsentChannel,
    Contribution,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    Receipt,
    Scores,
    SourceKind,
    Strength,
    WithheldReason,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SOURCE = "src_website"
CAPTURE_ID = hash_id("cap", SOURCE, "msg-1")
FRAGMENT = derive_id("frg", AT, "email", "mara.lindqvist@tidewater.example")
OTHER_FRAGMENT = derive_id("frg", AT, "anonymous_id", "5f1c2b")
CANDIDATE = hash_id("cnd", FRAGMENT, OTHER_FRAGMENT)
PERSON, OTHER_PERSON = with_prefix("per", FRAGMENT), with_prefix("per", OTHER_FRAGMENT)
ACCOUNT = hash_id("acc", "tidewater.example")
_OTHER_ACCOUNT = hash_id("acc", "group_id", "tide-77")
_EMPLOYEES = scoring.Attribute(
    value=140,
    strength=Strength.VERIFIED,
    source_id=SOURCE,
    interaction_id=derive_id("int", AT, CAPTURE_ID),
    occurred_at=AT,
)
IDENTIFIERS = (
    Identifier(kind=IdentifierKind.EMAIL, value="mara.lindqvist@tidewater.example"),
    Identifier(kind=IdentifierKind.ANONYMOUS_ID, value="5f1c2b"),
)
INTERACTION = Interaction(
    interaction_id=derive_id("int", AT, CAPTURE_ID),
    kind=InteractionKind.FORM,
    name="Demo request",
    source_id=SOURCE,
    source_kind=SourceKind.WEB,
    message_id="msg-1",
    occurred_at=AT,
    received_at=AT,
    traits={"email": "mara.lindqvist@tidewater.example", "name": "Mara Lindqvist", "title": "Head of Logistics"},
    properties={"budget": "approved"},
    context={"page": {"path": "/demo", "title": "See it live"}, "campaign": {"source": "newsletter", "name": "spring"}},
    account=AccountClaim(name="Tidewater Freight", domain="tidewater.example"),
)
RECEIVED = gateway.InteractionReceived(
    meta=Meta(event_id=CAPTURE_ID, at=AT, correlation_id=CAPTURE_ID), interaction=INTERACTION, identifiers=IDENTIFIERS
)
RECEIPT = Receipt(
    receipt_id=derive_id("rcp", AT, INTERACTION.interaction_id, "demo-requested"),
    at=AT,
    owner="scoring",
    kind="score.engagement",
    person_id=PERSON,
    fragment_id=FRAGMENT,
    cause_id=INTERACTION.interaction_id,
    rule="demo-requested",
    rulebook="scoring@1",
    inputs={"interaction.name": "Demo request"},
    contribution=Contribution(measure="engagement", points=Decimal(40), half_life_days=Decimal(30)),
    sentence="Asked for a demo.",
)
SCORES = Scores(fit=Decimal("55.0000"), engagement=Decimal("40.0000"), cell="B2", at=AT)


def _meta(wire_name: str, rulebook: str | None = None) -> Meta:
    return following(RECEIVED, wire_name, rulebook=rulebook)


EXAMPLES: tuple[Event, ...] = (
    RECEIVED,
    identity.InteractionRecognized(
        meta=_meta("identity.interaction.recognized.v1"),
        fragment_id=FRAGMENT,
        person_id=PERSON,
        graph_version=2,
        strength=Strength.CLAIMED,
        identifiers=IDENTIFIERS,
        account_id=ACCOUNT,
        interaction=INTERACTION,
    ),
    identity.InteractionWithheld(
        meta=_meta("identity.interaction.withheld.v1"),
        interaction_id=INTERACTION.interaction_id,
        source_id=SOURCE,
        occurred_at=AT,
        reason=WithheldReason.HONEYPOT,
        sign="a field that no human sees was filled in",
    ),
    identity.InteractionReleased(
        meta=_meta("identity.interaction.released.v1"),
        interaction_id=INTERACTION.interaction_id,
        source_id=SOURCE,
        was=WithheldReason.HONEYPOT,
        released_by="usr_ada",
        reason="Mara called: her browser had filled in the hidden field.",
    ),
    identity.PersonCreated(
        meta=_meta("identity.person.created.v1"), person_id=PERSON, fragment_id=FRAGMENT, graph_version=1
    ),
    identity.PersonMerged(
        meta=_meta("identity.person.merged.v1"),
        person_id=PERSON,
        absorbed_person_ids=(OTHER_PERSON,),
        fragment_ids=(FRAGMENT, OTHER_FRAGMENT),
        graph_version=2,
        strength=Strength.CLAIMED,
        sentence="The visitor gave an e-mail address that was known already.",
    ),
    identity.PersonSplit(
        meta=_meta("identity.person.split.v1"),
        person_id=PERSON,
        parts=(
            identity.PersonPart(person_id=PERSON, fragment_ids=(FRAGMENT,), graph_version=3),
            identity.PersonPart(person_id=OTHER_PERSON, fragment_ids=(OTHER_FRAGMENT,), graph_version=3),
        ),
        graph_version=3,
        sentence="A sales rep cut the link: two colleagues share a laptop.",
    ),
    identity.CandidateProposed(
        meta=_meta("identity.candidate.proposed.v1"),
        candidate_id=CANDIDATE,
        person_ids=(PERSON, OTHER_PERSON),
        fragment_ids=(FRAGMENT, OTHER_FRAGMENT),
        reason="two_verified_people",
        strength=Strength.CLAIMED,
        source_id=SOURCE,
        sentence="It was claimed that the two are one; servers know both.",
    ),
    identity.CandidateDecided(
        meta=_meta("identity.candidate.decided.v1"),
        candidate_id=CANDIDATE,
        status=CandidateStatus.REJECTED,
        person_ids=(PERSON, OTHER_PERSON),
        fragment_ids=(FRAGMENT, OTHER_FRAGMENT),
        decided_by="usr_ada",
        reason="Mother and daughter: both called.",
    ),
    identity.AccountCreated(
        meta=_meta("identity.account.created.v1"),
        account_id=ACCOUNT,
        domain="tidewater.example",
        name="Tidewater Freight",
    ),
    identity.AccountChanged(
        meta=_meta("identity.account.changed.v1"),
        account_id=ACCOUNT,
        domain="tidewater.example",
        traits={"employees": 140},
    ),
    identity.AccountMerged(
        meta=_meta("identity.account.merged.v1"),
        account_id=ACCOUNT,
        absorbed_account_ids=(_OTHER_ACCOUNT,),
        whole=identity.AccountPart(
            account_id=ACCOUNT, account_ids=(ACCOUNT, _OTHER_ACCOUNT), facts={"employees": _EMPLOYEES}, version=3
        ),
        strength=Strength.VERIFIED,
        sentence="Group int_01J8Z0 named both (verified).",
    ),
    identity.AccountSplit(
        meta=_meta("identity.account.split.v1"),
        account_id=ACCOUNT,
        parts=(
            identity.AccountPart(
                account_id=ACCOUNT, account_ids=(ACCOUNT,), facts={"employees": _EMPLOYEES}, version=4
            ),
            identity.AccountPart(account_id=_OTHER_ACCOUNT, account_ids=(_OTHER_ACCOUNT,), version=4),
        ),
        sentence="usr_ada split them: a subsidiary is a company of its own",
    ),
    scoring.ProfileChangedV1(
        meta=_meta("scoring.profile.changed.v1", "scoring@1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=2,
        attributes={
            "title": scoring.Attribute(
                value="Head of Logistics",
                strength=Strength.CLAIMED,
                source_id=SOURCE,
                interaction_id=INTERACTION.interaction_id,
                occurred_at=AT,
            ),
            "industry": None,
        },
    ),
    scoring.ProfileChanged(
        meta=_meta("scoring.profile.changed.v2", "scoring@1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=2,
        occurred_at=AT,
        attributes={
            "title": scoring.Attribute(
                value="Head of Logistics",
                strength=Strength.CLAIMED,
                source_id=SOURCE,
                interaction_id=INTERACTION.interaction_id,
                occurred_at=AT,
            ),
        },
        scores=SCORES,
        highlights=(RECEIPT,),
    ),
    scoring.ScoreChanged(
        meta=_meta("scoring.score.changed.v1", "scoring@1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=2,
        scores=SCORES,
        receipts=(RECEIPT,),
    ),
    scoring.ScoreCorrected(
        meta=_meta("scoring.score.corrected.v1", "scoring@1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=3,
        scores=SCORES,
        reason="split",
    ),
    identity.PersonMarked(
        meta=_meta("identity.person.marked.v1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=2,
        is_test=True,
        marked_by="ops",
    ),
    identity.ConsentChanged(
        meta=_meta("identity.consent.changed.v1"),
        person_id=PERSON,
        fragment_id=FRAGMENT,
        graph_version=2,
        channel=ConsentChannel.EMAIL,
        consent=Consent.GRANTED,
        interaction_id=INTERACTION.interaction_id,
        source_id=SOURCE,
        occurred_at=AT,
        wording="Yes, write to me about new features.",
    ),
    scoring.RulebookActivated(
        meta=_meta("scoring.rulebook.activated.v1"),
        version=2,
        digest="0" * 64,
        activated_by="a.marketer@rapport.example",
    ),
)
