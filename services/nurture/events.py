"""What nurture hears: who is who and what they agreed to, and what scoring and lifecycle say of them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.subscriptions import on, on_any
from contracts.events.identity import ConsentChanged, PersonCreated, PersonMerged, PersonSplit
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.scoring import ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from people_kernel.people import Placement, placements_of
from services.nurture.domain.incoming_events import PersonStatement, follow, place, suggest, take_consent
from services.nurture.rulebooks import judge_of
from services.nurture.store import load, write
from services.nurture.store.load import CompiledCatalogue


async def on_people_created(events: Sequence[PersonCreated], context: Context[CompiledCatalogue]) -> None:
    workspace = await load.for_fragments(context.session, {event.fragment_id for event in events})
    for event in events:
        place(workspace, {event.fragment_id: Placement(event.person_id, event.graph_version)})
    await write.workspace(context.session, workspace)
    await write.new_people(context.session, events)


async def on_people_regrouped(
    events: Sequence[PersonMerged | PersonSplit], context: Context[CompiledCatalogue]
) -> None:
    told_in_order = [placements_of(event) for event in events]
    workspace = await load.for_fragments(
        context.session, {fragment_id for told in told_in_order for fragment_id in told}
    )
    for told in told_in_order:
        place(workspace, told)
    await write.workspace(context.session, workspace)


async def on_consents_changed(events: Sequence[ConsentChanged], context: Context[CompiledCatalogue]) -> None:
    workspace = await load.for_consents(context.session, {event.fragment_id for event in events})
    for event in events:
        place(workspace, {event.fragment_id: Placement(event.person_id, event.graph_version)})
        take_consent(workspace, event)
    await write.workspace(context.session, workspace)


async def on_scores_said(
    events: Sequence[ProfileChanged | ProfileChangedV1 | ScoreChanged | ScoreCorrected],
    context: Context[CompiledCatalogue],
) -> None:
    await _follow(events, context)


async def on_stages_said(events: Sequence[StageEntered | StageCorrected], context: Context[CompiledCatalogue]) -> None:
    await _follow(events, context)


async def _follow(events: Sequence[PersonStatement], context: Context[CompiledCatalogue]) -> None:
    judge = await judge_of(context)
    workspace = await load.for_statements(context.session, events)
    for event in events:
        follow(workspace, judge, event)
    await write.workspace(context.session, workspace)
    if workspace.suggestions:  # read after what was written: whose fragments are may have become other
        await load.for_suggestions(context.session, workspace)
        treatments = await context.service.newest(context.session)
        await write.selections(context.session, suggest(workspace, treatments))
    workspace.hand_over(context)


SUBSCRIPTIONS = [
    on(PersonCreated, on_people_created),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
    on(ConsentChanged, on_consents_changed),
    on_any((ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected), on_scores_said),
    on_any((StageEntered, StageCorrected), on_stages_said),
]
