"""Ingest into a ClickHouse over HTTP that fails in every way we know: nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.common.settings import Settings
from services.common.store import Store
from services.common.store.migrate import migrate
from tests.ingest.harness import Record, produce, record, running, settings_for, traffic, until_handled
from tests.support.audits import assert_clean
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until

EVENTS = "INSERT INTO `?traffic_events"
FAULTS: list[dict[str, Any]] = [
    {"kind": "answer_lost"},
    {"kind": "cut_before"},
    {"kind": "cut_request"},
    {"kind": "cut_answer"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "error", "code": 241, "message": "Memory limit (total) exceeded"},
    {"kind": "error", "code": 252, "message": "Too many parts"},
    {"kind": "late_error", "code": 241},
    {"kind": "stall", "seconds": 2},
]
FEW = [fault for fault in FAULTS if fault["kind"] in ("answer_lost", "cut_request", "late_error", "stall")]
PATIENCE_SECONDS = 1.0


@pytest.fixture
def failing(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint, healed at the end."""
    yield endpoint
    endpoint.heal()


@pytest.fixture
def store(endpoint: Endpoint) -> Iterator[Store]:
    """A store that soon gives a call up."""
    store = endpoint.store(timeout_seconds=PATIENCE_SECONDS)
    yield store
    store.close()


def views(campaign: str, count: int) -> list[Record]:
    return [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(count)]


def observed(outcome: str) -> float:
    labels = {"table": "traffic_events", "outcome": outcome}
    return REGISTRY.get_sample_value("warroom_ingest_insert_duration_seconds_count", labels) or 0.0


def counts(store: Store, campaign: str) -> dict[str, int]:
    """Events, distinct events, and what the rollup says of them."""
    parameters = {"c": campaign}
    (row,) = store.query(
        "SELECT count() AS events, uniqExact(event_id) AS ids FROM traffic_events WHERE campaign_id = {c:String}",
        parameters,
    )
    (rollup,) = store.query(
        "SELECT sum(events) AS n FROM traffic_by_minute WHERE campaign_id = {c:String} AND dimension = ''", parameters
    )
    return {**row, "rollup": rollup["n"]}


def assert_exact(store: Store, settings: Settings, campaign: str, count: int) -> None:
    """So many events are in the table, each once, and in the rollup; and the audit agrees."""
    assert counts(store, campaign) == {"events": count, "ids": count, "rollup": count}
    report = assert_clean(store, settings.topic_prefix, campaign=campaign)
    assert sum(lane.rows for lane in report.lanes) == count


@pytest.mark.parametrize(
    "faults", [pytest.param(FEW, id="few"), pytest.param(FAULTS, id="all", marks=pytest.mark.system)]
)
async def test_one_fault_after_another(
    broker: KafkaServer, failing: Endpoint, store: Store, http_store: Store, faults: list[dict[str, Any]]
) -> None:
    """A repetition by the driver, a new token for a repeated block, or a verdict on a lost answer would show here."""
    campaign = fresh_campaign("faults")
    settings = settings_for(broker)
    sent: list[Record] = []
    async with running(settings, store) as service:
        for fault in faults:
            before = observed("failed")
            failing.fail(on=EVENTS, **fault)
            records = views(campaign, 200)
            sent += records
            await produce(settings, records)
            await until(lambda: observed("failed") >= before + 2)  # noqa: B023 - awaited at once
            await until(lambda: "cannot be written" in (service.not_ready() or ""))
            failing.heal()
            await until(lambda: service.not_ready() is None)
        await until_handled(http_store, settings, sent)
    assert_exact(http_store, settings, campaign, 200 * len(faults))


async def test_the_store_dies_under_load(broker: KafkaServer, tmp_path: Path) -> None:
    """kill -9 of the store between and in the middle of inserts, while records keep coming."""
    campaign = fresh_campaign("killed")
    settings = settings_for(broker)
    sent: list[Record] = []
    with running_endpoint(tmp_path) as endpoint:
        store = endpoint.store(timeout_seconds=5)
        migrate(store)
        async with running(settings, store) as service:
            for _ in range(2):
                before, after = views(campaign, 500), views(campaign, 500)
                sent += before + after
                written = observed("done")
                await produce(settings, before)
                await until(lambda: observed("done") > written)  # noqa: B023 - awaited at once
                endpoint.kill()
                await produce(settings, after)
                await until(lambda: service.not_ready() is not None)
                endpoint.start()
            await until_handled(store, settings, sent)
        assert_exact(store, settings, campaign, 2_000)
        store.close()


async def test_repeats_with_the_longest_ids_are_settled(
    broker: KafkaServer, http_store: Store, failing: Endpoint
) -> None:
    """What is asked about them must fit into what ClickHouse takes over HTTP, or the partition would stand still."""
    campaign = fresh_campaign("repeats")
    settings = settings_for(broker, topic_partitions=1)
    events = [traffic(campaign, event_id=f"{number:04}" + "\U0001f389" * 60) for number in range(1_200)]
    records = [record("traffic", event) for event in events]
    async with running(settings, http_store) as service:
        await produce(settings, records)
        await until_handled(http_store, settings, records)
        await produce(settings, records)
        await until_handled(http_store, settings, records * 2)
        assert service.not_ready() is None
    assert_exact(http_store, settings, campaign, 1_200)


async def test_memory_is_bounded_while_the_store_is_away(
    broker: KafkaServer, failing: Endpoint, store: Store, http_store: Store
) -> None:
    """Partitions are paused: what waits in Kafka must not wait in memory. Then consumption goes on."""
    campaign = fresh_campaign("backlog")
    limit = 1 << 20
    settings = settings_for(broker, max_buffered_bytes=limit, batch_max_bytes=256 << 10, batch_max_rows=2_000)
    events = [traffic(campaign, user_id=f"u{number}", page_location="x" * 1_500) for number in range(5_000)]
    records = [record("traffic", event) for event in events]
    size = sum(len(value or b"") for _, _, value in records)
    assert size > 8 * limit
    async with running(settings, store) as service:
        failing.refuse()
        await produce(settings, records)
        await until(lambda: "cannot be written" in (service.not_ready() or ""))

        def buffered() -> float:
            return REGISTRY.get_sample_value("warroom_ingest_buffered_bytes") or 0.0

        await until(lambda: buffered() > limit // 4)
        most, deadline = 0.0, time.monotonic() + 1
        while time.monotonic() < deadline:
            most = max(most, buffered())
            await asyncio.sleep(0.02)
        assert most < size / 2
        failing.heal()
        await until_handled(http_store, settings, records)
    assert_exact(http_store, settings, campaign, 5_000)


async def test_a_full_disk_is_waited_out(broker: KafkaServer, tmp_path: Path) -> None:
    """A real one: the engine's data lie on a small file system of their own, which is filled to its last byte."""
    campaign = fresh_campaign("disk")
    settings = settings_for(broker)
    try:
        context = running_endpoint(tmp_path, megabytes=64)
        endpoint = context.__enter__()
    except RuntimeError as error:
        pytest.skip(f"no file system of its own without privileges here: {error}")
    try:
        store = endpoint.store(timeout_seconds=5)
        migrate(store)
        async with running(settings, store) as service:
            first, second = views(campaign, 300), views(campaign, 300)
            await produce(settings, first)
            await until_handled(store, settings, first)
            endpoint.fill_disk()
            await produce(settings, second)
            await until(lambda: "NOT_ENOUGH_SPACE" in (service.not_ready() or ""))
            assert_exact(store, settings, campaign, 300)
            endpoint.free_disk()
            await until_handled(store, settings, first + second)
            await until(lambda: service.not_ready() is None)
        assert_exact(store, settings, campaign, 600)
        store.close()
    finally:
        context.__exit__(None, None, None)
