"""Breakdowns, series, funnels and stock equal the oracle's, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, NEVER_PUT, NIGHT, WIDE
from tests.conformance.checks import Period, breakdown_problems, funnel_problems, series_problems, stock_problems
from tests.conformance.compare import differences, same
from tests.conformance.oracle import DIMENSIONS, METRICS, buckets, instant, lacks, minute
from tests.conformance.system import System

LEAP_DAY = ("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z")


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize(
    ("campaign", "period", "filters"),
    [
        (FESTIVAL, WIDE, {}),
        (FESTIVAL, NIGHT, {"channel": "app"}),
        (FESTIVAL, WIDE, {"item_id": "sku-1"}),
        (FESTIVAL, WIDE, {"phase": "爆发期", "region": "CN-31"}),
        (DST, WIDE, {}),
        (NEVER_PUT, LEAP_DAY, {}),
    ],
    ids=["all", "of a channel by night", "of an item", "of a phase and region", "dst", "many items"],
)
def test_breakdown(system: System, dimension: str, campaign: str, period: Period, filters: dict[str, str]) -> None:
    """Catches an order counted once an item, amounts that items do not add up to, and distinct sums."""
    assert not breakdown_problems(system, campaign, dimension, period, filters)


@pytest.mark.parametrize("dimension", ["channel", "item_id"])
@pytest.mark.parametrize(("order_by", "limit"), [("-gmv", 3), ("gmv", 5), ("-uv", 1), ("-orders_refunded", 20)])
def test_order_and_limit(system: System, dimension: str, order_by: str, limit: int) -> None:
    """The first rows by a metric are the first of all rows; among equals any may come first."""
    name = order_by.removeprefix("-")
    rows = system.get(
        f"/campaigns/{FESTIVAL}/breakdown",
        dimension=dimension, metrics=f"{name},pv", order_by=order_by, limit=limit, from_=WIDE[0], to=WIDE[1],
    )["rows"]  # fmt: skip
    table = system.oracle.table(FESTIVAL, instant(WIDE[0]), instant(WIDE[1]), {}, dimension)
    ordered = sorted((row[name] or 0 for row in table.values()), reverse=order_by.startswith("-"))[:limit]
    assert len(rows) == len(ordered)
    assert all(same(name, row[name], value) for row, value in zip(rows, ordered, strict=True))
    assert all(same(name, row[name], table[None, row[dimension]][name]) for row in rows)


SERIES: list[tuple[str, str, Period, str | None, dict[str, str]]] = [
    (FESTIVAL, "1m", ("2025-11-10T22:30:00+08:00", "2025-11-11T01:30:00+08:00"), None, {}),
    (FESTIVAL, "15m", NIGHT, None, {}),
    (FESTIVAL, "15m", NIGHT, None, {"channel": "app"}),
    (FESTIVAL, "1h", NIGHT, None, {"region": "CN-31", "utm_source": "douyin"}),
    (FESTIVAL, "1h", ("2025-11-10T10:00:00Z", "2025-11-11T22:00:00Z"), None, {}),
    (FESTIVAL, "1d", WIDE, None, {}),
    (FESTIVAL, "1d", ("2025-11-10T23:00:00+08:00", "2025-11-12T01:00:00+08:00"), None, {"item_id": "sku-1"}),
    (DST, "1d", ("2025-10-30T00:00:00-04:00", "2025-11-05T00:00:00-05:00"), None, {}),
    (DST, "1h", ("2025-11-01T22:00:00-04:00", "2025-11-02T06:00:00-05:00"), None, {}),
    (NEVER_PUT, "1h", ("2024-02-28T12:34:00Z", "2024-02-29T12:00:00Z"), None, {}),
    *((FESTIVAL, "1d", ("2025-11-10T00:00:00Z", "2025-11-12T00:00:00Z"), dimension, {}) for dimension in DIMENSIONS),
    (FESTIVAL, "1h", NIGHT, "channel", {}),
    (FESTIVAL, "1m", ("2025-11-10T23:50:00+08:00", "2025-11-11T00:10:00+08:00"), "channel", {}),
    (FESTIVAL, "15m", NIGHT, "item_category", {"channel": "app"}),
    (FESTIVAL, "1m", ("2025-11-11T10:20:00+08:00", "2025-11-11T10:40:00+08:00"), "phase", {}),
    (DST, "1d", ("2025-11-01T00:00:00Z", "2025-11-05T00:00:00Z"), "channel", {"region": "CN-31"}),
]


@pytest.mark.parametrize(("campaign", "interval", "period", "group_by", "filters"), SERIES)
def test_series(
    system: System, campaign: str, interval: str, period: Period, group_by: str | None, filters: dict[str, str]
) -> None:
    """Catches days cut in UTC, a clock that falls back, events on a bucket's edge, and empty buckets left out."""
    assert not series_problems(system, campaign, interval, period, group_by, filters)[:20]


def test_series_into_the_future(system: System) -> None:
    """What is complete is exact; what may still come is null, or what has come already."""
    now = datetime.now(UTC)
    names = ("pv", "orders_paid", "ad_cost")
    period = (now - timedelta(hours=3)).isoformat(), (now + timedelta(minutes=30)).isoformat()
    rows = system.get(
        f"/campaigns/{LIVE}/timeseries", metrics=",".join(names), interval="1m", from_=period[0], to=period[1]
    )["rows"]
    start, end = map(instant, period)
    expected = system.oracle.table(LIVE, start, end, {}, None, minute)
    assert [instant(row["time"]) for row in rows] == buckets(start, end, "1m", ZoneInfo("UTC"))
    nothing = system.oracle.overview(LIVE, start, start)
    for row in rows:
        at = instant(row["time"])
        wanted = expected.get((at, None))
        if wanted is not None:
            assert not differences(row, wanted, names)
        elif at < minute(now) - timedelta(minutes=1):
            assert not differences(row, nothing, names)
        elif at > now + timedelta(minutes=1):
            assert all(row[name] is None for name in names), "no zeros where data may still come"


FUNNELS: list[tuple[str, Period, str | None, dict[str, str]]] = [
    (FESTIVAL, WIDE, None, {}),
    (FESTIVAL, NIGHT, None, {}),
    (FESTIVAL, ("2025-11-11T00:00:00+08:00", "2025-11-11T00:07:00+08:00"), None, {}),
    *((FESTIVAL, WIDE, dimension, {}) for dimension in DIMENSIONS),
    (FESTIVAL, WIDE, "channel", {"item_id": "sku-1"}),
    (FESTIVAL, NIGHT, "item_category", {"channel": "app"}),
    (FESTIVAL, WIDE, None, {"channel": "app"}),
    (FESTIVAL, WIDE, None, {"item_category": "unknown"}),
    (FESTIVAL, WIDE, None, {"item_id": "sku-2", "item_category": "phones"}),
    (FESTIVAL, WIDE, None, {"phase": "爆发期"}),
    (FESTIVAL, WIDE, None, {"device_category": "mobile"}),
    (FESTIVAL, WIDE, None, {"customer_type": "new"}),
    (FESTIVAL, WIDE, None, {"utm_source": "a=b&c=d"}),
    (FESTIVAL, WIDE, None, {"region": "no such region"}),
    (DST, WIDE, "region", {}),
]


@pytest.mark.parametrize(("campaign", "period", "group_by", "filters"), FUNNELS)
def test_funnel(system: System, campaign: str, period: Period, group_by: str | None, filters: dict[str, str]) -> None:
    """Catches steps taken out of order, users counted twice, equal times, and traffic named like an order."""
    assert not funnel_problems(system, campaign, period, group_by, filters)


@pytest.mark.parametrize("campaign", [FESTIVAL, DST, NEVER_PUT])
@pytest.mark.parametrize("end", [None, "2025-11-11T03:21:00+08:00"])
def test_inventory(system: System, campaign: str, end: str | None) -> None:
    """Catches the last arrival taken for the latest level, and warehouses that replace each other."""
    assert not stock_problems(system, campaign, end)


def test_catalogue(system: System) -> None:
    """It names every metric with its dimensions: those by which the metric is not null for want of them."""
    catalogue = {row["name"]: row for row in system.get("/metrics")["rows"]}
    assert set(catalogue) == set(METRICS)
    for name, row in catalogue.items():
        assert row["definition"]
        assert row["unit"]
        carried = {dimension for dimension in DIMENSIONS if not lacks({dimension}) & _kinds(name)}
        assert set(row["dimensions"]) == carried, name


def _kinds(metric: str) -> set[str]:
    """The kinds of events that a metric is made of."""
    kinds = {
        "pv": "traffic", "uv": "traffic", "sessions": "traffic", "conversion_rate": "traffic orders",
        "ad_cost": "spend", "impressions": "spend", "clicks": "spend", "cpc": "spend", "ctr": "spend",
        "cost": "spend coupons", "roas": "orders spend", "roi": "orders spend coupons", "cac": "orders spend coupons",
        "cpa": "orders spend",
    }  # fmt: skip
    return set(kinds.get(metric, "coupons" if metric.startswith("coupon") else "orders").split())
