"""What became of the lead: lifecycle, nurture, routing and metrics say it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from contracts.envelope import Event, Meta, following
from contracts.events import lifecycle, metrics, nurture, routing
from contracts.events.scoring import Attribute
from contracts.examples.people import ACCOUNT, AT, FRAGMENT, INTERACTION, PERSON, RECEIPT, RECEIVED, SCORES, SOURCE
from contracts.ids import derive_id, hash_id
from contracts.values import Money, Receipt, Strength

_REP, _OTHER_REP = hash_id("rep", "ana"), hash_id("rep", "tomo")
_REFERRAL = derive_id("ref", AT, PERSON)
_OPPORTUNITY = derive_id("opp", AT, PERSON)
_CAMPAIGN = hash_id("cmp", "spring")
_TREATMENT = hash_id("trt", "guide")
_DUE = AT + timedelta(hours=4)
_AMOUNT = Money(amount=Decimal("12500.00"), currency="EUR")
_ATTRIBUTES = {
    "title": Attribute(
        value="Head of Logistics",
        strength=Strength.CLAIMED,
        source_id=SOURCE,
        interaction_id=INTERACTION.interaction_id,
        occurred_at=AT,
    )
}


def _meta(wire_name: str, rulebook: str | None = None) -> Meta:
    return following(RECEIVED, wire_name, rulebook=rulebook)


def _receipt(kind: str, rule: str, outcome: str, sentence: str, *rejected: str) -> Receipt:
    owner = {"stage": "lifecycle", "treatment": "nurture", "referral": "routing"}[kind.partition(".")[0]]
    return Receipt(
        receipt_id=derive_id("rcp", AT, kind, rule, outcome),
        at=AT,
        owner=owner,
        kind=kind,
        person_id=PERSON,
        fragment_id=FRAGMENT,
        cause_id=INTERACTION.interaction_id,
        rule=rule,
        rulebook=f"{owner}@1",
        inputs={"scores.cell": "B2"},
        outcome=outcome,
        rejected=rejected,
        sentence=sentence,
    )


_PERSON: dict[str, Any] = {"person_id": PERSON, "fragment_id": FRAGMENT, "graph_version": 2}
_LIFECYCLE: dict[str, Any] = {**_PERSON, "account_id": ACCOUNT, "occurred_at": AT}
_MOVE = _receipt("stage.move", "ready_for_sales", "mql", "Fits well (B) and is engaged (2): ready for sales.")
_CLOCK: dict[str, Any] = {
    **_LIFECYCLE,
    "clock": "acceptance",
    "stage": "mql",
    "started_at": AT,
    "due_at": AT + timedelta(hours=24),
}
_DEAL: dict[str, Any] = {
    **_LIFECYCLE,
    "by": "ana",
    "opportunity_id": _OPPORTUNITY,
    "name": "Tidewater: 40 seats",
    "amount": _AMOUNT,
}
_REFERRED: dict[str, Any] = {**_LIFECYCLE, "referral_id": _REFERRAL, "rep_id": _REP, "attempt": 1, "stage": "mql"}
_ASSIGNED = _receipt(
    "referral.assignment",
    "rotation",
    _REP,
    "Assigned to Ana Ruiz: it was her turn.",
    f"{_OTHER_REP}: has had the last one",
)

EXAMPLES: tuple[Event, ...] = (
    lifecycle.StageEntered(
        meta=_meta("lifecycle.stage.entered.v1", "lifecycle@1"),
        **_LIFECYCLE,
        stage="mql",
        previous="engaged",
        due_at=AT + timedelta(hours=24),
        attributes=_ATTRIBUTES,
        scores=SCORES,
        highlights=(RECEIPT,),
        receipt=_MOVE,
    ),
    lifecycle.StageCorrected(
        meta=_meta("lifecycle.stage.corrected.v1", "lifecycle@1"),
        **_LIFECYCLE,
        stage="sql",
        previous="engaged",
        receipt=_receipt(
            "stage.correction", "merged", "sql", "Two people turned out to be one; the further stage counts."
        ),
    ),
    lifecycle.SlaStarted(meta=_meta("lifecycle.sla.started.v1", "lifecycle@1"), **_CLOCK),
    lifecycle.SlaReminded(meta=_meta("lifecycle.sla.reminded.v1", "lifecycle@1"), **_CLOCK),
    lifecycle.SlaBreached(meta=_meta("lifecycle.sla.breached.v1", "lifecycle@1"), **_CLOCK),
    lifecycle.SlaKept(meta=_meta("lifecycle.sla.kept.v1", "lifecycle@1"), **_CLOCK),
    lifecycle.OpportunityOpened(meta=_meta("lifecycle.opportunity.opened.v1"), **_DEAL),
    lifecycle.OpportunityAdvanced(meta=_meta("lifecycle.opportunity.advanced.v1"), **_DEAL, step="proposal"),
    lifecycle.OpportunityWon(meta=_meta("lifecycle.opportunity.won.v1"), **_DEAL),
    lifecycle.OpportunityLost(meta=_meta("lifecycle.opportunity.lost.v1"), **_DEAL, reason="no_budget"),
    lifecycle.RulebookActivated(
        meta=_meta("lifecycle.rulebook.activated.v1"),
        version=2,
        digest="0" * 64,
        activated_by="a.marketer@rapport.example",
    ),
    nurture.TreatmentSelected(
        meta=_meta("nurture.treatment.selected.v1", "nurture@1"),
        **_PERSON,
        selection_id=derive_id("sel", AT, PERSON),
        treatment_id=_TREATMENT,
        revision=3,
        channel="web",
        campaign_id=_CAMPAIGN,
        buying_stage="consideration",
        occurred_at=AT,
        receipt=_receipt(
            "treatment.choice", "guide", _TREATMENT, "Compares vendors: show the buyer's guide.", "trt_webinar: is over"
        ),
    ),
    nurture.RulebookActivated(
        meta=_meta("nurture.rulebook.activated.v1"),
        version=2,
        digest="0" * 64,
        activated_by="a.marketer@rapport.example",
    ),
    routing.ReferralOffered(
        meta=_meta("routing.referral.offered.v1", "routing@1"), **_REFERRED, due_at=_DUE, receipt=_ASSIGNED
    ),
    routing.ReferralSeen(meta=_meta("routing.referral.seen.v1"), **_REFERRED, by="ana"),
    routing.ReferralAccepted(
        meta=_meta("routing.referral.accepted.v1"),
        **_REFERRED,
        by="ana",
        receipt=_receipt("referral.answer", "accepted", _REP, "Ana Ruiz takes care of her."),
    ),
    routing.ReferralReturned(
        meta=_meta("routing.referral.returned.v1"),
        **_REFERRED,
        by="ana",
        reason="bad_timing",
        note="Ask again in autumn.",
        receipt=_receipt("referral.answer", "returned", "bad_timing", "Ana Ruiz gave her back: bad timing."),
    ),
    routing.ReferralExpired(
        meta=_meta("routing.referral.expired.v1"),
        **_REFERRED,
        receipt=_receipt("referral.expiry", "no_answer", _REP, "Ana Ruiz did not answer within four hours."),
    ),
    routing.ReferralReassigned(
        meta=_meta("routing.referral.reassigned.v1"),
        **{**_REFERRED, "rep_id": _OTHER_REP},
        previous_rep_id=_REP,
        by="a.manager",
        receipt=_receipt("referral.assignment", "reassigned", _OTHER_REP, "A manager gave her to Tomo Arai."),
    ),
    routing.AlertRaised(
        meta=_meta("routing.alert.raised.v1", "routing@1"),
        **_LIFECYCLE,
        rep_id=_REP,
        kind="offered",
        referral_id=_REFERRAL,
        headline="Mara Lindqvist, Head of Logistics at Tidewater Freight, is ready: asked for a demo.",
        due_at=_DUE,
        stage="mql",
        attributes=_ATTRIBUTES,
        scores=SCORES,
        because=(_ASSIGNED, _MOVE, RECEIPT),
        actions={
            "accept": f"POST /v1/referrals/{_REFERRAL}:accept",
            "return": f"POST /v1/referrals/{_REFERRAL}:return",
        },
    ),
    routing.RepChanged(
        meta=_meta("routing.rep.changed.v1"),
        rep_id=_REP,
        name="Ana Ruiz",
        email="ana.ruiz@rapport.example",
        teams=("west",),
        weight=2,
        is_active=True,
    ),
    routing.RulebookActivated(
        meta=_meta("routing.rulebook.activated.v1"),
        version=2,
        digest="0" * 64,
        activated_by="a.manager@rapport.example",
    ),
    metrics.CostRecorded(
        meta=_meta("metrics.cost.recorded.v1"),
        cost_id=derive_id("cst", AT, "spring"),
        campaign_id=_CAMPAIGN,
        amount=_AMOUNT,
        incurred_on=date(2026, 3, 2),
    ),
)
