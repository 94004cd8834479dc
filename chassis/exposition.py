"""A condition as Prometheus reads it: the gauges that are looked up when they are asked for.

What is not known has no sample, so that no rule takes a missing figure for a good one; `rapport_ready` tells that
something is amiss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chassis.condition import Condition
from chassis.figures import BusFigures, StoreFigures
from chassis.runtime import OwnFigure
from chassis.version import VERSION, revision

Sample = tuple[tuple[str, ...], float]

_OF_PROCESS: Final = {
    "rapport_build_info": ("Which version answers", ("version", "revision")),
    "rapport_ready": ("1 while its work moves (/readyz), else 0", ()),
    "rapport_store_ready": ("1 while its store answers, else 0", ()),
    "rapport_nats_connected": ("1 while there is a connection to NATS, else 0", ()),
    "rapport_nats_ready": ("1 while NATS answers and the streams written here take writes, else 0", ()),
    "rapport_work_stuck_seconds": ("For how long a part has had work and got nowhere", ("part",)),
}
_OF_STORE: Final = {
    "rapport_outbox_events": ("Events that are not published yet, counted up to 10000; at the gateway: forms", ()),
    "rapport_outbox_age_seconds": ("Age of the oldest event that is not published yet", ()),
    "rapport_outbox_refused_events": ("Events that the broker refused and that were set aside", ()),
    "rapport_dead_letters_waiting": ("Messages given up that wait for a replay, counted up to 10000", ()),
    "rapport_timers_failing": ("Timers whose handler keeps failing", ()),
    "rapport_timers_overdue": ("Timers that ought to have fired by now, counted up to 10000", ()),
    "rapport_timers_late_seconds": ("For how long the first timer that is due has not fired", ()),
    "rapport_store_size_bytes": ("Size of its store", ()),
}
_OF_DISK: Final = {
    "rapport_disk_free_bytes": ("Free room on the disk of its store, where that is a file", ()),
    "rapport_disk_size_bytes": ("Size of the disk of its store, where that is a file", ()),
}
_OF_BUS: Final = {
    "rapport_consumer_lag_messages": ("Messages of a stream that are not applied yet", ("stream", "consumer")),
    "rapport_stream_messages": ("Messages that a stream holds", ("stream",)),
    "rapport_stream_size_bytes": ("Size of a stream", ("stream",)),
    "rapport_stream_appended_total": ("Messages ever stored in a stream", ("stream",)),
    "rapport_jetstream_used_bytes": ("Room that all streams use, as the account counts it", ()),
    "rapport_jetstream_limit_bytes": ("Room that all streams may use, where a limit is set", ()),
}
CATALOGUE: Final = {**_OF_PROCESS, **_OF_STORE, **_OF_DISK, **_OF_BUS}
"""Metric -> what it tells, its labels beside `service`."""


class Exposition(Collector):
    """What `condition` says of `service`, with the service's `own` figures."""

    def __init__(self, service: str, condition: Condition, own: Sequence[OwnFigure] = ()) -> None:
        self._service = service
        self._condition = condition
        self._own = own

    def collect(self) -> Iterator[Metric]:
        samples = {
            **_of_process(self._condition),
            **_of_disk(self._condition),
            **_of_bus(self._condition.figures.bus),
            **_of_store(self._condition.figures.store),
        }
        for name, (text, labels) in CATALOGUE.items():
            yield self._family(name, text, labels, samples.get(name, ()))
        kept = self._condition.figures.store
        for figure in self._own:
            found = [] if kept is None else [((), float(kept.own[figure.name]))]
            yield self._family(figure.name, figure.text, (), found)

    def _family(self, name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        family = kind(name, text, labels=("service", *labels))
        for values, value in samples:
            family.add_metric([self._service, *values], value)
        return family


def _of_process(condition: Condition) -> Mapping[str, list[Sample]]:
    facts, stuck = condition.facts, {"relay": 0.0}
    for work in facts.works:
        stuck[work.part] = max(work.seconds, stuck.get(work.part, 0.0))
    return {
        "rapport_build_info": [((VERSION, revision()), 1.0)],
        "rapport_ready": [((), float(not condition.problems))],
        "rapport_store_ready": [((), float(facts.kept is not None))],
        "rapport_nats_connected": [((), float(facts.is_connected))],
        "rapport_nats_ready": [((), float(facts.nats_error is None))],
        "rapport_work_stuck_seconds": [((part,), seconds) for part, seconds in stuck.items()],
    }


def _of_store(kept: StoreFigures | None) -> Mapping[str, list[Sample]]:
    if kept is None:
        return {}
    values = (
        kept.outbox_events,
        kept.outbox_age_seconds,
        kept.refused_events,
        kept.dead_letters,
        kept.timers_failing,
        kept.timers_overdue,
        kept.timers_late_seconds,
        kept.size_bytes,
    )
    return {name: [((), float(value))] for name, value in zip(_OF_STORE, values, strict=True)}


def _of_disk(condition: Condition) -> Mapping[str, list[Sample]]:
    disk = condition.figures.disk
    return {} if disk is None else {name: [((), float(value))] for name, value in zip(_OF_DISK, disk, strict=True)}


def _of_bus(bus: BusFigures) -> Mapping[str, list[Sample]]:
    room = {"rapport_jetstream_used_bytes": bus.used_bytes, "rapport_jetstream_limit_bytes": bus.limit_bytes}
    streams = bus.streams.items()
    return {
        "rapport_consumer_lag_messages": [(lane, float(count)) for lane, count in bus.lag.items() if count is not None],
        "rapport_stream_messages": [((name,), float(stream.messages)) for name, stream in streams],
        "rapport_stream_size_bytes": [((name,), float(stream.size_bytes)) for name, stream in streams],
        "rapport_stream_appended_total": [((name,), float(stream.appended)) for name, stream in streams],
        **{name: [((), float(value))] for name, value in room.items() if value is not None},
    }
