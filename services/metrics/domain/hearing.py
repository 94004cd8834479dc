"""From events to facts. What comes of a batch does not depend on the order in it, nor on where it was cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.envelope import Event
from contracts.events import lifecycle, routing
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMarked, PersonMerged, PersonSplit
from contracts.events.nurture import TreatmentSelected
from contracts.ids import lane_of, with_prefix
from people_kernel.placements import Placement, placements_of
from services.metrics.domain.facts import ClockTold, DealTold, Presence, ReferralTold, StageTold, Touch, TreatmentTold
from services.metrics.domain.moments import micros
from services.metrics.domain.money import to_e4
from services.metrics.domain.tags import Tag, tag_of

SLOTS = 16
"""Readers of one stream note how far they are in different rows, most of the time, so that they do not wait for each other."""

Fact = StageTold | ClockTold | DealTold | ReferralTold | TreatmentTold
DecisionEvent = lifecycle.LifecycleEvent | routing.ReferralEvent | TreatmentSelected


@dataclass(slots=True)
class Harvest:
    """All that a batch of events comes to."""

    placements: dict[str, Placement] = field(default_factory=dict)
    presences: dict[str, Presence] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    touches: dict[str, Touch] = field(default_factory=dict)
    facts: dict[type[Fact], dict[str, Fact]] = field(default_factory=dict)
    heard: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def place(self, fragment_id: str, person_id: str, graph_version: int) -> None:
        """An older grouping than the one known says nothing."""
        known = self.placements.get(fragment_id)
        if known is None or graph_version > known.graph_version:
            self.placements[fragment_id] = Placement(person_id, graph_version)

    def note(self, presence: Presence) -> None:
        known = self.presences.get(presence.fragment_id)
        self.presences[presence.fragment_id] = presence if known is None else known.joined(presence)

    def place_of(self, event: Event) -> tuple[str, int]:
        """Where it is noted how far the owner of this event was heard: in one slot a batch, that of its first event."""
        for place in self.heard:
            if place[0] == event.owner:
                return place
        return event.owner, lane_of(event.lane_key, SLOTS)

    def keep(self, fact: Fact) -> None:
        self.facts.setdefault(type(fact), {})[fact.event_id] = fact


def harvest(events: Iterable[Event]) -> Harvest:
    """What is to be kept of these events."""
    found = Harvest()
    for event in events:
        _take_in(found, event)
        place = found.place_of(event)
        found.heard[place] = max(event.meta.at, found.heard.get(place, event.meta.at))
    return found


def _take_in(found: Harvest, event: Event) -> None:
    match event:
        case InteractionRecognized():
            _take_in_interaction(found, event)
        case PersonMerged() | PersonSplit():
            for fragment_id, placement in placements_of(event).items():
                found.place(fragment_id, placement.person_id, placement.graph_version)
        case PersonCreated():
            found.place(event.fragment_id, event.person_id, event.graph_version)
            found.note(Presence(event.fragment_id, told_test=event.is_test, told_key=_key(event)))
        case PersonMarked():
            found.place(event.fragment_id, event.person_id, event.graph_version)
            key = _key(event)
            found.note(Presence(event.fragment_id, is_marked=event.is_test, mark_key=key, told_test=event.is_test, told_key=key))
        case lifecycle.LifecycleEvent() | routing.ReferralEvent() | TreatmentSelected():
            _take_in_decision(found, event)


def _take_in_interaction(found: Harvest, event: InteractionRecognized) -> None:
    interaction = event.interaction
    found.place(event.fragment_id, event.person_id, event.graph_version)
    oldest, occurred_us, told_us = with_prefix("frg", event.person_id), micros(interaction.occurred_at), micros(event.meta.at)
    if event.fragment_id == oldest:  # as most are
        found.note(Presence(oldest, not interaction.is_test, interaction.is_test, first_us=occurred_us, first_told_us=told_us))
    else:
        found.note(Presence(event.fragment_id, not interaction.is_test, interaction.is_test))
        found.note(Presence(oldest, first_us=occurred_us, first_told_us=told_us))
    tag = tag_of(interaction)
    if tag is not None:
        tag_id = tag.tag_id
        found.tags[tag_id] = tag
        found.touches[interaction.interaction_id] = Touch(
            interaction_id=interaction.interaction_id,
            fragment_id=event.fragment_id,
            tag_id=tag_id,
            occurred_us=occurred_us,
            received_us=micros(interaction.received_at),
            is_test=interaction.is_test,
        )


def _take_in_decision(found: Harvest, event: DecisionEvent) -> None:
    found.place(event.fragment_id, event.person_id, event.graph_version)
    found.note(Presence(event.fragment_id, told_test=event.is_test, told_key=_key(event)))
    fact_of = _FACTS.get(type(event))
    if fact_of is not None:
        found.keep(fact_of(event))


def _key(event: Event) -> str:
    return f"{micros(event.meta.at):020d} {event.meta.event_id}"


def _told(event: DecisionEvent) -> dict[str, Any]:
    return {
        "event_id": event.meta.event_id,
        "fragment_id": event.fragment_id,
        "occurred_us": micros(event.occurred_at),
        "told_us": micros(event.meta.at),
    }


def _stage(event: lifecycle.StageEntered | lifecycle.StageCorrected) -> StageTold:
    is_correction = isinstance(event, lifecycle.StageCorrected)
    return StageTold(**_told(event), person_id=event.person_id, stage=event.stage, previous=event.previous, is_correction=is_correction)


def _clock(event: lifecycle.SlaEvent) -> ClockTold:
    was_breached = isinstance(event, lifecycle.SlaKept) and event.was_breached
    return ClockTold(**_told(event), kind=_CLOCK_KINDS[type(event)], clock=event.clock, was_breached=was_breached)


def _deal(event: lifecycle.OpportunityEvent) -> DealTold:
    amount = event.amount
    return DealTold(
        **_told(event),
        opportunity_id=event.opportunity_id,
        step=_DEAL_STEPS[type(event)],
        amount_e4=None if amount is None else to_e4(amount.amount),
        currency=None if amount is None else amount.currency,
    )


def _referral(event: routing.ReferralEvent) -> ReferralTold:
    reason = event.reason if isinstance(event, routing.ReferralReturned) else None
    return ReferralTold(**_told(event), referral_id=event.referral_id, rep_id=event.rep_id, kind=_REFERRAL_KINDS[type(event)], reason=reason)


def _treatment(event: TreatmentSelected) -> TreatmentTold:
    return TreatmentTold(**_told(event), treatment_id=event.treatment_id, campaign_id=event.campaign_id)


_CLOCK_KINDS: Mapping[type[Event], str] = {lifecycle.SlaStarted: "started", lifecycle.SlaKept: "kept", lifecycle.SlaBreached: "breached"}
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
