"""The explained columns are those that the tables have."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.explanations.tables import TABLES
from schemas.explanations.text import TableText
from schemas.metrics import METRICS
from services.common.clock import to_datetime
from services.common.store import Store
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.test_baselines import paid
from tests.support.rows import insert_rows

CALLS = {
    "pacing": [""],
    "ladder": [""],
    "attribution": ["", "?by=utm_source"],
    "cohorts": ["", "?age=1d"],
    "experiments": [""],
    "funnel": [""],
    "inventory": [""],
}
# The names of rows: the dimension that was asked for.
DIMENSIONS = {"channel", "utm_source"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
async def test_every_column_is_explained_and_none_that_is_not_there(store: Store, desk: Desk, table: TableText) -> None:
    insert_rows(store, "order_events", [paid(desk.campaign, to_datetime(NOW_MS) - timedelta(minutes=5), 100)])
    columns: set[str] = set()
    for query in CALLS[table.path]:
        answer = await desk.client.get(f"{desk.path}/{table.path}{query}")
        columns |= set(answer.json()["columns"])
    named = {column.name for column in table.columns} | set(table.metrics)
    assert columns - named <= DIMENSIONS
    assert named <= columns


async def test_the_catalogue_over_http_explains_each_metric(desk: Desk) -> None:
    rows = {row["name"]: row for row in (await desk.client.get("/api/v1/metrics")).json()["rows"]}
    assert rows.keys() == METRICS.keys()
    for name, row in rows.items():
        assert METRICS[name].explanation.read.en in row["explanation"]
        assert METRICS[name].explanation.beware.zh in row["explanation_zh"]
