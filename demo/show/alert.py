"""One alert as the rep saw it, and the receipts of what led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demo.show.tables import heading, labelled

_FOLLOWING = (
    "score.engagement",
    "score.fit",
    "referral.answer",
    "stage.move",
    "buying.stage",
    "treatment.choice",
    "referral.assignment",
)
_REASONS = 8  # of an alert; all others stand in the receipts


def alert_page(alert: Mapping[str, Any], rep: str, way: str) -> str:
    """Who, why, until when, and what to do."""
    values = {name: attribute["value"] for name, attribute in alert["attributes"].items()}
    pairs = [("headline", alert["headline"])]
    pairs.append(("contact", _listed(values, "name", "first_name", "last_name", "title", "email", "phone")))
    pairs.append(("company", _listed(values, "company", "employees", "industry", "country")))
    if alert["scores"]:
        scores = alert["scores"]
        pairs.append(("scores", f"{scores['cell']}: fit {scores['fit']:.0f}, engagement {scores['engagement']:.0f}"))
    pairs += [("because", receipt["sentence"]) for receipt in alert["because"][:_REASONS]]
    if alert["due_at"]:
        pairs.append(("answer by", f"{moment(alert['due_at']):%d %b %H:%M} UTC"))
    pairs += [(f"to {action}", call) for action, call in alert["actions"].items()]
    return f"{heading(f'The first alert, as {rep} got it ({way})')}\n{labelled(pairs)}"


def receipts_page(receipts: Sequence[Mapping[str, Any]], stages: Sequence[str]) -> str:
    """Every decision about one person, oldest first: when, which service, what it said.

    `stages` are those of the process, in order.
    """
    ordered = sorted(receipts, key=lambda receipt: _place(receipt, stages))
    pairs = [(f"{moment(receipt['at']):%d %b %H:%M:%S}  {receipt['owner']:<9}", _told(receipt)) for receipt in ordered]
    return f"{heading('The receipts behind it, oldest first')}\n{labelled(pairs, repeats=True)}"


def _place(receipt: Mapping[str, Any], stages: Sequence[str]) -> tuple[datetime, int, int, str]:
    """One event sets off several decisions at one moment: they are put in the order in which one follows from
    another.
    """
    kind = receipt["kind"]
    order = _FOLLOWING.index(kind) if kind in _FOLLOWING else len(_FOLLOWING)
    stage = receipt["outcome"] if kind == "stage.move" else receipt["inputs"].get("stage.name")
    return moment(receipt["at"]), order, stages.index(stage) if stage in stages else -1, receipt["receipt_id"]


def moment(text: str) -> datetime:
    """A moment of the API, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _told(receipt: Mapping[str, Any]) -> str:
    contribution = receipt.get("contribution")
    if not contribution:
        return str(receipt["sentence"])
    return f"{contribution['points']:+.0f} {contribution['measure']}: {receipt['sentence']}"


def _listed(values: Mapping[str, Any], *names: str) -> str:
    known = {name: values[name] for name in names if values.get(name) not in (None, "")}
    if "name" in known:
        known = {name: value for name, value in known.items() if name not in ("first_name", "last_name")}
    elif "first_name" in known and "last_name" in known:
        known = {"name": f"{known.pop('first_name')} {known.pop('last_name')}", **known}
    return ", ".join(_shown(name, value) for name, value in known.items()) or "not known"


def _shown(name: str, value: Any) -> str:
    """A value as a rep reads it; of a figure of which the ends are known what was told."""
    told = value.get("text") or f"{value['low']} or more" if isinstance(value, Mapping) and "low" in value else value
    return f"{told} employees" if name == "employees" and "employees" not in str(told) else str(told)
