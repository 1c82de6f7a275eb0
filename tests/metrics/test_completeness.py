"""How complete an answer is: a number that is taken for final while events are missing moves money wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import to_datetime
from services.common.query.completeness import KINDS, Completeness, kinds_behind
from services.common.store import Store
from services.common.tabular import time_text
from tests.metrics.conftest import NOW_MS, Desk
from tests.support.rows import insert_rows, money

NOW = to_datetime(NOW_MS)
MINUTES_BEHIND = {"traffic": 1, "orders": 3, "coupons": 5, "inventory": 7, "spend": 9}
PERIOD = {"from": "2026-11-10T23:00:00Z", "to": "2026-11-10T23:56:00Z"}

WATERMARKS = st.dictionaries(st.sampled_from(KINDS), st.integers(1, 100))


@given(marks=WATERMARKS, as_of=st.integers(1, 100), kinds=st.sets(st.sampled_from(KINDS), min_size=1))
def test_an_answer_is_complete_only_up_to_the_kind_that_lags_most(
    marks: dict[str, int], as_of: int, kinds: set[str]
) -> None:
    known = Completeness(as_of, marks)
    for end in range(102):
        certain = end <= as_of and all(kind in marks and end <= marks[kind] for kind in kinds)
        assert known.covers(end, kinds) == certain


def test_nothing_is_complete_of_a_kind_that_ingest_never_reported() -> None:
    fields = Completeness(NOW_MS, {"orders": NOW_MS}).fields(0, ("orders", "traffic"))
    assert fields["watermark"] is None
    assert fields["complete"] is False
    assert set(fields["watermarks"]) == set(KINDS)


def test_a_metric_that_lacks_the_dimension_holds_nothing_up() -> None:
    assert kinds_behind(["gmv", "ad_cost"], ["channel"]) == {"orders", "spend"}
    assert kinds_behind(["gmv", "ad_cost"], ["item_id"]) == {"orders"}
    assert kinds_behind(["ad_cost"], ["item_id"]) == {"spend"}


@pytest.fixture
def marks(store: Store) -> Iterator[dict[str, datetime]]:
    """The watermarks of all kinds, of a topic that no other test speaks of."""
    moments = {kind: NOW - timedelta(minutes=minutes) for kind, minutes in MINUTES_BEHIND.items()}
    store.command("TRUNCATE TABLE ingest_progress")
    for kind, moment in moments.items():
        store.command(
            "INSERT INTO ingest_progress SELECT 'completeness.' || {kind:String}, 0, {kind:String}, 1, 1, "
            "fromUnixTimestamp64Milli({at:Int64}, 'UTC'), now64(3)",
            {"kind": kind, "at": int(moment.timestamp() * 1000)},
        )
    yield moments
    store.command("TRUNCATE TABLE ingest_progress")


def order(campaign: str) -> dict[str, object]:
    return {
        "event_id": "one",
        "event_name": "order_paid",
        "event_time": NOW - timedelta(minutes=20),
        "campaign_id": campaign,
        "user_id": "u",
        "channel": "app",
        "region": "CN-31",
        "value": money(100),
    }


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("overview", {"traffic", "orders", "coupons", "spend"}),
        ("overview?item_id=x", {"traffic", "orders"}),
        ("timeseries?metrics=gmv", {"orders"}),
        ("timeseries?metrics=uv,roas", {"traffic", "orders", "spend"}),
        ("timeseries?metrics=uv,ad_cost&group_by=device_category", {"traffic"}),
        ("breakdown?dimension=channel&metrics=conversion_rate", {"traffic", "orders"}),
        ("funnel", {"traffic", "orders"}),
        ("inventory", {"orders", "inventory", "traffic", "spend"}),
        ("ladder", {"orders"}),
        ("cohorts", {"orders", "spend"}),
        ("experiments", {"traffic", "orders"}),
        ("cohorts?age=1d", {"orders"}),
        ("attribution?model=order", {"orders", "coupons", "spend"}),
        ("attribution?by=utm_source", {"orders", "traffic", "spend"}),
        ("attribution?by=utm_campaign", {"orders", "traffic"}),
    ],
)
async def test_every_answer_over_a_period_says_how_far_the_events_behind_it_are_in(
    store: Store, desk: Desk, marks: dict[str, datetime], path: str, kinds: set[str]
) -> None:
    insert_rows(store, "order_events", [order(desk.campaign)])
    slowest = min(marks[kind] for kind in kinds)
    for end in (slowest.replace(second=0), slowest.replace(second=0) + timedelta(minutes=1)):
        answer = (await desk.client.get(f"{desk.path}/{path}", params={**query(path), "to": time_text(end)})).json()
        assert answer["as_of"] == time_text(NOW)
        assert answer["watermark"] == time_text(slowest)
        assert answer["watermarks"] == {kind: time_text(moment) for kind, moment in marks.items()}
        assert answer["complete"] is (end <= slowest)


def query(path: str) -> dict[str, str]:
    """The parameters in the path: httpx drops them where others are given."""
    return dict(part.split("=") for part in path.partition("?")[2].split("&") if part)


async def test_the_minute_that_is_not_over_is_never_complete(
    store: Store, desk: Desk, marks: dict[str, datetime]
) -> None:
    insert_rows(store, "order_events", [order(desk.campaign)])
    store.command(
        "ALTER TABLE ingest_progress UPDATE watermark = fromUnixTimestamp64Milli({at:Int64}, 'UTC') WHERE 1 "
        "SETTINGS mutations_sync = 2",
        {"at": NOW_MS + 3_600_000},
    )
    answer = (await desk.client.get(f"{desk.path}/timeseries", params={"metrics": "gmv"})).json()
    assert answer["complete"] is False
    whole = {"metrics": "gmv", "to": time_text(NOW.replace(second=0))}
    assert (await desk.client.get(f"{desk.path}/timeseries", params=whole)).json()["complete"] is True


async def test_every_form_of_a_table_says_the_same(store: Store, desk: Desk, marks: dict[str, datetime]) -> None:
    insert_rows(store, "order_events", [order(desk.campaign)])
    url, query = f"{desk.path}/timeseries", {**PERIOD, "metrics": "gmv"}
    said = {"as_of": time_text(NOW), "watermark": time_text(marks["orders"]), "complete": "true"}
    for form in ("csv", "arrow", "parquet"):
        answer = await desk.client.get(url, params={**query, "format": form})
        for name, value in said.items():
            assert answer.headers[f"Warroom-{name.replace('_', '-')}"] == value, (form, name)
        if form == "csv":
            continue
        schema = (
            pa.ipc.open_stream(answer.content).schema
            if form == "arrow"
            else pq.read_schema(pa.BufferReader(answer.content))
        )
        assert {name: schema.metadata[f"warroom_{name}".encode()].decode() for name in said} == said


async def test_the_stream_says_it_of_the_whole_and_of_each_panel(
    store: Store, desk: Desk, marks: dict[str, datetime]
) -> None:
    insert_rows(store, "order_events", [order(desk.campaign)])
    async with desk.snapshots() as snapshots:
        full = (await snapshots.tick()).snapshot
    assert full["watermark"] == time_text(marks["spend"])
    assert full["overview"]["watermark"] == time_text(marks["spend"])
    assert full["funnel"]["watermark"] == time_text(marks["orders"])
    assert full["inventory"]["watermark"] == time_text(marks["inventory"])
    assert full["pacing"]["rows"] == []
    assert full["complete"] is False
