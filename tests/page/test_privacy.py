"""No person can be recognised on the page, nor in what it is sent."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from playwright.async_api import Browser

from tests.page.festival import CAMPAIGN, Festival
from tests.page.screens import next_snapshot, screen, show

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

TOPICS = ("campaign.traffic", "campaign.orders", "campaign.coupons")
PERSONAL = ("user_id", "order_id", "session_id", "device_id", "coupon_id")
WORD = re.compile(r"[\w.-]+")
SNAPSHOTS = 3
_DRAIN_SECONDS = 60.0


async def ids_sent(servers: str) -> set[str]:
    """Every id of a person, or that leads to one, that was put into Kafka."""
    found: set[str] = set()
    async with AIOKafkaConsumer(*TOPICS, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(list(partitions))
        async with asyncio.timeout(_DRAIN_SECONDS):
            while any([await consumer.position(each) < end for each, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        event = json.loads(record.value)
                        found.update(str(event[name]) for name in PERSONAL if event.get(name))
    return found


def stream_bytes(festival: Festival, snapshots: int) -> str:
    """The stream as it comes from the socket."""
    text = ""
    with httpx.stream("GET", f"{festival.api}/stream", timeout=20) as answer:
        for piece in answer.iter_text():
            text += piece
            if text.count("event: snapshot") > snapshots:
                break
    return text


async def test_no_id_of_a_person_is_shown_or_sent(festival: Festival, chromium: Browser) -> None:
    """Catches: ids of users, orders, devices and coupons in an alert's words, its evidence, a title or an attribute."""
    festival.wait_for_alert()
    ids = await ids_sent(festival.room.kafka)
    assert len(ids) > 1_000
    async with screen(chromium) as page:
        await show(page, festival.url, campaign=CAMPAIGN)
        await next_snapshot(page)
        document = await page.content()
    sent = await asyncio.to_thread(stream_bytes, festival, SNAPSHOTS)
    assert "data-panel" in document
    assert "event: snapshot" in sent
    assert ids.isdisjoint(WORD.findall(document))
    assert ids.isdisjoint(WORD.findall(sent))
