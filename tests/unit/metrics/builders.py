"""The vocabulary of metrics' tests: events as their owners say them, and a store that hears them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chassis.context import Context
from chassis.store.database import Database
from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMarked
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
from contracts.ids import with_prefix
from contracts.values import Interaction, InteractionKind, Money, Receipt, SourceKind, Strength
from services.metrics.domain.campaigns import Campaign, CampaignMatch, Channel, Purpose
from services.metrics.domain.incoming_events import record
from services.metrics.domain.measures import ReportSettings
from services.metrics.domain.workspace import MetricsWorkspace
from services.metrics.events import on_anything_told
from tests.support.people import START, at, frg, meta, per


def cmp(number: int) -> str:
    return f"cmp_{number:0>26}"


def euros(amount: str | int, currency: str = "EUR") -> Money:
    return Money.model_validate({"amount": str(amount), "currency": currency})


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
    number: int,
    fragment: int = 1,
    *,
    when: datetime = START,
    person: int | None = None,
    version: int = 1,
    **fields: Any,
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
    person: int,
    stage: str,
    when: datetime = START,
    *,
    previous: str | None = None,
    told_at: datetime | None = None,
    **fields: Any,
) -> StageEntered:
    mine = whose(person, when, told_at, "entered", stage, previous) | fields
    return StageEntered(**mine, stage=stage, previous=previous, receipt=a_receipt(per(person), when))


def walked(
    person: int, *stages: str, when: datetime = START, every: timedelta = timedelta(days=1), **fields: Any
) -> list[StageEntered]:
    """One stage after the other."""
    before = [None, *stages]
    return [entered(person, stage, when + every * n, previous=before[n], **fields) for n, stage in enumerate(stages)]


def corrected(
    person: int,
    stage: str,
    when: datetime = START,
    *,
    previous: str | None = None,
    told_at: datetime | None = None,
    **fields: Any,
) -> StageCorrected:
    mine = whose(person, when, told_at, "corrected", stage) | fields
    return StageCorrected(**mine, stage=stage, previous=previous, receipt=a_receipt(per(person), when))


def a_deal(
    kind: type[OpportunityEvent], person: int, opportunity: str, when: datetime = START, **fields: Any
) -> OpportunityEvent:
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


def a_clock(
    kind: type[SlaEvent], person: int, when: datetime = START, *, is_late: bool = False, **fields: Any
) -> SlaEvent:
    more = {"was_breached": is_late} if kind is SlaKept else {}
    mine = whose(person, when, None, kind.wire_name) | more | fields
    return kind(**mine, clock="acceptance", stage="mql", started_at=when, due_at=when + timedelta(days=1))


def a_referral(
    kind: type[ReferralEvent], person: int, rep: str, when: datetime = START, **fields: Any
) -> ReferralEvent:
    more: dict[str, Any] = {"due_at": when + timedelta(hours=4)} if kind is ReferralOffered else {}
    referral = fields.pop("referral", f"ref_{person}")
    mine = whose(person, when, None, kind.wire_name, referral, rep) | more | fields
    return kind(**mine, referral_id=referral, rep_id=rep, attempt=1, stage="mql", receipt=a_receipt(per(person), when))


def offered(person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    return a_referral(ReferralOffered, person, rep, when, **fields)


def accepted(person: int, rep: str, when: datetime = START, **fields: Any) -> ReferralEvent:
    return a_referral(ReferralAccepted, person, rep, when, **fields)


def returned(
    person: int, rep: str, when: datetime = START, *, reason: str = "bad_timing", **fields: Any
) -> ReferralEvent:
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
    return PersonCreated(
        meta=meta(when, "created", person),
        person_id=per(person),
        fragment_id=frg(person),
        graph_version=1,
        is_test=is_test,
    )


def marked(fragment: int, is_test: bool, when: datetime, *, person: int | None = None) -> PersonMarked:
    return PersonMarked(
        meta=meta(when, "marked", fragment, is_test),
        person_id=per(fragment if person is None else person),
        fragment_id=frg(fragment),
        graph_version=1,
        is_test=is_test,
        marked_by="mona",
    )


def a_campaign(number: int, *matches: CampaignMatch, channel: Channel = Channel.EMAIL, **fields: Any) -> Campaign:
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


REPORTING = ReportSettings()


async def hear(database: Database, *events: Event, reporting: ReportSettings = REPORTING) -> None:
    """One transaction of consecutive events, handed over as the chassis does."""
    async with database.begin() as session:
        await on_anything_told(list(events), Context(session, at(30), reporting))


def workspace_of(*events: Event) -> MetricsWorkspace:
    """What these come to."""
    workspace = MetricsWorkspace()
    for event in events:
        record(workspace, event)
    return workspace
