"""The running suite: gateway, services, NATS, dead letters, versions, the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from chassis.bus.broker import Broker
from chassis.bus.dead import letters
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.clock import wall_clock
from chassis.version import VERSION
from cli.bus import BusUnreachable, bus
from cli.checks import streams
from cli.checks.diagnosis import Diagnosis, bad, fine, unknown, warning
from cli.gateway import Gateway, GatewayAnswer, GatewayRefused, remedy_for
from cli.installation import InstallationAccess
from cli.table import sentence

_CLOCK_SECONDS = 3.0  # the gateway's is told to the second


def look(place: InstallationAccess, *, as_json: bool) -> Iterator[Diagnosis]:
    """All of it."""
    if "RAPPORT_URL" in place.known and "RAPPORT_API_KEY" in place.known:
        yield from _gateway(Gateway(place, as_json=as_json))
    else:
        yield unknown(
            "gateway", place.apart or "neither the environment nor rapport.env says where it is and with which key"
        )
    if url := place.known.get("RAPPORT_OPERATOR_NATS_URL"):
        yield from asyncio.run(_nats(url))
    else:
        yield unknown("NATS", place.apart or "neither the environment nor rapport.env says how an operator reaches it")


def _gateway(gateway: Gateway) -> Iterator[Diagnosis]:
    try:
        answer = gateway.ask("/v1/status")
    except GatewayRefused as refusal:
        if refusal.status == 404:
            yield warning("gateway", "it runs a version without /v1/status", "Upgrade it.")
        else:
            yield bad("gateway", str(refusal), remedy_for(refusal) or "See the log of the gateway.")
        return
    yield fine("gateway", "it answers, and knows the key")
    yield _clock(answer)
    yield _versions(answer.body)
    for service in answer.body.get("services") or []:
        yield _service(service)
    yield _unassigned(answer.body)


def _clock(answer: GatewayAnswer) -> Diagnosis:
    if answer.date is None:
        return unknown("clock", "the gateway does not tell its time")
    apart = (answer.date - wall_clock()).total_seconds()
    if abs(apart) > _CLOCK_SECONDS:
        return bad("clock", f"the gateway's is {apart:+.0f} s from the one here", "Keep both by NTP.")
    return fine("clock", "the gateway's agrees with the one here")


def _versions(status: Mapping[str, Any]) -> Diagnosis:
    found = {str(one["name"]): one["version"] for one in status.get("services") or [] if one.get("version")}
    if status.get("version"):
        found["gateway"] = status["version"]
    others = {name: version for name, version in found.items() if version != VERSION}
    if others:
        says = ", ".join(f"{name} {version}" for name, version in others.items())
        return warning("versions", f"this command is {VERSION}, and there run {says}", "Finish the upgrade.")
    return fine("versions", f"all are {VERSION}") if found else unknown("versions", "nobody tells")


def _service(service: Mapping[str, Any]) -> Diagnosis:
    check = f"service {service.get('name')}"
    problems = [sentence(one) for one in service.get("problems") or []]
    match service.get("status"):
        case "ready":
            notes = [sentence(one) for one in service.get("notes") or []]
            return warning(check, "; ".join(notes), "See `rapport status`.") if notes else fine(check, "it is ready")
        case "unreachable":
            return bad(check, "; ".join(problems) or "it does not answer", f"See var/log/{service.get('name')}.log.")
        case state:
            return bad(
                check,
                "; ".join(problems) or f"it is {state}",
                _remedies(service) or "It goes on by itself once that is mended.",
            )


def _remedies(service: Mapping[str, Any]) -> str:
    """What the service itself says is to be done, once each."""
    told = [str(one["remedy"]).rstrip(". ") for one in service.get("problems") or [] if one.get("remedy")]
    return ". ".join(dict.fromkeys(told)) + "." if told else ""


def _unassigned(status: Mapping[str, Any]) -> Diagnosis:
    number = status.get("unassigned_leads")
    if not isinstance(number, int):
        return unknown("leads", "nobody tells how many are without a rep")
    if number:
        return warning("leads", f"{number} wait for a rep", "Make reps active, or mend the rules of routing.")
    return fine("leads", "none is without a rep")


async def _nats(url: str) -> list[Diagnosis]:
    try:
        async with bus(url) as broker:
            return [await streams.look(broker), await _dead_letters(broker)]
    except (BusUnreachable, BrokerUnavailable) as error:
        return [bad("NATS", str(error), "Is it up? See var/log/nats.log.")]
    except ApiRefused as error:
        return [bad("NATS", f"it answers, and refuses: {error}", "Is it the NATS of this suite?")]


async def _dead_letters(broker: Broker) -> Diagnosis:
    try:
        dead = await letters(broker)
    except ApiRefused as error:
        return bad("NATS", f"it answers, and the stream DEAD does not: {error}", "Start the suite.")
    if dead:
        services = ", ".join(sorted({letter.service for letter in dead}))
        says = f"it answers; {len(dead)} dead letters, of {services}"
        return bad("NATS", says, "`rapport dead list` says why; mend that, then `rapport dead replay --all`.")
    return fine("NATS", "it answers, and there is no dead letter")
