"""The HTTP surface: forms of a table, problem documents, declarations, defaults."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.common.clock import to_datetime
from services.common.store import Store
from tests.metrics.conftest import NOW_MS, Desk
from tests.support.rows import insert_rows, money

NOW = to_datetime(NOW_MS)
BODY: dict[str, Any] = {
    "name": "Double 11",
    "start": "2026-11-11T07:00:00+08:00",
    "end": "2026-11-12T00:00:00+08:00",
    "timezone": "Asia/Shanghai",
    "gross_margin": 0.5,
    "phases": [
        {"name": "warm-up", "start": "2026-11-11T07:00:00+08:00", "end": "2026-11-11T07:30:00+08:00"},
        {"name": "burst", "start": "2026-11-11T07:30:00+08:00", "end": "2026-11-12T00:00:00+08:00"},
    ],
    "targets": {"total": {"gmv": "100.00", "orders_created": 8}, "phases": {"burst": {"gmv": "50.00"}}},
    "budgets": {"app": "20000.00"},
    "note": "rehearsal",
}


def order(campaign: str, minutes_ago: float, cents: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"{minutes_ago}-{cents}",
        "event_name": "order_created",
        "event_time": NOW - timedelta(minutes=minutes_ago),
        "campaign_id": campaign,
        "user_id": f"user-{cents}",
        "channel": "app",
        "region": "CN-31",
        "value": money(cents),
        **fields,
    }


def watermark(store: Store, moment: datetime) -> None:
    store.command(
        "INSERT INTO ingest_progress SELECT 'campaign.orders', 0, 'orders', 1, 1, "
        "fromUnixTimestamp64Milli({at:Int64}, 'UTC'), now64(3)",
        {"at": int(moment.timestamp() * 1000)},
    )


async def test_the_default_period_is_from_the_start_to_now_with_the_current_minute(store: Store, desk: Desk) -> None:
    insert_rows(
        store,
        "order_events",
        [order(desk.campaign, 70, 1), order(desk.campaign, 0, 20), order(desk.campaign, -0.4, 300)],
    )
    await desk.client.put(desk.path, json=BODY)
    answer = (await desk.client.get(f"{desk.path}/overview")).json()
    assert answer["metrics"]["gmv"] == "3.20"
    assert answer["from"] == "2026-11-11T07:00:00+08:00"
    assert answer["to"] == "2026-11-11T08:01:00+08:00"
    assert answer["as_of"] == "2026-11-11T00:00:30Z"


async def test_a_campaign_that_was_never_declared_starts_with_its_first_event(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [order(desk.campaign, 70.2, 1), order(desk.campaign, 5, 20)])
    answer = (await desk.client.get(f"{desk.path}/overview")).json()
    assert answer["from"] == "2026-11-11T06:50:00+08:00"
    assert answer["metrics"]["gmv"] == "0.21"
    listed = (await desk.client.get("/api/v1/campaigns")).json()["rows"]
    assert desk.campaign in {row["id"] for row in listed}


async def test_a_declaration_comes_back_as_it_was_put_and_the_latest_one_wins(desk: Desk) -> None:
    await desk.client.put(desk.path, json={**BODY, "name": "first"})
    put = await desk.client.put(desk.path, json=BODY)
    assert put.status_code == 200
    got = (await desk.client.get(desk.path)).json()
    assert got == put.json()
    assert {key: got[key] for key in BODY} == BODY
    assert got["id"] == desk.campaign
    assert got["current_phase"] == "burst"


async def test_what_was_read_can_be_changed_and_put_back(desk: Desk) -> None:
    await desk.client.put(desk.path, json=BODY)
    read = (await desk.client.get(desk.path)).json()
    assert (await desk.client.put(desk.path, json={**read, "name": "renamed"})).status_code == 200
    assert (await desk.client.get(desk.path)).json() == {**read, "name": "renamed"}


async def test_targets_are_attained_in_total_and_by_phase(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [order(desk.campaign, 45, 1000), order(desk.campaign, 5, 1500)])
    await desk.client.put(desk.path, json=BODY)
    targets = (await desk.client.get(f"{desk.path}/overview")).json()["targets"]
    assert targets["total"]["gmv"] == {"target": "100.00", "value": "25.00", "attained": 0.25}
    assert targets["total"]["orders_created"] == {"target": 8, "value": 2, "attained": 0.25}
    assert targets["phases"]["burst"]["gmv"] == {"target": "50.00", "value": "15.00", "attained": 0.3}


async def test_the_baseline_is_read_at_the_same_distance_from_its_start(store: Store, desk: Desk) -> None:
    before = f"{desk.campaign}-before"
    day = 24 * 60
    insert_rows(store, "order_events", [order(before, day + 30, 700), order(before, day - 30, 900)])
    await desk.client.put(
        f"/api/v1/campaigns/{before}",
        json={"name": "before", "start": "2026-11-10T07:00:00+08:00", "end": "2026-11-11T00:00:00+08:00"},
    )
    await desk.client.put(desk.path, json={**BODY, "baseline_campaign_id": before})
    baseline = (await desk.client.get(f"{desk.path}/overview")).json()["baseline"]
    assert baseline["campaign_id"] == before
    assert baseline["to"] == "2026-11-10T08:01:00+08:00"
    assert baseline["metrics"]["gmv"] == "7.00"


async def test_empty_spans_are_zero_when_complete_and_null_while_events_may_come(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [order(desk.campaign, 5, 1500)])
    watermark(store, NOW - timedelta(minutes=3))
    rows = (
        await desk.client.get(
            f"{desk.path}/timeseries",
            params={"metrics": "gmv,aov", "from": "2026-11-10T23:54:00Z", "to": "2026-11-11T00:02:00Z"},
        )
    ).json()["rows"]
    assert [row["gmv"] for row in rows] == ["0.00", "15.00", "0.00", None, None, None, None, None]
    assert rows[1] == {"time": "2026-11-11T07:55:00+08:00", "gmv": "15.00", "aov": None}


async def test_every_form_holds_the_same_table(store: Store, desk: Desk) -> None:
    insert_rows(
        store,
        "order_events",
        [order(desk.campaign, 5, 1500), order(desk.campaign, 5, 250, channel='直播, "live"')],
    )
    url = f"{desk.path}/breakdown"
    query = {"dimension": "channel", "metrics": "gmv,orders_created,aov"}
    rows = (await desk.client.get(url, params=query)).json()["rows"]
    assert [row["channel"] for row in rows] == ["app", '直播, "live"']

    text = await desk.client.get(url, params=query | {"format": "csv"})
    assert text.headers["content-type"].startswith("text/csv")
    assert list(csv.DictReader(io.StringIO(text.text))) == [
        {"channel": row["channel"], "gmv": row["gmv"], "orders_created": "1", "aov": ""} for row in rows
    ]

    arrow = await desk.client.get(url, params=query, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    parquet = await desk.client.get(url, params=query, headers={"Accept": "application/vnd.apache.parquet"})
    assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
    for table in (pa.ipc.open_stream(arrow.content).read_all(), pq.read_table(pa.BufferReader(parquet.content))):
        assert table.schema.field("gmv").type == pa.decimal128(38, 2)
        assert table.to_pylist() == [row | {"gmv": Decimal(row["gmv"])} for row in rows]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/overview?chanel=app", 422, "chanel"),
        ("/overview?from=yesterday", 422, "from"),
        ("/overview?from=2026-11-11T00:00:00Z&to=2026-11-10T00:00:00Z", 422, "to"),
        ("/timeseries?interval=7m", 422, "interval"),
        ("/timeseries?metrics=sales", 422, "metrics"),
        ("/timeseries?from=2000-01-01T00:00:00Z&interval=1m", 422, "interval"),
        ("/timeseries?group_by=city", 422, "group_by"),
        ("/breakdown", 422, "dimension"),
        ("/breakdown?dimension=channel&order_by=nope", 422, "order_by"),
        ("/breakdown?dimension=channel&limit=0", 422, "limit"),
        ("/breakdown?dimension=channel&format=xml", 422, "format"),
        ("/funnel?group_by=x", 422, "group_by"),
    ],
)
async def test_what_is_asked_wrongly_is_answered_with_the_field(desk: Desk, path: str, status: int, field: str) -> None:
    await desk.client.put(desk.path, json=BODY)
    answer = await desk.client.get(desk.path + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


async def test_a_campaign_may_be_declared_at_length(desk: Desk) -> None:
    """Longer than a parameter of a query may be over HTTP."""
    body = {
        "name": "long",
        "start": "2026-11-10T00:00:00+08:00",
        "end": "2026-11-12T00:00:00+08:00",
        "budgets": {f"channel-{number:020}": "1.00" for number in range(6_000)},
    }
    assert len(json.dumps(body)) > 200_000
    assert (await desk.client.put(desk.path, json=body)).is_success
    assert (await desk.client.get(desk.path)).json()["budgets"] == body["budgets"]


async def test_an_unknown_campaign_is_a_problem_document(desk: Desk) -> None:
    for path in ("", "/overview", "/funnel", "/stream"):
        answer = await desk.client.get(f"/api/v1/campaigns/never-seen{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await desk.client.get("/nowhere")).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({**BODY, "start": "2026-11-11"}, "start"),
        ({**BODY, "targets": {"total": {"sales": 1}}}, "targets"),
        ({**BODY, "phases": [{"name": "x"}]}, "phases.0.start"),
        ({**BODY, "surprise": 1}, "surprise"),
    ],
)
async def test_a_declaration_that_is_refused_names_the_field_and_changes_nothing(
    desk: Desk, body: dict[str, Any], field: str
) -> None:
    answer = await desk.client.put(desk.path, json=body)
    assert answer.status_code == 422
    assert answer.json()["field"].startswith(field)
    assert (await desk.client.get(desk.path)).status_code == 404


async def test_values_of_a_filter_are_values_and_never_sql(store: Store, desk: Desk) -> None:
    hostile = "app' OR '1'='1"
    insert_rows(store, "order_events", [order(desk.campaign, 5, 1500), order(desk.campaign, 5, 1, channel=hostile)])
    for value, gmv in ((hostile, "0.01"), ("'", "0.00"), ("app", "15.00")):
        for extra in ({}, {"region": "CN-31"}):
            answer = await desk.client.get(f"{desk.path}/overview", params={"channel": value, **extra})
            assert answer.json()["metrics"]["gmv"] == gmv


async def test_the_document_describes_every_path_of_the_contract(desk: Desk) -> None:
    paths = (await desk.client.get("/openapi.json")).json()["paths"]
    for path in (
        "/api/v1/metrics",
        "/api/v1/campaigns",
        "/api/v1/campaigns/{campaign_id}",
        "/api/v1/campaigns/{campaign_id}/overview",
        "/api/v1/campaigns/{campaign_id}/timeseries",
        "/api/v1/campaigns/{campaign_id}/breakdown",
        "/api/v1/campaigns/{campaign_id}/funnel",
        "/api/v1/campaigns/{campaign_id}/inventory",
        "/api/v1/campaigns/{campaign_id}/stream",
        "/api/v1/dead-letters",
    ):
        assert path in paths
    names = {parameter["name"] for parameter in paths["/api/v1/campaigns/{campaign_id}/overview"]["get"]["parameters"]}
    assert {"from", "to", "channel", "customer_type"} <= names


async def test_stock_is_the_last_level_by_event_time_summed_over_warehouses(store: Store, desk: Desk) -> None:
    def level(item: str, warehouse: str, minutes_ago: float, available: int) -> dict[str, Any]:
        return {
            "event_name": "stock_level",
            "event_time": NOW - timedelta(minutes=minutes_ago),
            "campaign_id": desk.campaign,
            "item_id": item,
            "warehouse_id": warehouse,
            "available": available,
            "safety_stock": 5,
        }

    insert_rows(
        store,
        "stock_events",
        [
            level("shoe", "east", 1, 30),
            level("shoe", "east", 9, 99),
            level("shoe", "west", 4, 12),
            level("hat", "east", 2, 0),
        ],
    )
    paid = {
        "event_name": "order_paid",
        "line_item_id": ["shoe"],
        "line_item_category": ["x"],
        "line_quantity": [7],
        "line_amount": [money(700)],
    }
    insert_rows(store, "order_events", [order(desk.campaign, 10, 700) | paid, order(desk.campaign, 2, 701) | paid])
    rows = {row["item_id"]: row for row in (await desk.client.get(f"{desk.path}/inventory")).json()["rows"]}
    assert rows["shoe"]["available"] == 42
    assert rows["shoe"]["safety_stock"] == 10
    # The campaign began 10.5 minutes ago with its first event.
    assert rows["shoe"]["sell_rate_per_minute"] == pytest.approx(14 / 10.5)
    assert rows["hat"]["available"] == 0
    assert datetime.fromisoformat(rows["hat"]["stockout_eta"]) == NOW.astimezone(UTC)
