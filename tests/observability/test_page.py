"""docs/observability.md names every metric there is, with its labels and its meaning, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from chassis.exposition import CATALOGUE
from chassis.metrics import Metrics
from gateway.webhooks.figures import LOOKED_UP, WebhookFigures
from services.routing.main import UNASSIGNED
from tests.support.process import ROOT

PAGE = ROOT / "docs" / "observability.md"
UNITS = {"_seconds": "seconds", "_bytes": "bytes", "_info": "1"}


def rows() -> Iterator[str]:
    """A line of the page's table for each metric: name, labels, kind and unit, meaning."""
    tellers = (Metrics("any"), WebhookFigures("any", CollectorRegistry()))
    counted = [one for teller in tellers for one in vars(teller).values() if isinstance(one, MetricWrapperBase)]
    for metric in counted:
        kind = str(metric._type)
        name = f"{metric._name}_total" if kind == "counter" else metric._name
        yield row(name, metric._labelnames[1:], kind, metric._documentation)
    looked_up = {figure.name: (figure.text, ()) for figure in (UNASSIGNED, *LOOKED_UP)}
    for name, (text, labels) in {**CATALOGUE, **looked_up}.items():
        yield row(name, labels, "counter" if name.endswith("_total") else "gauge", text)


def row(name: str, labels: tuple[str, ...], kind: str, text: str) -> str:
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    told = f"{kind}, {unit}" if unit else kind
    return f"| `{name}` | {', '.join(labels)} | {told} | {text} |"


@pytest.mark.parametrize("line", list(rows()), ids=lambda line: line.split("`")[1])
def test_the_page_tells_of_every_metric(line: str) -> None:
    assert line in PAGE.read_text().splitlines()


def test_the_page_tells_of_no_other_metric() -> None:
    told = [line for line in PAGE.read_text().splitlines() if line.startswith("| `rapport_")]
    assert sorted(told) == sorted(rows())
