"""Invented campaigns on their real way, through Kafka, the store and the three services as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.alerts.collector import MOST_CAMPAIGNS
from services.metrics.exporter import MOST_CAMPAIGNS as MOST_EXPORTED
from tests.hostile.crowd import Cost, crowd, invented
from tests.support.broker import Broker
from tests.support.clickhouse_http.endpoint import Endpoint

COUNT = 20_000
"""More than are listed, judged or exported."""
JUDGED = ("alerts",)
"""Prometheus' refresh pauses for nine times as long as it took: test_cardinality.py makes one by hand."""

MOST_SCRAPED = 400_000
"""Bytes: a series of each campaign, of one metric alone, would be more."""

LABELS = {"ingest": 0, "metrics": MOST_EXPORTED, "alerts": 0}


@pytest.mark.system
async def test_campaigns_that_are_invented_cost_neither_labels_nor_memory(
    embedded_broker: Broker, own_endpoint: Endpoint, tmp_path: Path
) -> None:
    with crowd(embedded_broker, own_endpoint, tmp_path) as people:
        await people.round(COUNT, invented, id_of="first", looks=JUDGED)
        before = people.cost()
        # As many others; by now each service holds all that it ever holds at a time.
        after = await people.round(COUNT, lambda number: f"other-{number:014}", id_of="second", looks=JUDGED)
        for service, most in LABELS.items():
            text = people.services.get(service, "/metrics").text
            assert len({each.split('"')[0] for each in text.split('campaign_id="')[1:]}) <= most
            assert "other-" not in text or most
        assert people.services.metric("alerts", "warroom_alert_campaigns") == MOST_CAMPAIGNS
        assert people.services.metric("ingest", "warroom_ingest_duplicates_total") == 0
        assert_grows_little(before, after)
        people.services.stop()


def assert_grows_little(before: Cost, after: Cost) -> None:
    """Three kilobytes for each of the new campaigns would be seen: less is within what an allocator keeps."""
    for service, size in after.scrape.items():
        assert size < MOST_SCRAPED, service
    for service, held in after.memory.items():
        assert held - before.memory[service] < 64 << 20, (service, before, after)
