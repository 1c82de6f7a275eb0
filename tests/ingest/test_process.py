"""`warroom ingest` as a process of its own: what it says of itself, and how it ends."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client.parser import text_string_to_metric_families

from services.common.kafka import ensure_topics
from services.common.settings import Settings
from services.common.store import Store
from services.ingest.protocol import Checkpoint
from tests.ingest.harness import order, produce, record, settings_for, traffic
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.deployment import Deployment, deployment, environment
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until

# What may tell the series of one metric apart: nothing that grows with customers, campaigns or records.
LABELS = {
    "kind", "reason", "table", "outcome", "topic", "partition", "le", "route", "method", "status", "service", "caller",
    "rule", "state", "check", "quantile", "generation", "version", "implementation", "major", "minor", "patchlevel",
    "answer",
}  # fmt: skip


def samples(running: Deployment) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What /metrics says, by name and labels."""
    found = {}
    for family in text_string_to_metric_families(running.get("ingest", "/metrics").text):
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, sample
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def total(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    """The sum over the series that have these labels; the metric must be there."""
    assert name in {each for each, _ in found}, name
    return sum(value for (each, own), value in found.items() if each == name and own >= labels.items())


async def committed(settings: Settings) -> dict[tuple[str, int], tuple[int, Checkpoint | None]]:
    """The group's offsets with what their metadata says."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        held = await admin.list_consumer_group_offsets(settings.consumer_group)
    finally:
        await admin.close()
    return {
        (partition.topic, partition.partition): (each.offset, Checkpoint.decode(each.offset, each.metadata))
        for partition, each in held.items()
    }


async def test_metrics_and_an_orderly_end(broker: KafkaServer, endpoint: Endpoint, tmp_path: Path) -> None:
    campaign = fresh_campaign("process")
    settings = settings_for(broker, consumer_group="process-" + campaign + str(broker.bootstrap_servers)[-5:])
    await ensure_topics(settings)
    good = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(400)]
    wrong = [record("orders", order(campaign, currency="XXX")) for _ in range(20)]
    store = endpoint.store()
    try:
        with deployment(tmp_path, environment(settings, endpoint.url)) as running:
            running.start(["ingest"])
            await produce(settings, [*good, *good[:50], *wrong, ("orders", b"k", b"{")])

            def dealt_with() -> float:
                found = samples(running)
                names = ("rows", "duplicates", "refusals")
                return sum(total(found, f"warroom_ingest_{name}_total") for name in names)

            await until(lambda: dealt_with() == 471)
            await until(lambda: total(samples(running), "warroom_ingest_lag_records") == 0)
            found = samples(running)
            assert total(found, "warroom_ingest_records_total", kind="traffic") == 450
            assert total(found, "warroom_ingest_rows_total", kind="traffic") == 400
            assert total(found, "warroom_ingest_duplicates_total", kind="traffic") == 50
            assert total(found, "warroom_ingest_refusals_total", kind="orders", reason="unsupported_currency") == 20
            assert total(found, "warroom_ingest_refusals_total", kind="orders", reason="invalid_json") == 1
            assert total(found, "warroom_ingest_block_records_sum") == 471
            assert total(found, "warroom_ingest_block_bytes_count") >= 2
            for table in ("traffic_events", "dead_letters"):
                done = {"table": table, "outcome": "done"}
                assert total(found, "warroom_ingest_insert_duration_seconds_count", **done) >= 1
            assert total(found, "warroom_ingest_commit_duration_seconds_count") >= 1
            partitions = {dict(own)["partition"] for name, own in found if name == "warroom_ingest_lag_records"}
            assert partitions == {"0", "1"}
            assert total(found, "warroom_ingest_lag_seconds", topic=settings.topics["traffic"]) < 60
            assert total(found, "warroom_ingest_buffered_bytes") == 0
            assert total(found, "warroom_ingest_stalled_partitions") == 0
            assert total(found, "warroom_service_ready", service="ingest") == 1
            assert not {name for name, _ in found if name.startswith("warroom") and not re.fullmatch(r"[a-z_]+", name)}

            # SIGTERM in the middle of the stream: what was fetched is written and committed, and nothing is in doubt.
            more = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(3_000)]
            feeding = asyncio.create_task(produce(settings, more))
            await until(lambda: total(samples(running), "warroom_ingest_records_total", kind="traffic") > 450)
            await asyncio.to_thread(running.stop, ["ingest"])
            await feeding
            ledger = {
                (row["topic"], row["kafka_partition"]): row["end"]
                for row in store.query(
                    "SELECT topic, kafka_partition, max(end_offset) AS end FROM ingest_blocks"
                    " WHERE startsWith(topic, {p:String}) GROUP BY topic, kafka_partition",
                    {"p": settings.topic_prefix},
                )
            }
            offsets = await committed(settings)
            assert {place: offset for place, (offset, _) in offsets.items() if offset} == ledger
            assert all(checkpoint is not None and checkpoint.end is None for _, checkpoint in offsets.values())

            running.start(["ingest"])
            await until(lambda: _rows(store, campaign) == len(good) + len(more), 60)
            found = samples(running)
            assert total(found, "warroom_ingest_rows_total", kind="traffic") <= len(more)
            assert total(found, "warroom_ingest_replays_total") == 0
            assert total(found, "warroom_ingest_missing_records_total") == 0
            await asyncio.to_thread(running.stop, ["ingest"])
    finally:
        store.close()


def _rows(store: Store, campaign: str) -> int:
    (row,) = store.query("SELECT count() AS n FROM traffic_events WHERE campaign_id = {c:String}", {"c": campaign})
    return int(row["n"])
