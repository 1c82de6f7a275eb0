"""Bombs on their way through Apache Kafka, which reads what it is sent: it takes them if they hold what they claim."""

from __future__ import annotations

import pytest
from aiokafka.errors import MessageSizeTooLargeError, UnknownError

from services.common.kafka import ensure_topics
from services.common.store import Store
from services.ingest.inflate import MOST_INFLATED
from tests.hostile.batches import ENCODERS, GZIP, LZ4, SNAPPY, ZSTD, batch, bomb, record, send_raw
from tests.ingest.harness import produce, running, settings_for, traffic
from tests.ingest.harness import record as event_record
from tests.support.kafka import ApacheKafka
from tests.support.store import fresh_campaign
from tests.support.waiting import until

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    "codec", [pytest.param(GZIP, id="gzip"), pytest.param(LZ4, id="lz4"), pytest.param(ZSTD, id="zstd")]
)
async def test_a_bomb_that_kafka_took_is_one_dead_letter(kafka: ApacheKafka, http_store: Store, codec: int) -> None:
    settings = settings_for(kafka, topic_partitions=1)
    topic = settings.topics["traffic"]
    await ensure_topics(settings)
    campaign = fresh_campaign("apache")
    packed = bytes(ENCODERS[codec](record(bytes(MOST_INFLATED + 1))))
    assert len(packed) < 1 << 20
    await send_raw(kafka.bootstrap_servers, topic, batch(packed, codec=codec))
    await produce(settings, [event_record("traffic", traffic(campaign))])
    counted = "SELECT count() AS events FROM traffic_events WHERE campaign_id = {campaign:String}"
    letters = "SELECT toString(reason) AS reason FROM dead_letters WHERE topic = {topic:String}"
    async with running(settings, http_store):
        await until(lambda: http_store.query(counted, {"campaign": campaign})[0]["events"] == 1, 60)
        # A letter and an event take different ways, and neither waits for the other.
        await until(lambda: bool(http_store.query(letters, {"topic": topic})), 60)
    assert [letter["reason"] for letter in http_store.query(letters, {"topic": topic})] == ["too_large"]


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        pytest.param(
            batch(bytes(ENCODERS[SNAPPY](record(bytes(MOST_INFLATED + 1)))), codec=SNAPPY),
            MessageSizeTooLargeError,
            id="snappy, which packs 20 to 1: more than message.max.bytes",
        ),
        pytest.param(batch(bomb(ZSTD, 1 << 30), codec=ZSTD), UnknownError, id="no records"),
    ],
)
async def test_kafka_refuses_what_is_too_long_or_holds_no_records(
    kafka: ApacheKafka, raw: bytes, refusal: type[Exception]
) -> None:
    settings = settings_for(kafka, topic_partitions=1)
    await ensure_topics(settings)
    with pytest.raises(refusal):
        await send_raw(kafka.bootstrap_servers, settings.topics["traffic"], raw)
