"""A picture of a report: what is in it, and that it can be shown."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from bench.plots import Bar, picture, pictures

Json = dict[str, Any]


def numbers(median: float) -> Json:
    return {"median": median, "low": 0.9 * median, "high": 1.1 * median}


def words(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_bars_are_as_long_as_their_figures_and_names_are_escaped() -> None:
    svg = picture(
        "A < B", "ms", [Bar("slow", "ours", 40.0, 35.0, 50.0, 45.0), Bar("fast", "theirs & others", 20.0, 20.0, 20.0)]
    )
    bars = [float(one.get("width", "")) for one in ElementTree.fromstring(svg) if one.get("x") == "210"]
    assert bars[0] == 2 * bars[1]
    assert {"A < B", "slow", "fast", "40", "20", "goal", "theirs & others"} <= set(words(svg))


def test_each_scene_that_was_played_is_drawn_and_no_other() -> None:
    web = {
        "figures": {
            "ours": {"cpu of gateway": numbers(0.1), "cpu of nats": numbers(0.2)},
            "bare": {"cpu of bare": numbers(0.1)},
        },
        "ratios": [],
    }
    door = {
        "figures": {},
        "ratios": [
            {"figure": "rate", "ours": "ours", "goal": 0.85, **numbers(0.9)},
            {"figure": "p50", "ours": "ours", **numbers(1)},
        ],
    }
    alerts = {
        "figures": {"ours": {"p50": numbers(40), "p99": numbers(90)}},
        "limits": [{"figure": "p50", "at_most": 45}, {"figure": "p99", "at_most": 100}],
    }
    drawn = pictures({"web": web, "door-1": door, "alerts-50": alerts})
    assert set(drawn) == {"cpu-by-process.svg", "latency.svg", "ceilings.svg"}
    # the dearest first, the bare endpoint not at all
    assert words(drawn["cpu-by-process.svg"])[3:] == ["nats", "0.2", "gateway", "0.1"]
    assert {"50/s, p50", "50/s, p99"} <= set(words(drawn["latency.svg"]))
    assert words(drawn["ceilings.svg"]).count("door, one a request") == 1
    assert set(pictures({"door-1": door})) == {"ceilings.svg"}
