"""From events to facts. What comes of a batch does not depend on the order in it, nor on where it was cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contracts.envelope import Event
from contracts.events import lifecycle, routing
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMarked, PersonMerged, PersonSplit
from contracts.events.nurture import TreatmentSelected
from contracts.ids import with_prefix
from people_kernel.people import placements_of
from semantics.anew import campaign_anew
from services.metrics.domain.measures import micros, to_e4
from services.metrics.domain.workspace import (
    ClockFact,
    DealFact,
    Fact,
    MetricsWorkspace,
    Presence,
    ReferralFact,
    StageFact,
    Touch,
    TreatmentFact,
)

DecisionEvent = lifecycle.LifecycleEvent | routing.ReferralEvent | TreatmentSelected


def record(workspace: MetricsWorkspace, event: Event) -> None:
    """Adds what is to be kept of an event."""
    match event:
        case InteractionRecognized():
            _record_interaction(workspace, event)
        case PersonMerged() | PersonSplit():
            for fragment_id, placement in placements_of(event).items():
                workspace.place(fragment_id, placement.person_id, placement.graph_version)
        case PersonCreated():
            workspace.place(event.fragment_id, event.person_id, event.graph_version)
            workspace.add_presence(Presence(event.fragment_id, told_test=event.is_test, told_key=_key(event)))
        case PersonMarked():
            workspace.place(event.fragment_id, event.person_id, event.graph_version)
            key = _key(event)
            workspace.add_presence(
                Presence(
                    event.fragment_id, is_marked=event.is_test, mark_key=key, told_test=event.is_test, told_key=key
                )
            )
        case lifecycle.LifecycleEvent() | routing.ReferralEvent() | TreatmentSelected():
            _record_decision(workspace, event)
    workspace.add_progress(event)


def _record_interaction(workspace: MetricsWorkspace, event: InteractionRecognized) -> None:
    interaction = event.interaction
    workspace.place(event.fragment_id, event.person_id, event.graph_version)
    oldest, occurred_us, told_us = (
        with_prefix("frg", event.person_id),
        micros(interaction.occurred_at),
        micros(event.meta.at),
    )
    if event.fragment_id == oldest:  # as most are
        workspace.add_presence(
            Presence(oldest, not interaction.is_test, interaction.is_test, first_us=occurred_us, first_told_us=told_us)
        )
    else:
        workspace.add_presence(Presence(event.fragment_id, not interaction.is_test, interaction.is_test))
        workspace.add_presence(Presence(oldest, first_us=occurred_us, first_told_us=told_us))
    tag = campaign_anew(interaction) if event.facts is None else event.campaign
    if tag is not None:
        tag_id = tag.tag_id
        workspace.tags[tag_id] = tag
        workspace.touches[interaction.interaction_id] = Touch(
            interaction_id=interaction.interaction_id,
            fragment_id=event.fragment_id,
            tag_id=tag_id,
            occurred_us=occurred_us,
            received_us=micros(interaction.received_at),
            is_test=interaction.is_test,
        )


def _record_decision(workspace: MetricsWorkspace, event: DecisionEvent) -> None:
    workspace.place(event.fragment_id, event.person_id, event.graph_version)
    workspace.add_presence(Presence(event.fragment_id, told_test=event.is_test, told_key=_key(event)))
    fact_of = _FACTS.get(type(event))
    if fact_of is not None:
        workspace.add_fact(fact_of(event))


def _key(event: Event) -> str:
    return f"{micros(event.meta.at):020d} {event.meta.event_id}"


def _told(event: DecisionEvent) -> dict[str, Any]:
    return {
        "event_id": event.meta.event_id,
        "fragment_id": event.fragment_id,
        "occurred_us": micros(event.occurred_at),
        "told_us": micros(event.meta.at),
    }


def _stage(event: lifecycle.StageEntered | lifecycle.StageCorrected) -> StageFact:
    is_correction = isinstance(event, lifecycle.StageCorrected)
    return StageFact(
        **_told(event),
        person_id=event.person_id,
        stage=event.stage,
        previous=event.previous,
        is_correction=is_correction,
    )


def _clock(event: lifecycle.SlaEvent) -> ClockFact:
    was_breached = isinstance(event, lifecycle.SlaKept) and event.was_breached
    return ClockFact(**_told(event), kind=_CLOCK_KINDS[type(event)], clock=event.clock, was_breached=was_breached)


def _deal(event: lifecycle.OpportunityEvent) -> DealFact:
    amount = event.amount
    return DealFact(
        **_told(event),
        opportunity_id=event.opportunity_id,
        step=_DEAL_STEPS[type(event)],
        amount_e4=None if amount is None else to_e4(amount.amount),
        currency=None if amount is None else amount.currency,
    )


def _referral(event: routing.ReferralEvent) -> ReferralFact:
    reason = event.reason if isinstance(event, routing.ReferralReturned) else None
    return ReferralFact(
        **_told(event),
        referral_id=event.referral_id,
        rep_id=event.rep_id,
        kind=_REFERRAL_KINDS[type(event)],
        reason=reason,
    )


def _treatment(event: TreatmentSelected) -> TreatmentFact:
    return TreatmentFact(**_told(event), treatment_id=event.treatment_id, campaign_id=event.campaign_id)


_CLOCK_KINDS: Mapping[type[Event], str] = {
    lifecycle.SlaStarted: "started",
    lifecycle.SlaKept: "kept",
    lifecycle.SlaBreached: "breached",
}
_DEAL_STEPS: Mapping[type[Event], int] = {
    lifecycle.OpportunityOpened: 0,
    lifecycle.OpportunityAdvanced: 1,
    lifecycle.OpportunityWon: 2,
    lifecycle.OpportunityLost: 3,
}
_REFERRAL_KINDS: Mapping[type[Event], str] = {
    routing.ReferralOffered: "offered",
    routing.ReferralAccepted: "accepted",
    routing.ReferralReturned: "returned",
    routing.ReferralExpired: "expired",
}
_FACTS: Mapping[type[Event], Callable[[Any], Fact]] = {
    lifecycle.StageEntered: _stage,
    lifecycle.StageCorrected: _stage,
    **dict.fromkeys(_CLOCK_KINDS, _clock),
    **dict.fromkeys(_DEAL_STEPS, _deal),
    **dict.fromkeys(_REFERRAL_KINDS, _referral),
    TreatmentSelected: _treatment,
}
