"""`warroom ingest`, `metrics` and `alerts` as three processes beside Kafka and a ClickHouse over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.common.settings import Settings
from tests.ingest.harness import Record, order, produce, record, settings_for, traffic
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.deployment import SERVICES, Deployment, deployment, environment
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.war_room import wait_until

SECONDS = 90.0


@pytest.fixture
def settings(broker: KafkaServer) -> Settings:
    return settings_for(broker, batch_max_age_ms=400)


@pytest.fixture
def deployed(settings: Settings, endpoint: Endpoint, tmp_path: Path) -> Iterator[Deployment]:
    """Not started yet."""
    with deployment(tmp_path, environment(settings, endpoint.url)) as processes:
        yield processes


def events(campaign: str, count: int) -> list[Record]:
    """As many page views by as many visitors, and half as many paid orders of 19.90."""
    views = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(count)]
    return views + [record("orders", order(campaign, user_id=f"u{number}")) for number in range(count // 2)]


def overview(deployed: Deployment, campaign: str) -> dict[str, Any]:
    answer = deployed.get("metrics", f"/api/v1/campaigns/{campaign}/overview")
    return dict(answer.json()["metrics"]) if answer.status_code == 200 else {}


def wait_for(deployed: Deployment, campaign: str, **expected: object) -> None:
    def arrived() -> bool:
        found = overview(deployed, campaign)
        return {name: found.get(name) for name in expected} == expected

    wait_until(arrived, SECONDS, f"{expected}")


def audited(deployed: Deployment, settings: Settings, campaign: str) -> None:
    """`warroom audit` as a process beside the others: its status is 0 when all is clean."""
    deployed.run("audit", "--topic", settings.topic_prefix, "--campaign", campaign)


async def test_three_processes_carry_count_and_watch(settings: Settings, deployed: Deployment) -> None:
    """Settings that only standalone sets, or a call that only chDB answers, would show here."""
    campaign = fresh_campaign("deployed")
    deployed.run("migrate")
    deployed.start()
    first = events(campaign, 400)
    # Half of them twice: a repeat counts for nothing.
    await produce(settings, first + first[:200])
    paid = str(Decimal("19.90") * 200)
    wait_for(deployed, campaign, pv=400, uv=400, orders_paid=200, paid_gmv=paid, buyers=200)
    rows = deployed.get("metrics", f"/api/v1/campaigns/{campaign}/funnel").json()["rows"]
    assert (rows[0]["step"], rows[0]["users"]) == ("visit", 400)
    rules = deployed.get("alerts", "/api/v1/rules").json()["rows"]
    assert {"data_silence", "ingest_lag"} <= {rule["name"] for rule in rules}
    assert deployed.metric("ingest", "warroom_ingest_duplicates_total") == 200
    deployed.stop(["ingest"])
    second = events(campaign, 100)
    await produce(settings, second)
    deployed.start(["ingest"])
    wait_for(deployed, campaign, pv=500, orders_paid=250)
    audited(deployed, settings, campaign)
    assert deployed.metric("ingest", "warroom_ingest_replays_total") == 0
    deployed.stop()


@pytest.mark.system
async def test_services_start_and_stop_while_the_store_is_away(
    settings: Settings, deployed: Deployment, endpoint: Endpoint
) -> None:
    """A server that is restarted must not take Warroom with it, nor keep it from stopping: a stalled insert would hold
    the process for its whole time limit."""
    campaign = fresh_campaign("away")
    endpoint.refuse()
    deployed.launch()
    for service in SERVICES:
        told = partial(deployed.tells_not_ready, service)
        wait_until(told, SECONDS, f"{service} telling that the store is away")
    endpoint.heal()
    for service in SERVICES:
        deployed.wait_ready(service)
    endpoint.fail("stall", on="INSERT INTO `?traffic_events", seconds=600)
    sent = events(campaign, 200)
    await produce(settings, sent)
    wait_until(lambda: endpoint.state()["faults"].get("stall", 0) > 0, SECONDS, "the stall")
    deployed.stop(["ingest"])
    endpoint.heal()
    deployed.start(["ingest"])
    wait_for(deployed, campaign, pv=200, orders_paid=100)
    audited(deployed, settings, campaign)
    deployed.stop()
