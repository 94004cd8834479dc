"""The vocabulary of metrics' tests: events as their owners say them, and a store that hears them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.context import Context
from chassis.store.database import Database
from contracts.envelope import Event, Meta
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMarked, PersonMerged, PersonPart, PersonSplit
from contracts.events.lifecycle import (
    OpportunityAdvanced,
    OpportunityEvent,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    SlaEvent,
    SlaKept,
    StageCorrected,
    StageEntered,
)
from contracts.events.nurture import TreatmentSelected
from contracts.events.routing import ReferralAccepted, ReferralEvent, ReferralExpired, ReferralOffered, ReferralReturned
from contracts.ids import derive_id, with_prefix
from contracts.values import Interaction, InteractionKind, Money, Receipt, SourceKind, Strength
from services.metrics.domain.asking import Reporting
from services.metrics.domain.campaigns import Campaign, Channel, Match, Purpose
from services.metrics.handlers.hearing import on_anything_told

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(days: float = 0, **delta: float) -> datetime:
    return START + timedelta(days=days, **delta)


def frg(number: int) -> str:
    return f"frg_{number:0>26}"


def per(number: int) -> str:
    return f"per_{number:0>26}"


def cmp(number: int) -> str:
    return f"cmp_{number:0>26}"


def euros(amount: str | int, currency: str = "EUR") -> Money:
    return Money.model_validate({"amount": str(amount), "currency": currency})


def meta(told_at: datetime, *cause: Any) -> Meta:
    event_id = derive_id("evt", told_at, *map(str, cause))
    return Meta(event_id=event_id, at=told_at, correlation_id=event_id)


def a_receipt(person_id: str, when: datetime) -> Receipt:
    return Receipt(
        receipt_id="rcp_1",
        at=when,
        owner="lifecycle",
        kind="stage.move",
        person_id=person_id,
        fragment_id=with_prefix("frg", person_id),
        cause_id="evt_0",
        rule="a_rule",
        rulebook="lifecycle@1",
        sentence="So it was decided.",
    )


def visited(
    number: int, fragment: int = 1, *, when: datetime = START, person: int | None = None, version: int = 1, **fields: Any
) -> InteractionRecognized:
    """A page view; `campaign` is its campaign context."""
    campaign = fields.pop("campaign", None)
    defaults: dict[str, Any] = {
        "interaction_id": f"int_{number:0>26}",
        "kind": InteractionKind.PAGE,
        "source_id": "src_web",
        "source_kind": SourceKind.WEB,
        "message_id": f"m{number}",
        "occurred_at": when,
        "received_at": when,
        "context": {} if campaign is None else {"campaign": campaign},
    }
    interaction = Interaction(**(defaults | fields))
    return InteractionRecognized(
        meta=meta(interaction.received_at, "visited", number),
        fragment_id=frg(fragment),
        person_id=per(fragment if person is None else person),
        graph_version=version,
        strength=Strength.CLAIMED,
        identifiers=(),
        interaction=interaction,
    )


def whose(person: int, when: datetime, told_at: datetime | None, what: str, *more: Any) -> dict[str, Any]:
    """What every event of a people_kernel service names; the person is known by their own oldest fragment."""
    return {
        "meta": meta(told_at or when, what, person, when, *more),
        "person_id": per(person),
        "fragment_id": frg(person),
        "graph_version": 1,
        "occurred_at": when,
    }


def entered(
    person: int, stage: str, when: datetime = START, *, previous: str | None = None, told_at: datetime | None = None, **fields: Any
) -> StageEntered:
    mine = whose(person, when, told_at, "entered", stage, previous) | fields
    return StageEntered(**mine, stage=stage, previous=previous, receipt=a_receipt(per(person), when))


def walked(person: int, *stages: str, when: datetime = START, every: timedelta = timedelta(days=1), **fields: Any) -> list[StageEntered]:
    """One stage after the other."""
    before = [None, *stages]
    return [entered(person, stage, when + every * n, previous=before[n], **fields) for n, stage in enumerate(stages)]


def corrected(
    person: int, stage: str, when: datetime = START, *, previous: str | None = None, told_at: datetime | None = None, **fields: Any
) -> StageCorrected:
    mine = whose(person, when, told_at, "corrected", stage) | fields
    return StageCorrected(**mine, stage=stage, previous=previous, receipt=a_receipt(per(person), when))


def a_deal(kind: type[OpportunityEvent], person: int, opportunity: str, when: datetime = START, **fields: Any) -> OpportunityEvent:
    told_at = fields.pop("told_at", None)
    more = {"reason": "budget"} if kind is OpportunityLost else {}
    mine = whose(person, when, told_at, kind.wire_name, opportunity) | more | fields
    return kind(**mine, opportunity_id=opportunity, name="Office move")


def opened(person: int, opportunity: str, when: datetime = START, **fields: Any) -> OpportunityEvent:
    return a_deal(OpportunityOpened, person, opportunity, when, **fields)


def advanced(person: int, opportunity: str, when: datetime = START, **fields: Any) -> OpportunityEvent:
    return a_deal(OpportunityAdvanced, person, opportunity, when, **fields)


def won(person: int, opportunity: str, when: datetime = START, **fields: Any) -> OpportunityEvent:
    return a_deal(OpportunityWon, person, opportunity, when, **fields)


def lost(person: int, opportunity: str, when: datetime = START, **fields: Any) -> OpportunityEvent:
    return a_deal(OpportunityLost, person, opportunity, when, **fields)


def a_clock(kind: type[SlaEvent], person: int, when: datetime = START, *, is_late: bool = False, **fields: Any) -> SlaEvent:
    more = {"was_breached": is_late} if kind is SlaKept else {}
    mine = whose(person, when, None, kind.wire_name) | more | fields
    return kind(**mine, clock="acceptance", stage="mql", started_at=when, due_at=when + timedelta(days=1))


def a_referral(kind: type[ReferralEvent], person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    more: dict[str, Any] = {"due_at": when + timedelta(hours=4)} if kind is ReferralOffered else {}
    referral = fields.pop("referral", f"ref_{person}")
    mine = whose(person, when, None, kind.wire_name, referral, rep) | more | fields
    return kind(**mine, referral_id=referral, rep_id=rep, attempt=1, stage="mql", receipt=a_receipt(per(person), when))


def offered(person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    return a_referral(ReferralOffered, person, rep, when, **fields)


def accepted(person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    return a_referral(ReferralAccepted, person, rep, when, **fields)


def returned(person: int, rep: str, when: datetime = START, *, reason: str = "bad_timing", **fields: Any) -> ReferralEvent:
    return a_referral(ReferralReturned, person, rep, when, reason=reason, **fields)


def expired(person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    return a_referral(ReferralExpired, person, rep, when, **fields)


def treated(person: int, campaign_id: str | None, when: datetime = START, **fields: Any) -> TreatmentSelected:
    mine = whose(person, when, None, "treated", campaign_id) | fields
    return TreatmentSelected(
        **mine,
        selection_id="sel_1",
        treatment_id="trt_1",
        revision=1,
        channel="email",
        campaign_id=campaign_id,
        buying_stage="awareness",
        receipt=a_receipt(per(person), when),
    )


def created(person: int, when: datetime = START, *, is_test: bool = False) -> PersonCreated:
    return PersonCreated(meta=meta(when, "created", person), person_id=per(person), fragment_id=frg(person), graph_version=1, is_test=is_test)


def marked(fragment: int, is_test: bool, when: datetime, *, person: int | None = None) -> PersonMarked:
    return PersonMarked(
        meta=meta(when, "marked", fragment, is_test),
        person_id=per(fragment if person is None else person),
        fragment_id=frg(fragment),
        graph_version=1,
        is_test=is_test,
        marked_by="mona",
    )


def merged(fragments: Sequence[int], version: int, when: datetime = START) -> PersonMerged:
    """All these fragments are one person from now on."""
    ordered = sorted(fragments)
    return PersonMerged(
        meta=meta(when, "merged", *ordered, version),
        person_id=per(ordered[0]),
        absorbed_person_ids=tuple(per(number) for number in ordered[1:]),
        fragment_ids=tuple(frg(number) for number in ordered),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence="They are one.",
    )


def split(parts: Sequence[Sequence[int]], version: int, when: datetime = START) -> PersonSplit:
    """Each part is a person from now on."""
    named = [PersonPart(person_id=per(min(part)), fragment_ids=tuple(frg(n) for n in sorted(part)), graph_version=version) for part in parts]
    return PersonSplit(
        meta=meta(when, "split", *(n for part in parts for n in part), version),
        person_id=min(part.person_id for part in named),
        parts=tuple(named),
        graph_version=version,
        sentence="They are several.",
    )


def a_campaign(number: int, *matches: Match, channel: Channel = Channel.EMAIL, **fields: Any) -> Campaign:
    defaults: dict[str, Any] = {
        "campaign_id": cmp(number),
        "name": f"Campaign {number}",
        "channel": channel,
        "purpose": Purpose.PROMOTIONAL,
        "is_direct": True,
        "matches": matches,
        "starts_on": None,
        "ends_on": None,
        "external_id": None,
        "created_at": at(-100 + number),
        "created_by": "mona",
        "updated_at": at(-100 + number),
    }
    return Campaign(**(defaults | fields))


REPORTING = Reporting()


async def hear(database: Database, *events: Event, reporting: Reporting = REPORTING) -> None:
    """One transaction of consecutive events, handed over as the chassis does."""
    async with database.begin() as session:
        await on_anything_told(list(events), Context(session, at(30), reporting))
