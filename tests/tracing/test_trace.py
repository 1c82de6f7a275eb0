"""From a record to its row, from a request to the store, from a look to a page: the real thing, to a real receiver."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer

from services.common.clock import to_datetime, wall_clock
from tests.alerts.receiver import receiving
from tests.support.war_room import wait_until, war_room_in
from tests.tracing.receiver import attributes, collecting

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "zhang-wei-13800138000"
SECONDS = 60.0


def event(event_id: str, **more: object) -> bytes:
    told = {
        "event_id": event_id,
        "event_time": to_datetime(wall_clock()).isoformat(),
        "campaign_id": "traced",
        **more,
    }
    return json.dumps(told).encode()


async def send(kafka: str) -> int:
    """A traced record among others; returns its offset."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for number in range(5):
            view = event(f"v{number}", event_name="page_view", user_id=SECRET, session_id="s")
            await producer.send_and_wait("campaign.traffic", view, key=SECRET.encode(), partition=0)
        headers = [("traceparent", f"00-{TRACE}-{SPAN}-01".encode())]
        view = event("the-one", event_name="page_view", user_id=SECRET, session_id="s")
        record = await producer.send_and_wait(
            "campaign.traffic", view, key=SECRET.encode(), partition=0, headers=headers
        )
        gone = event("s1", event_name="stock_level", item_id="i1", available=0)
        await producer.send_and_wait("campaign.inventory", gone, key=b"i1", partition=0)
        return int(record.offset)
    finally:
        await producer.stop()


def test_a_records_trace_leads_to_its_row(tmp_path: Path) -> None:
    """Catches: a context that is lost between Kafka and the block, spans without a parent, data of people in any."""
    with collecting() as collector, receiving() as pager:
        env = {
            "WARROOM_TRACES_ENDPOINT": collector.url,
            "WARROOM_TRACES_RATIO": "1",
            "WARROOM_ALERT_WEBHOOK_URL": pager.url,
        }
        with war_room_in(tmp_path / "room", env=env) as room:
            room.start()
            offset = asyncio.run(send(room.kafka))
            path = f"{room.url}/api/v1/campaigns/traced/overview"

            def counted() -> bool:
                answer = httpx.get(path, params={"channel": SECRET}, timeout=30)
                whole = httpx.get(path, timeout=30)
                return answer.is_success and whole.is_success and "the-one" not in whole.text

            def linked() -> bool:
                return any(
                    link.trace_id.hex() == TRACE and link.span_id.hex() == SPAN
                    for span in collector.named("block traffic")
                    for link in span.links
                )

            wait_until(linked, SECONDS, "the block of the traced record")
            wait_until(counted, SECONDS, "an answer")
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline and not any(s.links for s in collector.named("delivery")):
                time.sleep(0.2)
            room.stop()
    assert collector.services == {"warroom-standalone"}

    (block,) = [span for span in collector.named("block traffic") if span.links]
    said = attributes(block)
    assert (said["messaging.destination.name"], said["messaging.destination.partition.id"]) == ("campaign.traffic", "0")
    assert int(said["warroom.block.start"]) <= offset < int(said["warroom.block.end"])
    assert not block.parent_span_id, "a block has many producers: it is nobody's child"
    within = [span for span in collector.spans if span.trace_id == block.trace_id and span is not block]
    parents = {span.span_id: span for span in [*within, block]}
    assert {"fetch", "decode", "commit", "insert", "store insert"} <= {span.name for span in within}
    for span in within:
        assert span.parent_span_id in parents
        assert span.start_time_unix_nano <= span.end_time_unix_nano
    (insert,) = [span for span in within if span.name == "insert"]
    assert attributes(insert)["db.collection.name"] == "traffic_events"
    assert any(parents[span.parent_span_id] is insert for span in within if span.name == "store insert")

    request = collector.named("GET /api/v1/campaigns/{campaign_id}/overview")[0]
    assert attributes(request)["http.response.status_code"] == 200
    assert any(span.trace_id == request.trace_id and span.name == "store query" for span in collector.spans)

    looks = {span.span_id for span in collector.named("look")}
    delivery = next(span for span in collector.named("delivery") if span.links)
    assert {link.span_id for link in delivery.links} <= looks

    for word in (SECRET, "the-one", "SELECT", "channel="):
        assert word.encode() not in collector.raw, word
