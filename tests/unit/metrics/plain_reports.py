"""The same reports, reckoned in plain Python from the raw events: slow, and simple enough to be believed."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonCreated, PersonMarked, PersonMerged, PersonSplit
from contracts.events.lifecycle import (
    OpportunityEvent,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    SlaBreached,
    SlaEvent,
    SlaKept,
    SlaStarted,
    StageCorrected,
    StageEntered,
)
from contracts.events.nurture import TreatmentSelected
from contracts.events.person import PersonEvent
from contracts.events.routing import ReferralAccepted, ReferralEvent, ReferralExpired, ReferralOffered, ReferralReturned
from contracts.ids import with_prefix
from semantics.campaign import campaign_of
from services.metrics.domain.campaigns import Campaign, CampaignDirectory
from services.metrics.domain.measures import ASIDE, LINE, Attribution, By, ReportQuery

ORDER = [*LINE, *ASIDE]
MILESTONES = {"leads": "known", "mqls": "mql", "sals": "sal", "sqls": "sql", "customers": "customer"}


@dataclass
class PlainReports:
    """All that was told, each event once."""

    events: list[Any]
    campaigns: Sequence[Campaign] = ()
    costs: Sequence[tuple[str, Decimal, date]] = ()
    owner: dict[str, str] = field(default_factory=dict)
    tests: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.events = list({event.meta.event_id: event for event in self.events}.values())
        did = [event.person_id for event in self.events if isinstance(event, InteractionRecognized)]
        self.owner = {with_prefix("frg", person_id): person_id for person_id in did} | grouping(self.events)
        people = {self.owner[fragment] for fragment in self.owner}
        self.tests = {person for person in people if self._is_test(person)}

    def whose(self, event: Any) -> str:
        return self.owner[event.fragment_id]

    def of(self, *kinds: type[Any]) -> list[Any]:
        """Events of these kinds about people who count."""
        return [event for event in self.events if isinstance(event, kinds) and self.whose(event) not in self.tests]

    def moves(self) -> list[Any]:
        """Entries into a stage, those too that nobody told of: by person id the first thing that was told of them."""
        firsts: dict[str, Begun] = {}
        for event in self.events:
            if isinstance(event, InteractionRecognized):
                begun = Begun(with_prefix("frg", event.person_id), event.interaction.occurred_at, event.meta.at)
                firsts[begun.fragment_id] = min(
                    begun, firsts.get(begun.fragment_id, begun), key=lambda one: (one.told_at, one.occurred_at)
                )
        return [*self.of(StageEntered), *(one for one in firsts.values() if self.whose(one) not in self.tests)]

    def _is_test(self, person: str) -> bool:
        mine = [
            event for event in self.events if hasattr(event, "fragment_id") and self.owner[event.fragment_id] == person
        ]
        marks: dict[str, tuple[datetime, str, bool]] = {}
        for event in mine:
            if isinstance(event, PersonMarked):
                said = (event.meta.at, event.meta.event_id, event.is_test)
                marks[event.fragment_id] = max(said, marks.get(event.fragment_id, said))
        if any(is_test for _, _, is_test in marks.values()):
            return True
        captured = [event.interaction.is_test for event in mine if isinstance(event, InteractionRecognized)]
        if captured:
            return all(captured)
        said_so = [(event.meta.at, event.meta.event_id, event.is_test) for event in mine]
        return bool(said_so) and max(said_so)[2]

    def touches(self, person: str) -> list[tuple[datetime, str, str]]:
        """(when, interaction, campaign), in order."""
        directory, found = CampaignDirectory(list(self.campaigns)), []
        for event in self.events:
            if (
                isinstance(event, InteractionRecognized)
                and not event.interaction.is_test
                and self.whose(event) == person
            ):
                tag = campaign_of(event.interaction)
                campaign_id = None if tag is None else directory.campaign_of(tag)
                if campaign_id is not None:
                    found.append((event.interaction.occurred_at, event.interaction.interaction_id, campaign_id))
        return sorted(found)

    def deals(self) -> dict[str, list[Any]]:
        """Opportunity -> what was told of it, in order; whose it is, is decided by the first."""
        told: dict[str, list[Any]] = defaultdict(list)
        steps: dict[type[Any], int] = {OpportunityOpened: 0, OpportunityWon: 2, OpportunityLost: 3}
        for event in self.events:
            if isinstance(event, OpportunityEvent):
                told[event.opportunity_id].append(event)
        for history in told.values():
            history.sort(
                key=lambda event: (event.meta.at, event.occurred_at, steps.get(type(event), 1), event.meta.event_id)
            )
        return {
            opportunity: history for opportunity, history in told.items() if self.whose(history[0]) not in self.tests
        }

    def credit(self, person: str, attribution: Attribution, opened_at: datetime | None = None) -> str | None:
        touches = self.touches(person)
        if attribution is Attribution.LAST_TOUCH:
            limits = [history[0].occurred_at for history in self.deals().values() if self.whose(history[0]) == person]
            limit = opened_at or min(limits, default=None)
            return next((campaign for when, _, campaign in reversed(touches) if limit is None or when <= limit), None)
        return touches[0][2] if touches else None


def grouping(events: Iterable[Event]) -> dict[str, str]:
    """Fragment -> the person it belongs to by the newest word."""
    said: dict[str, tuple[int, str]] = {}

    def learn(fragment_id: str, version: int, person_id: str) -> None:
        if fragment_id not in said or said[fragment_id][0] < version:
            said[fragment_id] = (version, person_id)

    for event in events:
        if isinstance(event, PersonMerged):
            for fragment_id in event.fragment_ids:
                learn(fragment_id, event.graph_version, event.person_id)
        elif isinstance(event, PersonSplit):
            for part in event.parts:
                for fragment_id in part.fragment_ids:
                    learn(fragment_id, part.graph_version, part.person_id)
        elif isinstance(event, InteractionRecognized | PersonCreated | PersonEvent):
            learn(event.fragment_id, event.graph_version, event.person_id)
    return {fragment_id: person_id for fragment_id, (_, person_id) in said.items()}


@dataclass(frozen=True)
class Begun:
    """Somebody was first seen: they are where everybody begins, and nobody tells of it."""

    fragment_id: str
    occurred_at: datetime
    told_at: datetime
    stage: str = LINE[0]
    previous: None = None

    @property
    def meta(self) -> Begun:
        return self

    @property
    def at(self) -> datetime:
        return self.told_at


def within(moment: datetime, query: ReportQuery) -> bool:
    us = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    return (query.period.start_us is None or us >= query.period.start_us) and (
        query.period.end_us is None or us < query.period.end_us
    )


def time_of(event: Any, query: ReportQuery) -> datetime:
    if isinstance(event, InteractionRecognized):
        return event.interaction.occurred_at if query.by is By.OCCURRED else event.interaction.received_at
    moment: datetime = event.occurred_at if query.by is By.OCCURRED else event.meta.at
    return moment


def place(stage: str) -> int:
    return ORDER.index(stage) if stage in ORDER else len(ORDER)


def funnel(world: PlainReports, query: ReportQuery) -> dict[str, tuple[int, int, int | None, dict[str, int], int]]:
    """Stage -> (entered, continued, reached, lost_to, in_stage_now)."""
    moves: dict[str, list[Any]] = defaultdict(list)
    for event in world.moves():
        moves[world.whose(event)].append(event)
    now = standing(world)
    rows = {}
    for stage in ORDER:
        entered = continued = reached = 0
        lost_to: dict[str, int] = defaultdict(int)
        for mine in moves.values():
            times = [time_of(move, query) for move in mine]
            if within(min(times), query) and any(
                move.stage in LINE and stage in LINE and place(move.stage) >= place(stage) for move in mine
            ):
                reached += 1
            here = [
                time_of(move, query) for move in mine if move.stage == stage and within(time_of(move, query), query)
            ]
            if not here:
                continue
            entered += 1
            if stage in LINE:
                continued += any(
                    move.stage in LINE and place(move.stage) > place(stage) and time_of(move, query) >= min(here)
                    for move in mine
                )
            else:
                continued += any(move.stage in LINE and time_of(move, query) > min(here) for move in mine)
            for aside in ASIDE if stage in LINE else ():
                lost_to[aside] += any(
                    move.stage == aside and move.previous == stage and time_of(move, query) >= min(here)
                    for move in mine
                )
        gone = {aside: count for aside, count in lost_to.items() if count}
        rows[stage] = (
            entered,
            continued,
            reached if stage in LINE else None,
            gone,
            sum(one == stage for one in now.values()),
        )
    return rows


def standing(world: PlainReports) -> dict[str, str]:
    """Person -> the stage they are in: the last said under their own id; else the last said of their fragments; else
    where everybody begins.
    """
    said: dict[str, list[Any]] = defaultdict(list)
    for event in world.of(StageEntered, StageCorrected):
        said[world.whose(event)].append(event)
    result = {world.whose(one): one.stage for one in world.moves() if isinstance(one, Begun)}
    for person, told in said.items():
        spoken_of = {event.person_id for event in world.events if isinstance(event, StageEntered | StageCorrected)}
        mine = [event for event in told if event.person_id == person] if person in spoken_of else told
        if mine:
            latest = max(event.meta.at for event in mine)
            tied = [event for event in mine if event.meta.at == latest]
            last = [
                event
                for event in tied
                if not any(other.previous == event.stage and other.person_id == event.person_id for other in tied)
            ] or tied
            result[person] = max(last, key=lambda event: (event.occurred_at, place(event.stage), event.stage)).stage
    return result


def time_in_stage(world: PlainReports, query: ReportQuery) -> dict[str, tuple[int, float, float, float]]:
    """Stage -> (n, median, p90, mean) in seconds."""
    moves: dict[str, list[Any]] = defaultdict(list)
    for event in world.moves():
        moves[world.whose(event)].append(event)
    lengths: dict[str, list[float]] = defaultdict(list)
    for mine in moves.values():
        mine.sort(key=lambda event: (event.occurred_at, event.meta.at, place(event.stage), event.stage))
        stays = [
            move
            for before, move in zip([None, *mine], mine, strict=False)
            if before is None or before.stage != move.stage
        ]
        for stay, following in pairwise(stays):
            if within(time_of(following, query), query):
                lengths[stay.stage].append((following.occurred_at - stay.occurred_at).total_seconds())
    return {
        stage: (
            len(all_of_them),
            statistics.median(all_of_them),
            sorted(all_of_them)[-(-9 * len(all_of_them) // 10) - 1],
            statistics.fmean(all_of_them),
        )
        for stage, all_of_them in lengths.items()
    }


def returns(world: PlainReports, query: ReportQuery) -> dict[str | None, dict[str, Any]]:
    """Campaign -> its counts and amounts; amounts are all in the reporting currency."""
    rows: dict[str | None, dict[str, Any]] = {
        campaign.campaign_id: defaultdict(Decimal) for campaign in world.campaigns
    }
    rows[None] = defaultdict(Decimal)
    for cost_of, amount, day in world.costs:
        if within(datetime(day.year, day.month, day.day, tzinfo=UTC), query):
            rows[cost_of]["cost"] += amount
    _count_people(world, query, rows)
    for event in world.of(TreatmentSelected):
        if event.campaign_id is not None and within(time_of(event, query), query):
            rows[event.campaign_id]["treatments"] += 1
    for history in world.deals().values():
        first = history[0]
        _weigh(history, query, rows[world.credit(world.whose(first), query.attribution, first.occurred_at)])
    return rows


def _count_people(world: PlainReports, query: ReportQuery, rows: dict[str | None, dict[str, Any]]) -> None:
    directory = CampaignDirectory(list(world.campaigns))
    for person in {world.whose(event) for event in world.of(PersonEvent, InteractionRecognized, PersonCreated)}:
        credited = world.credit(person, query.attribution)
        moves = [move for move in world.of(StageEntered) if world.whose(move) == person and move.stage in LINE]
        for name, stage in MILESTONES.items():
            far = [time_of(move, query) for move in moves if place(move.stage) >= place(stage)]
            rows[credited][name] += bool(far) and within(min(far), query)
        seen = set()
        for event in world.of(InteractionRecognized):
            tag = campaign_of(event.interaction)
            if (
                world.whose(event) == person
                and tag is not None
                and not event.interaction.is_test
                and within(time_of(event, query), query)
            ):
                seen.add(directory.campaign_of(tag))
        for touched_by in seen - {None}:
            rows[touched_by]["touched"] += 1


def _weigh(history: Sequence[Any], query: ReportQuery, row: dict[str, Any]) -> None:
    first, last = history[0], history[-1]
    was_opened = within(time_of(first, query), query)
    row["opportunities"] += was_opened
    if isinstance(last, OpportunityWon) and within(time_of(last, query), query):
        row["revenue"] += 0 if last.amount is None else last.amount.amount
        row["without_amount"] += last.amount is None
    elif not isinstance(last, OpportunityWon | OpportunityLost) and was_opened and last.amount is not None:
        row["pipeline"] += last.amount.amount


def referrals(world: PlainReports, query: ReportQuery) -> dict[str, tuple[int, int, dict[str, int], int, float | None]]:
    """Rep -> (offered, accepted, returned by reason, expired, median wait)."""
    rows: dict[str, Any] = {}
    told = [event for event in world.of(ReferralEvent) if within(time_of(event, query), query)]
    for rep in {event.rep_id for event in told}:
        mine = [event for event in told if event.rep_id == rep]
        reasons: dict[str, int] = defaultdict(int)
        waits = []
        for event in mine:
            if isinstance(event, ReferralReturned):
                reasons[event.reason] += 1
            elif isinstance(event, ReferralAccepted):
                offers = [
                    other.occurred_at
                    for other in world.events
                    if isinstance(other, ReferralOffered)
                    and other.referral_id == event.referral_id
                    and other.occurred_at <= event.occurred_at
                ]
                waits += [(event.occurred_at - max(offers)).total_seconds()] if offers else []
        counts = [
            sum(isinstance(event, kind) for event in mine)
            for kind in (ReferralOffered, ReferralAccepted, ReferralExpired)
        ]
        rows[rep] = (counts[0], counts[1], dict(reasons), counts[2], statistics.median(waits) if waits else None)
    return rows


def clocks(world: PlainReports, query: ReportQuery) -> tuple[int, int, int, int]:
    """(started, kept, kept late, breached)."""
    told = [event for event in world.of(SlaEvent) if within(time_of(event, query), query)]
    kept = [event.was_breached for event in told if isinstance(event, SlaKept)]
    started, breached = (sum(isinstance(event, kind) for event in told) for kind in (SlaStarted, SlaBreached))
    return started, kept.count(False), kept.count(True), breached
