"""The service over HTTP, across restarts, with a real receiver; stock is the quickest way to an alert."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pydantic import SecretStr

from services.alerts.alert import Transition
from services.alerts.lifecycle import State
from services.alerts.rules.load import load_rules
from services.alerts.service import AlertsService
from services.common.clock import to_datetime
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.receiver import receiving
from tests.alerts.shop import Shop
from tests.support.shapes import judged
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _no_alerts(store: Store) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def shop(store: Store) -> Shop:
    """A shop with stock and hardly any visitors."""
    shop = Shop(store, {})
    shop.report()
    for item in shop.items:
        shop.set_stock(item, 100, safety=10)
    return shop


@asynccontextmanager
async def serving(store: Store, shop: Shop) -> AsyncIterator[tuple[AlertsService, httpx.AsyncClient]]:
    """A service that has taken up what an earlier one left, and a client of it. Time passes by `advance`."""
    service = AlertsService(Settings(), store, clock=shop.clock)
    await service.restore()
    transport = httpx.ASGITransport(build_app([service]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield service, judged(client)


async def advance(shop: Shop, service: AlertsService, seconds: int) -> list[Transition]:
    seen: list[Transition] = []
    for _ in range(seconds):
        shop.now += 1000
        shop.report()
        seen += await service.look()
    return seen


def states(transitions: list[Transition]) -> list[str]:
    return [transition.alert.state.value for transition in transitions]


async def test_an_alert_is_told_with_all_its_fields(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        shop.set_stock("sku-1", 0, safety=10)
        await advance(shop, service, 2)
        answer = await client.get("/api/v1/alerts", params={"campaign_id": shop.campaign, "state": "firing"})
        (row,) = answer.json()["rows"]
        assert answer.json()["columns"] == list(row)
        assert set(row) == {
            "id", "rule", "severity", "state", "campaign_id", "labels", "value", "threshold", "summary", "runbook",
            "starts_at", "ends_at", "complete_until", "evidence", "incident", "inhibited",
            "owner", "phase", "impact", "annotations",
        }  # fmt: skip
        assert (row["rule"], row["severity"], row["value"], row["threshold"]) == ("stock_out", "critical", 0, 0)
        assert row["labels"] == {"campaign_id": shop.campaign, "item_id": "sku-1"}
        assert row["summary"] == row["annotations"]["summary"] == "Item sku-1 is sold out in all warehouses"
        assert row["ends_at"] is None
        assert row["evidence"]["warehouses"] == {"w1": 0}

        shop.set_stock("sku-1", 50, safety=10)
        await advance(shop, service, 8)
        one = (await client.get(f"/api/v1/alerts/{row['id']}")).json()
        assert one["state"] == "resolved"
        assert row["starts_at"] < one["ends_at"]
        assert [moment["state"] for moment in one["timeline"]] == ["pending", "firing", "resolved"]


async def test_stock_is_judged_over_all_warehouses(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, _):
        shop.set_stock("sku-1", 30, safety=10, warehouse="w2")
        shop.set_stock("sku-1", 0, safety=10, warehouse="w1")
        assert await advance(shop, service, 15) == []
        shop.set_stock("sku-1", 15, safety=10, warehouse="w2")
        (low,) = await advance(shop, service, 15)
        assert (low.alert.rule, low.alert.value, low.alert.threshold) == ("stock_low", 15, 20)
        shop.set_stock("sku-1", 0, safety=10, warehouse="w2")
        told = await advance(shop, service, 10)
        assert {(t.alert.rule, t.alert.state) for t in told if t.notice} == {
            ("stock_low", State.RESOLVED),
            ("stock_out", State.FIRING),
        }


async def test_an_older_level_that_arrives_late_counts_for_nothing(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, _):
        await advance(shop, service, 2)
        later = shop.now
        shop.now -= 600_000
        shop.set_stock("sku-1", 0)
        shop.now = later
        assert await advance(shop, service, 45) == []


async def test_a_restart_repeats_nothing_and_forgets_nothing(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        shop.set_stock("sku-1", 0)
        assert states(await advance(shop, service, 5)) == ["firing"]
        before = (await client.get("/api/v1/alerts")).json()
    async with serving(store, shop) as (service, client):
        assert await advance(shop, service, 5) == []
        assert (await client.get("/api/v1/alerts")).json() == before
    # While nobody looked, the item came back.
    shop.now += 600_000
    shop.set_stock("sku-1", 70)
    async with serving(store, shop) as (service, client):
        (resolved,) = await advance(shop, service, 10)
        assert (resolved.alert.id, resolved.alert.state) == (before["rows"][0]["id"], "resolved")
    async with serving(store, shop) as (service, _):
        assert await advance(shop, service, 5) == []


async def test_the_receiver_hears_each_transition_once_over_restarts(store: Store, shop: Shop) -> None:
    with receiving() as receiver:
        stop = asyncio.Event()
        settings = Settings(alert_webhook_url=SecretStr(receiver.url))

        async def live(expected: int, change: int | None) -> None:
            """A process that runs until the receiver has heard so much, with a change of stock on its way."""
            stop.clear()
            service = AlertsService(settings, store, clock=shop.clock)
            task = asyncio.create_task(service.run(stop))
            await until(lambda: service.not_ready() is None)
            if change is not None:
                shop.set_stock("sku-1", change)

            def heard() -> bool:
                shop.now += 20
                shop.report()
                return len(receiver.bodies) >= expected

            await until(heard)
            stop.set()
            await asyncio.wait_for(task, 12)

        await live(1, 0)
        await live(1, None)
        await live(2, 60)
        await live(2, None)
        assert receiver.news == [("stock_out", "firing"), ("stock_out", "resolved")]
        first, last = (body["alerts"][0] for body in receiver.bodies)
        assert first["fingerprint"] == last["fingerprint"]
        assert first["labels"] == last["labels"]


async def test_acknowledging(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        assert (await client.post("/api/v1/alerts/none/ack", json={"by": "lin"})).status_code == 404
        shop.set_stock("sku-1", 5, safety=10)
        await advance(shop, service, 1)
        (row,) = (await client.get("/api/v1/alerts")).json()["rows"]
        assert row["state"] == "pending"
        path = f"/api/v1/alerts/{row['id']}/ack"
        assert (await client.post(path, json={"by": "lin"})).status_code == 409
        await advance(shop, service, 12)
        for _ in range(2):
            answer = await client.post(path, json={"by": "lin", "note": "restocking"})
            assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged")
        assert await advance(shop, service, 3) == []
    async with serving(store, shop) as (service, client):
        assert (await client.get(f"/api/v1/alerts/{row['id']}")).json()["state"] == "acknowledged"
        shop.set_stock("sku-1", 50)
        assert states(await advance(shop, service, 8)) == ["resolved"]
        conflict = await client.post(path, json={"by": "lin"})
        assert (conflict.status_code, conflict.headers["content-type"]) == (409, "application/problem+json")
        timeline = (await client.get(f"/api/v1/alerts/{row['id']}")).json()["timeline"]
        assert [(m["state"], m["by"], m["note"]) for m in timeline] == [
            ("pending", None, None),
            ("firing", None, None),
            ("acknowledged", "lin", "restocking"),
            ("resolved", None, None),
        ]


async def test_a_silenced_alert_is_recorded_and_not_delivered(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        body = {"matchers": {"rule": "stock_out", "item_id": "sku-1"}, "duration": "60s", "by": "lin"}
        answer = await client.post("/api/v1/silences", json=body)
        assert (answer.status_code, answer.json()["state"]) == (201, "active")
        shop.set_stock("sku-1", 0)
        shop.set_stock("sku-2", 0)
        told = await advance(shop, service, 5)
        assert {(t.alert.labels["item_id"], t.notice) for t in told} == {("sku-1", ""), ("sku-2", "firing")}
    async with serving(store, shop) as (service, client):
        assert len((await client.get("/api/v1/silences")).json()["rows"]) == 1
        assert await advance(shop, service, 20) == []
        shop.now += 40_000
        (late,) = await advance(shop, service, 2)
        assert (late.alert.labels["item_id"], late.notice, late.alert.state) == ("sku-1", "firing", "firing")
        shop.set_stock("sku-1", 9)
        (resolved,) = await advance(shop, service, 8)
        assert resolved.notice == "resolved"


async def test_an_end_under_a_silence_is_told_to_whoever_was_told_of_the_beginning(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        shop.set_stock("sku-1", 0)
        await advance(shop, service, 5)
        ends_at = (to_datetime(shop.now) + timedelta(hours=1)).isoformat()
        body = {"matchers": {"item_id": "sku-1"}, "ends_at": ends_at, "by": "lin"}
        assert (await client.post("/api/v1/silences", json=body)).status_code == 201
        shop.set_stock("sku-1", 9)
        silenced, resolved = await advance(shop, service, 8)
        assert (silenced.alert.state, silenced.notice, silenced.note) == ("firing", "", "silenced by lin")
        assert (resolved.alert.state, resolved.notice) == ("resolved", "resolved")


async def test_nothing_is_judged_while_ingest_lags_and_the_lag_itself_fires(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, _):
        await advance(shop, service, 2)
        shop.set_stock("sku-1", 0)
        told: list[Transition] = []
        shop.now += 31_000
        for _ in range(50):
            shop.now += 1000
            told += await service.look()
        (lag,) = told
        assert (lag.alert.rule, lag.alert.campaign_id, lag.alert.labels["topic"]) == (
            "ingest_lag",
            "*",
            "campaign.traffic",
        )
        rules = [(t.alert.rule, t.alert.state.value) for t in await advance(shop, service, 15)]
        assert rules == [("stock_out", "firing"), ("ingest_lag", "resolved")]


async def test_refused_records_fire_by_topic(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, _):
        await advance(shop, service, 12)
        letters = {
            "arrived_at": pa.array([shop.now] * 30, pa.timestamp("ms", tz="UTC")),
            "topic": ["campaign.traffic"] * 30,
            "kafka_partition": pa.array([0] * 30, pa.uint16()),
            "kafka_offset": pa.array(range(30), pa.uint64()),
            "reason": ["invalid_json"] * 30,
            "detail": [""] * 30,
            "value": [""] * 30,
        }
        store.insert("dead_letters", pa.table(letters))
        (fired,) = await advance(shop, service, 10)
        assert fired.alert.rule == "dead_letters"
        assert fired.alert.labels == {"campaign_id": "*", "topic": "campaign.traffic"}
        assert states(await advance(shop, service, 80)) == ["resolved"]


async def test_a_flood_of_refusals_pages_once(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, _):
        await advance(shop, service, 12)
        told: list[Transition] = []
        for second in range(15):
            # Blocks of 5,000 letters from four partitions.
            for partition in range(4):
                rows = 5_000
                letters = {
                    "arrived_at": pa.array([shop.now] * rows, pa.timestamp("ms", tz="UTC")),
                    "topic": ["campaign.orders"] * rows,
                    "kafka_partition": pa.array([partition] * rows, pa.uint16()),
                    "kafka_offset": pa.array(range(second * rows, (second + 1) * rows), pa.uint64()),
                    "reason": ["invalid_json"] * rows,
                    "detail": ["not an object"] * rows,
                    "value": [""] * rows,
                }
                store.insert("dead_letters", pa.table(letters))
            told += await advance(shop, service, 1)
        told += await advance(shop, service, 90)
        assert states(told) == ["firing", "resolved"]
        assert {transition.alert.rule for transition in told} == {"dead_letters"}


async def test_rules_show_their_state_and_parameters(store: Store, shop: Shop) -> None:
    async with serving(store, shop) as (service, client):
        shop.set_stock("sku-1", 0)
        shop.set_stock("sku-2", 5, safety=10)
        await advance(shop, service, 4)
        rows = {row["name"]: row for row in (await client.get("/api/v1/rules")).json()["rows"]}
        assert list(rows) == [rule.name for rule in load_rules(None)]
        assert (rows["stock_out"]["state"], rows["stock_out"]["firing"]) == ("firing", 1)
        assert (rows["stock_low"]["state"], rows["stock_low"]["pending"]) == ("pending", 1)
        assert rows["traffic_spike"]["state"] == "inactive"
        assert rows["traffic_spike"]["parameters"]["ratio"] == 4
        assert rows["traffic_spike"]["runbook"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ("alerts?state=broken", "state"),
        ("alerts?severity=awful", "severity"),
        ("alerts?limit=0", "limit"),
        ("alerts?limit=ten", "limit"),
        ("alerts?campaign=x", "campaign"),
        ("alerts?format=xml", "format"),
        ("rules?x=1", "x"),
        ("silences?x=1", "x"),
    ],
)
async def test_what_is_misspelt_is_refused_by_name(store: Store, shop: Shop, call: str, field: str) -> None:
    async with serving(store, shop) as (_, client):
        answer = await client.get(f"/api/v1/{call}")
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"matchers": {}, "duration": "1h", "by": "lin"}, "matchers"),
        ({"matchers": {"rule": "x"}, "duration": "soon", "by": "lin"}, "duration"),
        ({"matchers": {"rule": "x"}, "ends_at": "2001-01-01T00:00:00Z", "by": "lin"}, "ends_at"),
        ({"matchers": {"rule": "x"}, "duration": "1h"}, "by"),
        ({"matchers": {"rule": "x"}, "duration": "1h", "by": "lin", "extra": 1}, "extra"),
    ],
)
async def test_a_wrong_silence_is_refused_by_field(store: Store, shop: Shop, body: dict[str, Any], field: str) -> None:
    async with serving(store, shop) as (_, client):
        answer = await client.post("/api/v1/silences", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("form", ["csv", "arrow", "parquet"])
async def test_alerts_come_in_every_form(store: Store, shop: Shop, form: str) -> None:
    async with serving(store, shop) as (service, client):
        shop.set_stock("sku-1", 0)
        await advance(shop, service, 4)
        answer = await client.get("/api/v1/alerts", params={"format": form})
        assert answer.status_code == 200
        assert b"stock_out" in answer.content


def test_rules_of_the_setting_replace_the_shipped_ones(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - {name: mine, detector: stock_out, severity: info, summary: s, runbook: r, for: 1m}\n")
    service = AlertsService(Settings(rules_file=path), store)
    assert {name: rule.for_ms for name, rule in service.engine.rules.items()} == {"mine": 60_000}
