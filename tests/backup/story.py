"""A back-up is taken while everything moves, brought back elsewhere, and compared with the truth."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chassis.clock import wall_clock
from deployment.backup_user import BACKUP
from deployment.catalogue import PROCESSES
from embedded.plan import Plan
from embedded.up import prepare
from tests.backup.rehearsal import Load, Stored, all_services_agree, command, content, frozen, said_twice
from tests.faults.states import history
from tests.support.eventually import eventually
from tests.support.installation import Installation
from tests.support.supervisor import Supervisor

NOBODY_GIVES_WAY = {"METRICS_NICENESS": "0"}
CAPTURES_A_SECOND = 160.0
BEHIND = "lifecycle"


@dataclass
class Story:
    """`make_stores` gives the addresses of new stores that are not the plan's own (none on SQLite); `tell` is told what
    happened, for the record.
    """

    folder: Path
    make_stores: Callable[[], Mapping[str, str]]
    said: list[str] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.folder / "back-up.tar"

    def tell(self, line: str) -> None:
        """Also to whoever looks at this run (`-s`)."""
        self.said.append(line)
        sys.stdout.write(f"{line}\n")

    async def play(self) -> None:
        stores = self.make_stores()
        plan = await asyncio.to_thread(prepare, self.folder / "var", 0, detached=True)
        async with Supervisor(plan, self.folder / "log", environment={**stores, **NOBODY_GIVES_WAY}) as platform:
            await platform.until_ready(within=90)
            before = Installation(platform, stores)
            await history.be_made(before)
            load = Load(before, "visitor")
            taken = await self._taken_under_load(before, load)
            streams = {name: await content(before.suite.nats_url, name, cut) for name, cut in taken["streams"].items()}
            acknowledged, newcomers = list(load.acknowledged), list(before.newcomers)
        decided = f"{len(load.merged)} merges, {len(load.verdicts)} verdicts"
        self.tell(f"sent by the end: {len(acknowledged)} captures, {decided}")
        await self._brought_back(streams, newcomers)

    async def _taken_under_load(self, before: Installation, load: Load) -> dict[str, Any]:
        async with load.running(CAPTURES_A_SECOND):
            await eventually(lambda: len(load.acknowledged) >= 400 and load.merged and load.verdicts, within=30)
            await self._a_back_up_is_killed(before, load)
            before.platform.hold(BEHIND)  # so that at the cut something waits on streams, whatever the machine
            await eventually(lambda: load.has_sent_more(200), within=15)
            known = set(load.acknowledged)
            began = time.monotonic()
            taken = await command(
                "backup", str(self.archive), *self._where(before.platform.plan), environment=self._environment(before)
            )
            self.tell(
                f"backed up in {time.monotonic() - began:.1f} s, {len(known)} captures before it: {json.dumps(taken)}"
            )
            before.platform.start(BEHIND)
            await eventually(lambda: load.has_sent_more(200), within=30)
        cut = taken["streams"]["CAPTURE"]
        captured = await content(before.suite.nats_url, "CAPTURE")
        up_to_cut = {_message_id(one) for sequence, one in captured.items() if sequence <= cut}
        assert known <= up_to_cut, "what was acknowledged before is in it"
        assert up_to_cut < {_message_id(one) for one in captured.values()}, "it went on meanwhile"
        return taken

    async def _a_back_up_is_killed(self, before: Installation, load: Load) -> None:
        """In the middle of its freeze: what was captured meanwhile waits on its stream, and everybody goes on."""
        killed = await frozen({process.name: before.store(process.name) for process in PROCESSES})
        captured, [(applied,)] = len(load.acknowledged), await before.rows("scoring", "SELECT count(*) FROM fact")
        await eventually(lambda: load.has_sent_more(40), within=15)
        killed.kill()
        await killed.wait()

        async def goes_on() -> bool:
            [(now,)] = await before.rows("scoring", "SELECT count(*) FROM fact")
            return bool(now > applied)

        await eventually(goes_on, within=15)
        self.tell(f"a back-up was killed in its freeze: {len(load.acknowledged) - captured} captures taken meanwhile")

    async def _brought_back(self, streams: Mapping[str, Mapping[int, Stored]], newcomers: list[str]) -> None:
        stores, began_at = self.make_stores(), wall_clock()
        plan, restored = await self._restored(stores)
        self.tell(f"restored: {json.dumps(restored)}")
        async with Supervisor(plan, self.folder / "log-2", environment={**stores, **NOBODY_GIVES_WAY}) as platform:
            await platform.until_ready(within=90)
            here = Installation(platform, stores, newcomers=newcomers)
            await here.settled()
            await self._streams_are_as_they_were(here, streams, began_at.isoformat())
            await self._all_is_applied_once(here, streams["CAPTURE"])
            await all_services_agree(here)
            await self._it_goes_on(here)

    async def _restored(self, stores: Mapping[str, str]) -> tuple[Plan, dict[str, Any]]:
        var = self.folder / "var-2"
        if not stores:
            restored = await command("restore", str(self.archive), "--var", str(var))
            return await asyncio.to_thread(prepare, var, 0, detached=True), restored
        plan = await asyncio.to_thread(prepare, var, 0, detached=True)
        async with Supervisor(plan, self.folder / "log-2", processes=["nats"]) as alone:
            await alone.until_ready("nats", within=30)
            environment = self._environment(Installation(alone, stores))
            return plan, await command("restore", str(self.archive), environment=environment)

    async def _streams_are_as_they_were(
        self, here: Installation, streams: Mapping[str, Mapping[int, Stored]], began_at: str
    ) -> None:
        """Up to the cut each message is what it was, where and when it was; behind it stands only what is new."""
        for name, before in streams.items():
            now = await content(here.suite.nats_url, name)
            last = max(before, default=0)
            assert {sequence: one for sequence, one in now.items() if sequence <= last} == before, name
            new = {sequence: one for sequence, one in now.items() if sequence > last}
            assert [one for one in new.values() if one.at < began_at] == [], name
            assert said_twice(now) == said_twice(before), name
            self.tell(f"stream {name}: {len(before)} messages as they were, {len(new)} said since")

    async def _all_is_applied_once(self, here: Installation, captured: Mapping[int, Stored]) -> None:
        """Each capture up to the cut is one fact; of each person whom a rep has to hear of one referral was offered."""
        truth = Counter(_user_id(one) for one in {one.event_id: one for one in captured.values()}.values())
        facts: dict[str, int] = dict(await here.rows("scoring", "SELECT user_id, count(*) FROM fact GROUP BY user_id"))
        assert facts == dict(truth)
        [(rows, ids)] = await here.rows("scoring", "SELECT count(*), count(DISTINCT interaction_id) FROM fact")
        assert rows == ids == truth.total()
        said = (await content(here.suite.nats_url, "ROUTING")).values()
        alerts = [json.loads(one.body) for one in said if "alert" in one.subject]
        offered = Counter((alert["referral_id"], alert["kind"]) for alert in alerts if alert["kind"] == "offered")
        assert offered
        assert set(offered.values()) == {1}
        referrals = await here.rows("routing", "SELECT referral_id FROM referral WHERE rep_id IS NOT NULL")
        assert {referral_id for (referral_id,) in referrals} <= {referral_id for referral_id, _ in offered}
        self.tell(f"applied: {rows} captures, each once; {len(offered)} referrals offered, each by one alert")

    async def _it_goes_on(self, here: Installation) -> None:
        here.newcomers = []
        load = Load(here, "later")
        async with load.running(CAPTURES_A_SECOND / 2):
            await eventually(lambda: len(load.acknowledged) >= 200, within=30)
        await here.settled()
        facts = "SELECT count(*), count(DISTINCT interaction_id) FROM fact WHERE user_id LIKE 'later-%'"
        assert await here.rows("scoring", facts) == [(len(load.acknowledged), len(load.acknowledged))]
        await all_services_agree(here)
        self.tell(f"went on: {len(load.acknowledged)} captures more, each once")

    def _where(self, plan: Plan) -> list[str]:
        return ["--var", str(plan.var)]

    def _environment(self, here: Installation) -> dict[str, str] | None:
        """On servers a back-up is told by the environment, as a job would be."""
        if not here.stores:
            return None
        return {**os.environ, **here.stores, "BACKUP_NATS_URL": here.platform.plan.nats_url(BACKUP)}


def _message_id(one: Stored) -> str:
    return str(json.loads(one.body)["interaction"]["message_id"])


def _user_id(one: Stored) -> str | None:
    named = {claim["kind"]: claim["value"] for claim in json.loads(one.body).get("identifiers", ())}
    return named.get("user_id")
