"""`rapport lanes`: in how many lanes an installation runs; and another number of them while it runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import aiohttp
import typer

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.clock import wall_clock
from chassis.lanes import LanePlan, LanePlanRefused, read_plan
from cli.bus import be_quiet
from cli.installation import VAR, Var, VarHere, installation
from cli.output import AsJson, fail, tell
from contracts.limits import LANES
from deployment.lane_change import ChangeNotInTime, LanedSuite, LaneStep, change, steps
from deployment.lane_lock import ChangeUnderWay, changing
from deployment.nats_config import PERMITTED_LANES
from embedded.lanes import NothingRuns, Suite, suite_in

Answer = TypeVar("Answer")
_CONNECT_SECONDS = 10.0

app = typer.Typer(help="In how many lanes it runs, and how far each is; another number of them while it runs.")

File = Annotated[
    Path | None,
    typer.Option(help="The file that all processes were given, instead of a suite's in --var; with RAPPORT_NATS_URL."),
]
Process = Annotated[list[str] | None, typer.Option(help="NAME=URL of each process, with --file; several times.")]
Number = Annotated[int, typer.Argument(min=1, max=LANES, help="How many lanes.")]


@dataclass(frozen=True)
class Where:
    """Which installation is meant, and how to answer."""

    var: Path
    file: Path | None
    processes: tuple[str, ...]
    as_json: bool

    def suite(self) -> Suite:
        """Ends the command where there is none."""
        if self.file is not None:
            return Suite(
                self.file, os.environ.get("RAPPORT_NATS_URL", ""), dict(one.split("=", 1) for one in self.processes)
            )
        try:
            return suite_in(installation(self.var).folder(as_json=self.as_json))
        except NothingRuns as error:
            fail(str(error), "Start one with `rapport up`, or name another folder with --var", as_json=self.as_json)

    def plan(self, suite: Suite) -> LanePlan:
        """Ends the command where the file cannot be read."""
        try:
            return read_plan(suite.file) or LanePlan()
        except LanePlanRefused as error:
            fail(str(error), "Write it anew; `rapport lanes steps` says what it holds", as_json=self.as_json)


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    var: Var = VAR,
    file: File = None,
    process: Process = None,
    as_json: AsJson = False,
) -> None:
    """Say in how many lanes it runs, and what each lane has before it."""
    where = context.obj = Where(var, file, tuple(process or ()), as_json)
    if context.invoked_subcommand is None:
        suite = where.suite()
        lags = _run(where, suite, _lags)
        tell({**asdict(where.plan(suite)), "lags": lags}, _words, as_json=as_json)


@app.command("set")
def set_lanes(
    context: typer.Context,
    lanes: Number,
    within: Annotated[float, typer.Option(help="Seconds that it may take; the next time goes on from there.")] = 600,
    var: VarHere = None,
    as_json: AsJson = False,
) -> None:
    """Change the number of lanes while everything runs; captures go on being taken and answered."""
    where: Where = replace(context.obj, var=var or context.obj.var, as_json=as_json or context.obj.as_json)
    suite = where.suite()
    where.plan(suite)
    if lanes > PERMITTED_LANES and where.file is None:
        fail(
            f"NATS permits {PERMITTED_LANES} lanes with this configuration",
            "Begin with more of them (--lanes of `rapport up`); then this goes up to that number",
            as_json=where.as_json,
        )

    async def go(laned: LanedSuite) -> list[LaneStep]:
        # asked again: whoever had the lock before may have left another plan
        way = steps(where.plan(suite), lanes)
        say = (lambda _: None) if where.as_json else typer.echo
        await change(laned, suite.file, way, within=within, tell=say)
        return way

    try:
        with changing(suite.file, lanes, wall_clock()):
            way = _run(where, suite, go)
    except ChangeUnderWay as other:
        fail(str(other), "Wait for it, or end that command; the same one goes on where it ended", as_json=where.as_json)
    except OSError as error:
        fail(
            f"{suite.file} cannot be changed: {error.strerror}", "Do it as the user whose it is", as_json=where.as_json
        )
    tell({"lanes": lanes, "steps": [str(step) for step in way]}, lambda _: f"{lanes} lanes", as_json=where.as_json)


@app.command("steps")
def show_steps(
    context: typer.Context,
    lanes: Number,
    now: Annotated[int, typer.Option("--from", min=1, max=LANES, help="How many there are now.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Say the steps from one number to another, for an installation whose file is changed by other means."""
    way = steps(LanePlan.of(now), lanes)
    answer = [{**asdict(step.plan), "settles": step.settles} for step in way]
    tell(answer, lambda _: "\n".join(map(str, way)) or "there is nothing to do", as_json=as_json or context.obj.as_json)


def _run(where: Where, suite: Suite, work: Callable[[LanedSuite], Awaitable[Answer]]) -> Answer:
    be_quiet()
    try:
        return asyncio.run(_with_installation(suite, work))
    except ChangeNotInTime as error:
        fail(str(error), "Look at what is named; the same command goes on where this one ended", as_json=where.as_json)
    except (BrokerUnavailable, ApiRefused, OSError, ValueError) as error:
        reason = str(error) or f"it does not let us in within {_CONNECT_SECONDS:.0f} s"
        fail(f"NATS does not answer: {reason}", "Is the suite running?", as_json=where.as_json)


async def _with_installation(suite: Suite, work: Callable[[LanedSuite], Awaitable[Answer]]) -> Answer:
    async with asyncio.timeout(_CONNECT_SECONDS):
        broker = await Broker.connect(suite.nats_url, "rapport lanes")
    try:
        async with aiohttp.ClientSession() as session:
            return await work(LanedSuite(broker, session, suite.urls))
    finally:
        await broker.close()


async def _lags(installation: LanedSuite) -> list[dict[str, Any]]:
    return [asdict(lag) for lag in await installation.lags()]


def _words(answer: dict[str, Any]) -> str:
    said, heard = answer["said"], answer["heard"]
    first = f"{said} lanes" if said == heard else f"{said} lanes, heard in {heard} (a change is under way)"
    rows = [
        f"{lag['stream']:<10} {lag['durable']:<14} {lag['waiting']:>9} wait {lag['under_way']:>5} under way"
        for lag in answer["lags"]
    ]
    return "\n".join([first, *rows])
