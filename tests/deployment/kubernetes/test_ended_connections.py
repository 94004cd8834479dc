"""A connection is ended on whichever node of a cluster it is, by a user who may do no more than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.aio.client import Client

from chassis.bus.callout.claims import Grant
from chassis.bus.callout.connections import Connections
from chassis.bus.callout.responder import AuthCallout
from deployment.kubernetes.broker import routes
from deployment.kubernetes.files import FOLDER
from deployment.nats_accounts import REPS, REPS_LIVE, REVOKER
from services.routing.effects.keys import grant_of, live_user_of
from tests.support.eventually import eventually
from tests.support.manifests import made_up_secrets
from tests.support.nats_nodes import NatsNodes

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(120)]
LEFT, STAYS = "rep_left", "rep_stays"


async def decide(user: str, _password: str) -> Grant | None:
    return grant_of(user, "hash", REPS)


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Client]:
    client = Client()
    try:
        await client.connect(url, allow_reconnect=False, connect_timeout=10, error_cb=_silent)
        yield client
    finally:
        await client.close()


async def _silent(_error: Exception) -> None:
    """That somebody is hung up on is what is looked for."""


async def test_a_rep_is_hung_up_on_at_every_node() -> None:
    secrets = made_up_secrets()
    config = (FOLDER / "base" / "nats" / "nats.conf").read_text()
    password = secrets["NATS_CLUSTER_PASSWORD"]
    known = {name: value.replace("$(NATS_CLUSTER_PASSWORD)", password) for name, value in routes(3).items()}
    with NatsNodes(config, secrets | known) as nodes:
        first = nodes.names[0]
        callout = AuthCallout(
            nodes.url(first, "routing", secrets["ROUTING_NATS_PASSWORD"]), secrets["CALLOUT_SEED"], decide, account=REPS
        )
        revoker = Connections(nodes.url(first, REVOKER, secrets["REVOKER_NATS_PASSWORD"]), (REPS, REPS_LIVE))
        async with callout, revoker, AsyncExitStack() as stack:
            users = (LEFT, live_user_of(LEFT), STAYS)
            there = {
                (node, user): await stack.enter_async_context(visitor(nodes.url(node, user, "any")))
                for node in nodes.names
                for user in users
            }
            await eventually(lambda: revoker.is_ready)
            found = [one async for page in revoker.pages() for one in page]
            assert len(found) == len(there)
            assert len({one.server for one in found}) == len(nodes.names)
            for one in found:
                if one.name.startswith(LEFT):
                    await revoker.end(one)
            await eventually(lambda: all(client.is_closed for (_, user), client in there.items() if user != STAYS))
            assert not any(client.is_closed for (_, user), client in there.items() if user == STAYS)
