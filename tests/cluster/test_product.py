"""The whole product on three shards by one setting: what it says is what plain Python says of the same events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.common.settings import Settings
from tests.alerts.receiver import Receiver, receiving
from tests.cluster.campaign import Campaign
from tests.conformance.compare import differences
from tests.conformance.oracle import METRICS, Oracle
from tests.conformance.records import Record, record
from tests.ingest.harness import produce, settings_for
from tests.support.clickhouse_http.cluster import NAME
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint
from tests.support.deployment import Deployment, deployment, environment
from tests.support.kafka import ApacheKafka
from tests.support.store import fresh_campaign
from tests.support.war_room import wait_until

SECONDS = 60.0
GONE = "sold-out"


@dataclass
class Cluster:
    """The three services on a store of three shards, and what was sent to them."""

    settings: Settings
    endpoint: Endpoint
    services: Deployment
    campaign: Campaign
    receiver: Receiver

    def send(self, records: Sequence[Record]) -> None:
        """Returns when Kafka has them."""
        asyncio.run(produce(self.settings, [(each.kind, each.key, each.value) for each in records]))

    def post(self, path: str, body: dict[str, Any]) -> None:
        """What somebody does in alerts."""
        url = f"http://127.0.0.1:{self.services.ports['alerts']}/api/v1{path}"
        answer = httpx.post(url, json=body, timeout=SECONDS)
        assert answer.is_success, answer.text

    def numbers(self, path: str, **params: str) -> dict[str, Any]:
        """What metrics answers about the campaign, over the whole of it."""
        query = httpx.QueryParams(
            {"from": self.campaign.start.isoformat(), "to": self.campaign.end.isoformat(), **params}
        )
        answer = self.services.get("metrics", f"/api/v1/campaigns/{self.campaign.id}/{path}?{query}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def problems(self, oracle: Oracle) -> list[str]:
        """Where overview, breakdown, funnel and stock are not what the oracle says."""
        campaign, start, end = self.campaign.id, self.campaign.start, self.campaign.end
        wrong = differences(self.numbers("overview")["metrics"], oracle.overview(campaign, start, end), METRICS)
        rows = self.numbers("breakdown", dimension="channel", metrics=",".join(METRICS))["rows"]
        expected = oracle.table(campaign, start, end, by="channel")
        told = {row["channel"]: row for row in rows}
        for (_, channel), numbers in expected.items():
            wrong += [f"{channel}: {each}" for each in differences(told.get(channel, {}), numbers, METRICS)]
        steps = [row["users"] for row in self.numbers("funnel")["rows"]]
        if steps != oracle.funnel(campaign, start, end)[None]:
            wrong.append(f"funnel {steps}, expected {oracle.funnel(campaign, start, end)[None]}")
        levels = {row["item_id"]: row["available"] for row in self.numbers("inventory")["rows"]}
        if levels != oracle.stock(campaign, end):
            wrong.append(f"stock {levels}, expected {oracle.stock(campaign, end)}")
        return wrong

    def wait_counted(self, records: Sequence[Record]) -> None:
        """Returns when every number is that of the records; fails with those that are not."""
        oracle = Oracle(records, {self.campaign.id: self.campaign.body})
        deadline = time.monotonic() + SECONDS
        while wrong := self.problems(oracle):
            assert time.monotonic() < deadline, "\n".join(wrong)
            time.sleep(0.2)

    def alert(self) -> dict[str, Any] | None:
        """The one of the item that is sold out."""
        answer = self.services.get("alerts", f"/api/v1/alerts?campaign_id={self.campaign.id}")
        found = [row for row in answer.json()["rows"] if row["labels"].get("item_id") == GONE]
        assert len(found) <= 1, found
        return found[0] if found else None

    def state(self) -> str | None:
        """Of that alert."""
        found = self.alert()
        return None if found is None else str(found["state"])

    def told(self) -> list[str]:
        """What the receiver heard of that alert."""
        return [
            body["status"]
            for body in list(self.receiver.bodies)
            for each in body["alerts"]
            if each["labels"].get("item_id") == GONE
        ]


@pytest.fixture
def cluster(kafka: ApacheKafka, tmp_path: Path) -> Iterator[Cluster]:
    """Migrated and running."""
    settings = settings_for(kafka, batch_max_age_ms=400)
    with running_endpoint(tmp_path / "clickhouse", shards=3) as endpoint, receiving() as receiver:
        env = environment(settings, endpoint.url) | {
            "WARROOM_CLICKHOUSE_CLUSTER": NAME,
            "WARROOM_ALERT_WEBHOOK_URL": receiver.url,
        }
        with deployment(tmp_path, env) as services:
            services.run("migrate")
            services.start()
            campaign = Campaign(fresh_campaign("product"), datetime.now(UTC), 5)
            answer = httpx.put(
                f"http://127.0.0.1:{services.ports['metrics']}/api/v1/campaigns/{campaign.id}",
                json=campaign.body,
                timeout=SECONDS,
            )
            assert answer.is_success, answer.text
            yield Cluster(settings, endpoint, services, campaign, receiver)


@pytest.mark.system
@pytest.mark.timeout(400)
def test_three_services_on_three_shards(cluster: Cluster) -> None:
    """Catches: a table that services read or write on one server only, a lease or an acknowledgement that a restart
    does not find, a block that counts twice or not at all after kill -9, a number that depends on where rows lie."""
    services, campaign, endpoint = cluster.services, cluster.campaign, cluster.endpoint
    half = len(campaign.records) // 2

    # Answers are lost, one statement outlives the process that gave it, and its block is built again.
    endpoint.fail("answer_lost", on="INSERT INTO `?traffic_events", times=2)
    endpoint.fail("stall", on="INSERT INTO `?order_events", times=1, seconds=2)
    cluster.send(campaign.records[:half])
    wait_until(lambda: endpoint.state()["faults"].get("stall", 0) > 0, SECONDS, "an insert of orders")
    services.kill("ingest")
    endpoint.heal()
    services.start(["ingest"])
    cluster.send(campaign.records[half:])

    # One record is refused, put right, and sent back.
    yen = campaign.event(
        "order_paid", 9, user_id="late", order_id="o-late", currency="JPY", value="7.00", channel="web"
    )
    cluster.send([record("orders", yen)])
    right = record("orders", {**yen, "currency": "CNY"})

    def letters() -> list[dict[str, Any]]:
        return list(json.loads(services.run("dead-letters", "list", "--json"))["rows"])

    wait_until(lambda: len(letters()) == 1, SECONDS, "the refusal")
    (letter,) = letters()
    place = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
    services.run("dead-letters", "redrive", place, "--set", "currency=CNY")

    # An item sells out: somebody is told, once, and acknowledges; whoever starts next knows of it.
    minutes = (datetime.now(UTC) - campaign.start).total_seconds() / 60
    stock = [campaign.stock(GONE, 90, minutes - 5), campaign.stock(GONE, 0, minutes)]
    cluster.send(stock)
    wait_until(lambda: cluster.state() == "firing", SECONDS, "the alert")
    alert = cluster.alert()
    assert alert is not None
    wait_until(lambda: cluster.told() == ["firing"], SECONDS, "the notice")
    cluster.post(f"/alerts/{alert['id']}/ack", {"by": "li", "note": "on it"})
    silence = {"matchers": {"campaign_id": campaign.id}, "duration": "1h", "by": "li", "comment": "restock"}
    cluster.post("/silences", silence)
    services.stop(["alerts"])
    services.start(["alerts"])
    assert cluster.state() == "acknowledged"
    detail = services.get("alerts", f"/api/v1/alerts/{alert['id']}").json()
    told = [(entry["state"], entry["by"] or entry["note"]) for entry in detail["timeline"]]
    assert told[:3] == [("pending", None), ("firing", None), ("acknowledged", "li")]
    # The silence has its own line, once it was seen.
    assert told[3:] in ([], [("acknowledged", "silenced by li: restock")])
    (silenced,) = services.get("alerts", "/api/v1/silences").json()["rows"]
    assert silenced["comment"] == "restock"

    cluster.wait_counted([*campaign.records, right, *stock])
    snapshot = services.get("metrics", f"/api/v1/campaigns/{campaign.id}/snapshot").json()
    assert snapshot["overview"]["metrics"]["orders_paid"] == cluster.numbers("overview")["metrics"]["orders_paid"]
    assert [each["id"] for each in snapshot["alerts"]["rows"]].count(alert["id"]) == 1
    assert services.metric("ingest", "warroom_ingest_replays_total") >= 1, "nothing was in flight at the kill"
    assert cluster.told() == ["firing"]
    assert all(row["redriven_at"] for row in letters())
    services.run("audit", "--topic", cluster.settings.topic_prefix, "--campaign", campaign.id)
    store = endpoint.store()
    try:
        spread = store.query("SELECT uniqExact(_shard_num) AS shards FROM order_events")
        noted = store.query("SELECT action FROM activity WHERE target = {id:String}", {"id": alert["id"]})
    finally:
        store.close()
    assert spread == [{"shards": 3}]
    assert len(noted) == 1
    services.stop()
