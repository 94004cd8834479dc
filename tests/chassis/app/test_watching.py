"""Health and metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis.bus.broker import Broker
from chassis.clock import wall_clock
from chassis.metrics import Metrics
from chassis.store import timers
from chassis.version import VERSION
from chassis.web.auth import Principal
from tests.chassis.app.bus_words import a_signal, echoes, stored
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.postgres import PostgresServer
from tests.support.service import PUBLIC_KEY, RunningService, running, token


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One kind of store is enough here."""
    return f"sqlite:///{tmp_path / 'store.db'}"


async def measured(service: RunningService, name: str, **labels: str) -> float | None:
    """One sample of /metrics."""
    text = (await service.client.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), None)


async def test_probes_and_metrics_need_no_token(service: RunningService) -> None:
    service.client.headers.pop("authorization")

    async def all_well() -> bool:
        return (await service.client.get("/readyz")).status_code == 200

    await eventually(all_well)
    assert (await service.client.get("/healthz")).status_code == 200
    assert (await service.client.get("/metrics")).status_code == 200


async def test_requests_are_measured_by_route_not_by_path(service: RunningService) -> None:
    await service.client.get("/v1/echoes/jane@example.com")
    assert (
        await measured(service, "rapport_http_requests_total", route="/v1/echoes/{text}", method="GET", status="404")
        == 1
    )
    await service.client.get("/v1/no/such/path")
    await service.client.request("BREW", "/v1/no/such/path")
    assert await measured(service, "rapport_http_requests_total", route="unmatched", method="OTHER") == 1
    assert "jane" not in (await service.client.get("/metrics")).text


async def test_batches_handlers_duplicates_and_deaths_are_counted(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch([a_signal("one"), a_signal("one"), a_signal("poison")])
    await eventually(lambda: _settled(service, outside), within=15.0)
    assert await measured(service, "rapport_handler_events_total", handler="on_signals_given") == 1
    assert await measured(service, "rapport_duplicates_total", stream="SIGNAL") >= 1  # type: ignore[operator]
    failures = await measured(service, "rapport_handler_failures_total", handler="on_signals_given", error="ValueError")
    assert failures is not None
    assert failures >= 1
    assert await measured(service, "rapport_dead_letters_total", stream="SIGNAL") == 1
    assert await measured(service, "rapport_consumer_lag_messages", stream="SIGNAL", consumer="echo") == 0
    assert await measured(service, "rapport_outbox_age_seconds") == 0


async def _settled(service: RunningService, outside: Broker) -> bool:
    """What can be applied is, what cannot has been set aside, and both are acknowledged."""
    return (
        await echoes(service.runtime.database) == ["one"]
        and len(await stored(outside, "DEAD")) == 1
        and await measured(service, "rapport_dead_letters_waiting") == 1
        and await measured(service, "rapport_consumer_lag_messages") == 0
    )


async def test_without_nats_the_service_is_alive_and_not_ready(
    service: RunningService, nats_server: NatsServer
) -> None:
    nats_server.kill()

    async def names_nats() -> bool:
        answer = await service.client.get("/readyz")
        return answer.status_code == 503 and "nats" in answer.json()["detail"]

    await eventually(names_nats, within=10.0)
    assert (await service.client.get("/healthz")).status_code == 200
    assert (await service.client.post("/v1/echoes", json={"text": "kept for later"})).status_code == 201

    async def ages() -> bool:
        return (await measured(service, "rapport_outbox_age_seconds") or 0) > 0

    await eventually(ages)
    nats_server.start()

    async def all_well() -> bool:
        return (await service.client.get("/readyz")).status_code == 200 and await measured(
            service, "rapport_outbox_age_seconds"
        ) == 0

    await eventually(all_well, within=15.0)


async def test_without_its_store_the_service_says_so_and_comes_back(
    nats_server: NatsServer, postgres_server: PostgresServer
) -> None:
    settings = EchoSettings(database_url=postgres_server.url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    async with running(create_service(settings)) as service:
        await eventually(lambda: _ready(service))
        postgres_server.kill()
        answer = await service.client.get("/readyz")
        assert (answer.status_code, "store" in answer.json()["detail"]) == (503, True)
        refused = await service.client.post("/v1/echoes", json={"text": "nowhere to go"})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        postgres_server.start()
        await eventually(lambda: _ready(service), within=10.0)
        assert (await service.client.post("/v1/echoes", json={"text": "here again"})).status_code == 201


async def _ready(service: RunningService) -> bool:
    return (await service.client.get("/readyz")).status_code == 200


async def test_the_status_tells_the_same_in_figures(service: RunningService, outside: Broker) -> None:
    await eventually(lambda: _ready(service))
    await outside.publish_batch([a_signal("one"), a_signal("poison")])
    await eventually(lambda: _settled(service, outside), within=15.0)
    answer = await service.client.get("/v1/status")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["status"], told["version"]) == ("echo", "ready", VERSION)
    assert told["lag"] == {"SIGNAL": 0}
    assert (told["dead_letters"], told["outbox_age_seconds"], told["timers_late_seconds"]) == (1, 0.0, 0.0)
    assert told["store_bytes"] > 0
    assert await measured(service, "rapport_dead_letters_waiting") == 1
    service.client.headers["authorization"] = f"Bearer {token(Principal('ana', frozenset({'sales'})))}"
    assert (await service.client.get("/v1/status")).status_code == 403
    service.client.headers.pop("authorization")
    assert (await service.client.get("/v1/status")).status_code == 401


async def test_what_waits_on_the_stream_is_told_though_nothing_is_delivered(
    service: RunningService, outside: Broker
) -> None:
    await eventually(lambda: _ready(service))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    await outside.request("CONSUMER.PAUSE.SIGNAL.echo", {"pause_until": tomorrow})
    await outside.publish_batch([a_signal("one"), a_signal("two")])

    async def both_wait() -> bool:
        return await measured(service, "rapport_consumer_lag_messages", stream="SIGNAL", consumer="echo") == 2

    await eventually(both_wait)
    assert await measured(service, "rapport_stream_appended_total", stream="ECHO") == 0


async def test_overdue_timers_are_counted_and_told_how_late_they_are(service: RunningService, outside: Broker) -> None:
    async with service.runtime.database.begin() as session:
        await timers.set_timers(
            session, [timers.Timer("recall", f"late {n}", wall_clock() - timedelta(seconds=90 - n)) for n in range(3)]
        )
        found = await timers.overdue(session, wall_clock(), ("recall",), 2)
        assert (found.many, found.late_seconds >= 90) == (2, True)
        assert await timers.overdue(session, wall_clock(), ("other",), 2) == timers.Overdue(0, 0.0)
        assert await timers.overdue(session, wall_clock(), (), 2) == timers.Overdue(0, 0.0)


def test_as_many_series_as_the_code_has_parts_whatever_is_sent() -> None:
    metrics = Metrics("echo")
    for number in range(2000):
        method = ("GET", "PUT", "OTHER")[number % 3]
        metrics.request_answered(method, "/v1/echoes/{text}" if number % 2 else "unmatched", 404 + number % 2, 0.1)
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("rapport_http")]
    assert len({line.split(" ")[0] for line in lines}) < 100
    assert not [line for line in lines if "_created" in line]
    assert not [line for line in lines if 'route="/v1/echoes/{text}",service="echo",status="405"' in line]
