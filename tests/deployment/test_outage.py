"""A ClickHouse that refuses for a whole minute while records keep coming, as a deployment lives through it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.settings import Settings
from tests.ingest.harness import produce, record, settings_for, traffic
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.deployment import Deployment, deployment, environment
from tests.support.kafka import ApacheKafka
from tests.support.store import fresh_campaign
from tests.support.war_room import wait_until

pytestmark = pytest.mark.system

OUTAGE_SECONDS = 60.0
ROUND = 400
ROUND_SECONDS = 0.25
BUFFER_BYTES = 4 << 20


@pytest.fixture
def settings(kafka: ApacheKafka) -> Settings:
    return settings_for(
        kafka, topic_partitions=4, batch_max_age_ms=400, batch_max_bytes=1 << 20, max_buffered_bytes=BUFFER_BYTES
    )


@pytest.fixture
def deployed(settings: Settings, endpoint: Endpoint, tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, environment(settings, endpoint.url)) as processes:
        yield processes


async def test_a_minute_without_the_store(settings: Settings, deployed: Deployment, endpoint: Endpoint) -> None:
    """Nothing is lost, nothing counts twice, memory stays bounded, and who asks is told why numbers stand still."""
    campaign = fresh_campaign("outage")
    deployed.start(["ingest", "metrics"])
    sent = 0

    async def send() -> None:
        nonlocal sent
        events = [traffic(campaign, user_id=f"u{sent + number}", page_location="x" * 500) for number in range(ROUND)]
        await produce(settings, [record("traffic", event) for event in events])
        sent += ROUND

    def counted() -> int:
        answer = deployed.get("metrics", f"/api/v1/campaigns/{campaign}/overview")
        return int(answer.json()["metrics"]["pv"]) if answer.status_code == 200 else 0

    await send()
    wait_until(lambda: counted() == sent, 90, "counting what was sent before")
    endpoint.refuse()
    ended = time.monotonic() + OUTAGE_SECONDS
    most = 0.0
    while time.monotonic() < ended:
        await send()
        most = max(most, deployed.metric("ingest", "warroom_ingest_buffered_bytes"))
        await asyncio.sleep(ROUND_SECONDS)
    assert "cannot be written" in (deployed.trouble("ingest") or "")
    assert "the store does not answer" in (deployed.trouble("metrics") or "")
    assert deployed.metric("ingest", "warroom_ingest_stalled_partitions") > 0
    assert sent * 500 > 2 * BUFFER_BYTES, "the outage was too short to fill what may be buffered"
    # One fetch may come on top of what was just below the limit.
    assert most < 2 * BUFFER_BYTES
    endpoint.heal()
    wait_until(lambda: counted() == sent, 60, "counting what was sent meanwhile")
    deployed.wait_ready("ingest")
    assert deployed.metric("ingest", "warroom_ingest_replays_total") == 0
    report = json.loads(deployed.run("audit", "--json", "--topic", settings.topic_prefix, "--campaign", campaign))
    assert report["clean"], report
    assert sum(partition["rows"] for partition in report["partitions"]) == sent
    deployed.stop(["ingest", "metrics"])
