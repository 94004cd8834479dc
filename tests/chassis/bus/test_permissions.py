"""A service needs no more of NATS than `chassis.bus` says, and more is not given."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer, ConsumerSpec
from chassis.bus.errors import BrokerUnavailable, Unparseable
from chassis.message import OutMessage, Received
from tests.chassis.bus.builders import Applied, Unremembered, captures, number_of, stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

USERS = """
authorization { users: [
  { user: admin, password: a }
  { user: scoring, password: s, permissions: {
      publish: ["scoring.>", "dead.>", "$JS.API.INFO", "$JS.API.STREAM.CREATE.SCORING", "$JS.API.STREAM.UPDATE.SCORING",
                "$JS.API.STREAM.INFO.CAPTURE", "$JS.API.STREAM.MSG.GET.CAPTURE", "$JS.API.CONSUMER.NAMES.CAPTURE",
                "$JS.API.CONSUMER.INFO.CAPTURE.scoring", "$JS.API.CONSUMER.DELETE.CAPTURE.scoring",
                "$JS.API.CONSUMER.CREATE.CAPTURE.scoring", "$JS.API.CONSUMER.RESET.CAPTURE.scoring",
                "$JS.API.CONSUMER.UNPIN.CAPTURE.scoring",
                "$JS.API.CONSUMER.MSG.NEXT.CAPTURE.scoring", "$JS.ACK.CAPTURE.scoring.>"]
      subscribe: ["_INBOX_scoring.>"] } }
] }
"""


def address(server: NatsServer, user: str) -> str:
    return server.url.replace("//", f"//{user}:{user[0]}@")


async def test_a_service_does_all_its_work_with_the_subjects_it_is_given_and_cannot_publish_for_another() -> None:
    async def parse(batch: Sequence[Received]) -> None:
        if bad := [message.sequence for message in batch if number_of(message) == 1]:
            raise Unparseable(dict.fromkeys(bad, "no"))

    with NatsServer(USERS) as server:
        admin = await Broker.connect(address(server, "admin"), "admin")
        await admin.ensure_streams(["CAPTURE", "DEAD"])
        scoring = await Broker.connect(
            address(server, "scoring"), "scoring", inbox_prefix="_INBOX_scoring", answer_seconds=1.0
        )
        applied = Applied(parse)
        spec = ConsumerSpec("scoring", "CAPTURE", ("capture.>",))
        consumer = Consumer(scoring, spec, Unremembered(applied, spec))
        await consumer.start()
        await scoring.ensure_streams(["SCORING"])
        await scoring.publish_batch([OutMessage("scoring.score.changed.v1.0", {}, b"1")])
        await admin.publish_batch(captures(3))

        await eventually(lambda: applied.numbers == [0, 2])
        assert len(await stored(admin, "DEAD")) == 1
        await eventually(lambda: scoring.is_ready)
        with pytest.raises(BrokerUnavailable):
            await scoring.publish_batch(captures(1))
        await consumer.stop()
        await scoring.close()
        await admin.close()
