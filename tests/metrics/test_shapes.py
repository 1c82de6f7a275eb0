"""Answers are as the OpenAPI document says. Every other test of the desk is judged by it as well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.common.clock import to_datetime
from services.common.store import Store
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.test_http import order
from tests.support.rows import insert_rows
from tests.support.shapes import Shapes

NOW = to_datetime(NOW_MS)

_FIRED = """
INSERT INTO alert_transitions
    (alert_id, seq, at, rule, severity, state, campaign_id, labels, starts_at, complete_until, evidence, details)
SELECT
    {alert_id:String}, 1, now64(3), 'stock_out', 'critical', 'firing', {campaign_id:String}, '{"item_id":"sku-1"}',
    now64(3), now64(3), '{}', '{"owner":"stock","impact":{"loss_per_minute":"1.00","basis":"a minute before"}}'
"""


@pytest.fixture
async def shapes(desk: Desk) -> Shapes:
    return Shapes((await desk.client.get("/openapi.json")).json())


async def test_a_snapshot_is_as_the_page_was_told(store: Store, desk: Desk, shapes: Shapes) -> None:
    """Catches: a panel or a column that the page's types do not know."""
    baseline = f"{desk.campaign}-before"
    span = {"start": (NOW - timedelta(hours=1)).isoformat(), "end": (NOW + timedelta(hours=1)).isoformat()}
    for name, more in ((baseline, {}), (desk.campaign, {"baseline_campaign_id": baseline})):
        body = {
            "name": "Double 11",
            **span,
            "phases": [{"name": "burst", **span}],
            "targets": {"total": {"gmv": "10.00", "uv": 5, "roas": 2}, "phases": {"burst": {"gmv": 5}}},
            "budgets": {"app": "10.00"},
            **more,
        }
        assert (await desk.client.put(f"/api/v1/campaigns/{name}", json=body)).status_code == 200
        insert_rows(store, "order_events", [order(name, 5, 1500)])
    store.command(_FIRED, {"alert_id": f"{desk.campaign}-1", "campaign_id": desk.campaign})
    async with desk.snapshots() as source:
        tick = await source.tick()
    snapshot: dict[str, Any] = tick.snapshot
    assert snapshot["alerts"]["rows"]
    assert snapshot["channels"]["rows"]
    assert snapshot["pulse"]["rows"]
    assert snapshot["pacing"]["rows"]
    assert shapes.component("Snapshot", snapshot) == []
    for asked in ({"at": (NOW - timedelta(minutes=1)).isoformat()}, {"device_category": "mobile"}):
        answer = await desk.client.get(f"{desk.path}/snapshot", params=asked)
        assert answer.status_code == 200, "which the client has judged"


async def test_what_is_not_told_of_is_a_fault(desk: Desk, shapes: Shapes) -> None:
    """Catches: a judge that lets everything pass."""
    answer = await desk.client.get("/api/v1/metrics", params={"limit": 1})
    body = answer.json()
    assert shapes.component("CatalogueList", body) == []
    for change in ({"unit": "yards"}, {"name": None}, {"colour": "red"}):
        assert shapes.component("CatalogueList", {**body, "rows": [{**body["rows"][0], **change}]})
    del body["next_cursor"]
    assert shapes.component("CatalogueList", body)
