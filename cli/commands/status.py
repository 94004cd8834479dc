"""`rapport status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from cli.gateway import Gateway, GatewayRefused, remedy_for
from cli.installation import VAR, Var, installation
from cli.output import AsJson, Exit, fail, tell
from cli.table import sentence, table

_READY = "ready"
_LARGE = 1e9
_DISK = {"free_bytes": "free", "size_bytes": "of", "stores_bytes": "stores", "streams_bytes": "streams"}
_HEAD = ("service", "status", "version", "since", "lag", "outbox", "dead", "late", "instances")


def show(var: Var = VAR, as_json: AsJson = False) -> None:
    """Show how every service is. Ends with 1 when one is not ready."""
    gateway = Gateway(installation(var), as_json=as_json)
    try:
        answer = gateway.ask("/v1/status").body
    except GatewayRefused as refusal:
        remedy = "That version has no /v1/status yet: `rapport doctor`." if refusal.status == 404 else ""
        fail(str(refusal), remedy or remedy_for(refusal), as_json=as_json)
    tell(answer, in_words, as_json=as_json)
    is_ready = all(one.get("status") == _READY for one in answer.get("services") or [])
    raise typer.Exit(Exit.FINE if is_ready else Exit.FAILED)


def in_words(answer: Mapping[str, Any]) -> str:
    """The answer of `GET /v1/status` for a terminal; what it leaves out is shown as -."""
    services = answer.get("services") or []
    lines = [
        f"Rapport {answer.get('version', '')} since {_moment(answer.get('since')) or '-'}",
        "",
        table(_HEAD, [_row(one) for one in services]),
    ]
    told = [line for one in services for line in _told(one)]
    return "\n".join([*lines, "", *told, *_whole(answer)])


def _row(service: Mapping[str, Any]) -> list[object]:
    lag = service.get("lag") or {}
    behind = ", ".join(f"{stream} {_amount_of(number)}" for stream, number in lag.items() if number != 0)
    return [
        service.get("name"),
        service.get("status"),
        service.get("version"),
        _moment(service.get("since")),
        behind or ("0" if lag else None),
        _seconds(service.get("outbox_age_seconds")),
        service.get("dead_letters"),
        _seconds(service.get("timers_late_seconds")),
        _count(service.get("instances")),
    ]


def _told(service: Mapping[str, Any]) -> Iterator[str]:
    for kind, sign in (("problems", "!"), ("notes", "-")):
        for one in service.get(kind) or []:
            yield f"  {sign} {service.get('name')}: {sentence(one)}"


def _whole(answer: Mapping[str, Any]) -> Iterator[str]:
    for field, words in (("unassigned_leads", "leads without a rep"), ("dead_letters", "dead letters")):
        if answer.get(field) is not None:
            yield f"  {words}: {answer[field]}"
    disk = answer.get("disk")
    if isinstance(disk, Mapping):
        yield "  disk: " + ", ".join(f"{_DISK.get(name, name)} {_amount(value)}" for name, value in disk.items())


def _amount_of(number: object) -> object:
    return "?" if number is None else number


def _amount(size: object) -> str:
    """Bytes as people say them; `-` where nobody knows."""
    if not isinstance(size, int):
        return "-"
    return f"{size / 1e9:.1f} GB" if size >= _LARGE else f"{size / 1e6:.1f} MB"


def _moment(text: object) -> str | None:
    """To the second: what a person compares."""
    return f"{text[:19].replace('T', ' ')} UTC" if isinstance(text, str) else None


def _seconds(value: object) -> object:
    return f"{value:.1f} s" if isinstance(value, int | float) else value


def _count(value: object) -> object:
    return len(value) if isinstance(value, list) else value
