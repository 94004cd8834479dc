"""What identity hears: captures, each of which somebody made, or a robot."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.subscriptions import on
from contracts.events.gateway import InteractionReceived
from semantics.capture import read_captures
from services.identity.domain.recognition import RecognitionRules, recognize
from services.identity.domain.workspace import told_apart
from services.identity.store import load, write


async def on_interactions_received(captures: Sequence[InteractionReceived], context: Context[RecognitionRules]) -> None:
    rules = context.service
    by_people, by_robots = told_apart(captures)
    claims = read_captures(by_people, rules.region)
    workspace = await load.for_claims(context.session, claims)
    workspace.withhold(by_robots)
    recognize(workspace, claims, rules)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


SUBSCRIPTIONS = [on(InteractionReceived, on_interactions_received)]
