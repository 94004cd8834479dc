"""Grafana's dashboard, made of observability/dashboard.yaml: `python -m deployment.dashboard` writes it, and `--check`
fails when the file is not what the source says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "observability" / "dashboard.yaml"
TARGET: Final = ROOT / "observability" / "grafana" / "dashboards" / "rapport.json"
DATA_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_KINDS: Final = {"lines": "timeseries", "stat": "stat", "table": "table"}
_COLUMNS, _HEIGHT, _STAT_HEIGHT = 24, 8, 5
_SERVICE: Final = {
    "name": "service",
    "label": "Service",
    "type": "query",
    "datasource": DATA_SOURCE,
    "query": {"query": "label_values(rapport_build_info, service)", "refId": "service"},
    "refresh": 2,
    "multi": True,
    "includeAll": True,
    "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
    "sort": 1,
}


def main() -> int:
    return write(TARGET, only_check="--check" in sys.argv[1:])


def write(target: Path, *, only_check: bool = False) -> int:
    """Write the dashboard to `target`, or only look whether that is what the source says; answers the exit code."""
    made = dashboard_text()
    if not only_check:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(made)
        return 0
    if target.read_text() == made:
        return 0
    sys.stderr.write(f"{target.name} is not what its source says; run `python -m deployment.dashboard`\n")
    return 1


def dashboard_text() -> str:
    """The dashboard as Grafana reads it."""
    return json.dumps(dashboard(yaml.safe_load(SOURCE.read_text())), indent=2) + "\n"


def dashboard(source: Mapping[str, Any]) -> dict[str, Any]:
    """`source` (title, uid, rows of panels) as a dashboard of Grafana's schema 39."""
    return {
        "uid": source["uid"],
        "title": source["title"],
        "tags": ["rapport"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_SERVICE]},
        "annotations": {"list": []},
        "panels": list(_numbered(_placed(source["rows"]))),
    }


def queries(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(panel, query) of all panels."""
    return [
        (panel["title"], query)
        for row in source["rows"]
        for panel in row["panels"]
        for query in panel["queries"].values()
    ]


def _numbered(panels: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(panels, start=1):
        yield {"id": number, **panel}


def _placed(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows from the top down, their panels from left to right, in as many lines as they take."""
    y = 0
    for row in rows:
        yield {"type": "row", "title": row["title"], "collapsed": False, "panels": [], "gridPos": _place(0, y, 24, 1)}
        x, y, height = 0, y + 1, 0
        for panel in row["panels"]:
            width = panel["width"]
            if x + width > _COLUMNS:
                x, y, height = 0, y + height, 0
            tall = _STAT_HEIGHT if panel.get("kind") == "stat" else _HEIGHT
            yield _panel(panel) | {"gridPos": _place(x, y, width, tall)}
            x, height = x + width, max(height, tall)
        y += height


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    kind = panel.get("kind", "lines")
    is_table = kind == "table"
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": DATA_SOURCE,
            "expr": query,
            "legendFormat": legend,
            "instant": is_table,
            "range": not is_table,
            "format": "table" if is_table else "time_series",
        }
        for number, (legend, query) in enumerate(panel["queries"].items())
    ]
    return {
        "type": _KINDS[kind],
        "title": panel["title"],
        "description": panel["says"],
        "datasource": DATA_SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel["unit"], "min": 0, **_colours(panel)}, "overrides": []},
        "options": _OPTIONS[kind],
    }


def _colours(panel: Mapping[str, Any]) -> dict[str, Any]:
    if panel.get("kind") != "stat":
        return {}
    if "bad" in panel:  # from there on
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel["bad"]}]
    else:  # a yes is good
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    return {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}


_OPTIONS: Final[Mapping[str, dict[str, Any]]] = {
    "lines": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "textMode": "value_and_name",
    },
    "table": {"showHeader": True},
}

if __name__ == "__main__":
    sys.exit(main())
