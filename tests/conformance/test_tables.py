"""Breakdowns, series, funnels and stock equal the oracle's, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, NEVER_PUT
from tests.conformance.compare import differences, nothing, same
from tests.conformance.oracle import (
    DIMENSIONS,
    FUNNEL,
    METRICS,
    Number,
    bucket_start,
    buckets,
    instant,
    lacks,
    measure,
    minute,
)
from tests.conformance.system import System

WIDE = ("2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z")
NIGHT = ("2025-11-10T23:13:37+08:00", "2025-11-11T11:47:59.999+08:00")


def empty(system: System, campaign: str, *dimensions: str | None) -> dict[str, Number]:
    """The metrics where no event is, filtered or grouped by the dimensions."""
    return measure([], system.oracle.margin(campaign), lacks({name for name in dimensions if name}))


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize(
    ("campaign", "period", "filters"),
    [
        (FESTIVAL, WIDE, {}),
        (FESTIVAL, NIGHT, {}),
        (FESTIVAL, NIGHT, {"channel": "app"}),
        (FESTIVAL, WIDE, {"item_id": "sku-1"}),
        (FESTIVAL, WIDE, {"phase": "爆发期", "region": "CN-31"}),
        (DST, WIDE, {}),
        (NEVER_PUT, ("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z"), {}),
    ],
    ids=["all", "a night", "filtered", "of an item", "two filters", "dst", "never put"],
)
def test_breakdown(
    system: System, dimension: str, campaign: str, period: tuple[str, str], filters: dict[str, str]
) -> None:
    """Every value has its row with every metric; a row without events may only say that there are none."""
    answer = system.get(
        f"/campaigns/{campaign}/breakdown",
        dimension=dimension,
        metrics=",".join(METRICS),
        limit=1000,
        from_=period[0],
        to=period[1],
        **filters,
    )
    assert answer["columns"] == [dimension, *METRICS]
    rows = {row[dimension]: row for row in answer["rows"]}
    assert len(rows) == len(answer["rows"])
    start, end = map(instant, period)
    expected = {value: row for (_, value), row in system.oracle.table(campaign, start, end, filters, dimension).items()}
    wrong = [f"{value!r} has no row" for value, row in expected.items() if value not in rows and not nothing(row)]
    for value, row in rows.items():
        wanted = expected.get(value) or empty(system, campaign, dimension, *filters)
        wrong += [f"{value!r}: {line}" for line in differences(row, wanted, METRICS)]
    assert not wrong


@pytest.mark.parametrize("dimension", ["channel", "item_id", "utm_source"])
@pytest.mark.parametrize(("order_by", "limit"), [("-gmv", 3), ("gmv", 5), ("-uv", 1), ("-orders_refunded", 20)])
def test_order_and_limit(system: System, dimension: str, order_by: str, limit: int) -> None:
    """The first rows by a metric are the first of all rows; among equals any may come first."""
    name = order_by.removeprefix("-")
    rows = system.get(
        f"/campaigns/{FESTIVAL}/breakdown",
        dimension=dimension, metrics=f"{name},pv", order_by=order_by, limit=limit, from_=WIDE[0], to=WIDE[1],
    )["rows"]  # fmt: skip
    table = system.oracle.table(FESTIVAL, instant(WIDE[0]), instant(WIDE[1]), {}, dimension)
    ordered = sorted((row[name] or 0 for row in table.values()), reverse=order_by.startswith("-"))
    assert [same(name, row[name], value) for row, value in zip(rows, ordered[:limit], strict=True)] == [True] * len(
        rows
    )
    assert all(same(name, row[name], table[None, row[dimension]][name]) for row in rows)


SERIES = [
    (FESTIVAL, "1m", NIGHT, None, {}),
    (FESTIVAL, "15m", NIGHT, None, {}),
    (FESTIVAL, "15m", WIDE, None, {"channel": "app"}),
    (FESTIVAL, "1h", WIDE, None, {}),
    (FESTIVAL, "1d", WIDE, None, {}),
    (FESTIVAL, "1d", ("2025-11-10T23:00:00+08:00", "2025-11-12T01:00:00+08:00"), None, {"item_id": "sku-1"}),
    (DST, "1d", ("2025-10-30T00:00:00-04:00", "2025-11-05T00:00:00-05:00"), None, {}),
    (DST, "1h", ("2025-11-01T22:00:00-04:00", "2025-11-02T06:00:00-05:00"), None, {}),
    (NEVER_PUT, "1h", ("2024-02-28T12:34:00Z", "2024-02-29T12:00:00Z"), None, {}),
    *((FESTIVAL, "1d", WIDE, dimension, {}) for dimension in DIMENSIONS),
    (FESTIVAL, "1h", NIGHT, "channel", {}),
    (FESTIVAL, "1m", ("2025-11-10T23:50:00+08:00", "2025-11-11T00:20:00+08:00"), "channel", {}),
    (FESTIVAL, "15m", NIGHT, "item_category", {"channel": "app"}),
    (FESTIVAL, "1m", ("2025-11-11T10:20:00+08:00", "2025-11-11T10:40:00+08:00"), "phase", {}),
    (DST, "1d", WIDE, "channel", {"region": "CN-31"}),
]


@pytest.mark.parametrize(("campaign", "interval", "period", "group_by", "filters"), SERIES)
def test_series(
    system: System,
    campaign: str,
    interval: str,
    period: tuple[str, str],
    group_by: str | None,
    filters: dict[str, str],
) -> None:
    """Every bucket is there, on the campaign's clock, with distinct counts of its own; empty ones hold zeros."""
    zone = campaign_zone(system, campaign)
    answer = system.get(
        f"/campaigns/{campaign}/timeseries",
        metrics=",".join(METRICS),
        interval=interval,
        group_by=group_by,
        from_=period[0],
        to=period[1],
        **filters,
    )
    assert answer["columns"] == ["time", *([group_by] if group_by else []), *METRICS]
    start, end = map(instant, period)
    expected = system.oracle.table(
        campaign, start, end, filters, group_by, lambda moment: bucket_start(moment, interval, zone)
    )
    said = {(instant(row["time"]), row[group_by] if group_by else None): row for row in answer["rows"]}
    assert len(said) == len(answer["rows"])
    starts = buckets(start, end, interval, zone)
    if group_by is None:
        assert [moment for moment, _ in said] == starts
    assert {moment for moment, _ in said} <= set(starts)
    for row in answer["rows"]:
        local = datetime.fromisoformat(row["time"])
        assert local.utcoffset() == local.astimezone(zone).utcoffset(), "times are on the campaign's clock"
    wrong = [f"{key} has no row" for key, row in expected.items() if key not in said and not nothing(row)]
    for key, row in said.items():
        wanted = expected.get(key) or empty(system, campaign, group_by, *filters)
        wrong += [f"{key}: {line}" for line in differences(row, wanted, METRICS)]
    assert not wrong[:20]


def campaign_zone(system: System, campaign: str) -> ZoneInfo:
    """The zone in force; the contract leaves open which one it is for a campaign that was never PUT."""
    return ZoneInfo(system.get(f"/campaigns/{campaign}")["timezone"])


def test_series_into_the_future(system: System) -> None:
    """What is complete is exact; what may still come is null, or what has come already."""
    now = datetime.now(UTC)
    period = (now - timedelta(hours=3)).isoformat(), (now + timedelta(minutes=30)).isoformat()
    rows = system.get(
        f"/campaigns/{LIVE}/timeseries", metrics="pv,orders_paid,ad_cost", interval="1m", from_=period[0], to=period[1]
    )["rows"]
    start, end = map(instant, period)
    expected = system.oracle.table(LIVE, start, end, {}, None, minute)
    assert [instant(row["time"]) for row in rows] == buckets(start, end, "1m", ZoneInfo("UTC"))
    for row in rows:
        at = instant(row["time"])
        wanted = expected.get((at, None))
        names = ("pv", "orders_paid", "ad_cost")
        if wanted is not None:
            assert not differences(row, wanted, names)
        elif at < minute(now) - timedelta(minutes=1):
            assert not differences(row, empty(system, LIVE), names)
        elif at > now + timedelta(minutes=1):
            assert all(row[name] is None for name in names), "no zeros where data may still come"


FUNNELS: list[tuple[str, tuple[str, str], str | None, dict[str, str]]] = [
    (FESTIVAL, WIDE, None, {}),
    (FESTIVAL, NIGHT, None, {}),
    (FESTIVAL, ("2025-11-11T00:00:00+08:00", "2025-11-11T00:07:00+08:00"), None, {}),
    *((FESTIVAL, WIDE, dimension, {}) for dimension in DIMENSIONS),
    (FESTIVAL, WIDE, "channel", {"item_id": "sku-1"}),
    (FESTIVAL, NIGHT, "item_category", {"channel": "app"}),
    (FESTIVAL, WIDE, None, {"channel": "app"}),
    (FESTIVAL, WIDE, None, {"item_id": "sku-1"}),
    (FESTIVAL, WIDE, None, {"item_category": "unknown"}),
    (FESTIVAL, WIDE, None, {"item_id": "sku-2", "item_category": "phones"}),
    (FESTIVAL, WIDE, None, {"phase": "爆发期"}),
    (FESTIVAL, WIDE, None, {"phase": "unknown"}),
    (FESTIVAL, WIDE, None, {"device_category": "mobile"}),
    (FESTIVAL, WIDE, None, {"customer_type": "new"}),
    (FESTIVAL, WIDE, None, {"utm_source": "a=b&c=d"}),
    (FESTIVAL, WIDE, None, {"region": "no such region"}),
    (DST, WIDE, None, {}),
    (DST, WIDE, "region", {}),
]


@pytest.mark.parametrize(("campaign", "period", "group_by", "filters"), FUNNELS)
def test_funnel(
    system: System, campaign: str, period: tuple[str, str], group_by: str | None, filters: dict[str, str]
) -> None:
    """Users by the furthest step that they reached in order, and both conversions."""
    answer = system.get(f"/campaigns/{campaign}/funnel", group_by=group_by, from_=period[0], to=period[1], **filters)
    assert answer["columns"] == [
        *([group_by] if group_by else []),
        "step",
        "users",
        "step_conversion",
        "overall_conversion",
    ]
    said: dict[str | None, list[dict[str, Any]]] = {}
    for row in answer["rows"]:
        said.setdefault(row[group_by] if group_by else None, []).append(row)
    expected = system.oracle.funnel(campaign, instant(period[0]), instant(period[1]), filters, group_by)
    assert not [value for value, users in expected.items() if value not in said and any(users)]
    lacking = [None if lacks({*filters, *([group_by] if group_by else [])}) & kinds else 0 for kinds in STEP_KINDS]
    for value, rows in said.items():
        assert [row["step"] for row in rows] == list(FUNNEL)
        users = expected.get(value, lacking)
        assert [row["users"] for row in rows] == users, value
        for number, row in enumerate(rows):
            assert same("", row["overall_conversion"], _share(users[number], users[0])), (value, row)
            # Nothing comes before the first step: all of its users or no ratio are both an answer.
            if number or row["step_conversion"] is not None:
                assert same("", row["step_conversion"], _share(users[number], users[max(0, number - 1)])), (value, row)


STEP_KINDS = [{"traffic"}] * 4 + [{"traffic", "orders"}] * 2


def _share(part: int | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else Fraction(part, whole)


@pytest.mark.parametrize("campaign", [FESTIVAL, DST, NEVER_PUT])
def test_inventory(system: System, campaign: str) -> None:
    """The latest level of each warehouse, whatever order they came in, summed over the warehouses."""
    answer = system.get(f"/campaigns/{campaign}/inventory")
    assert set(answer["columns"]) >= {"item_id", "available", "sell_rate_per_minute", "stockout_eta"}
    rows = {row["item_id"]: row["available"] for row in answer["rows"]}
    assert len(rows) == len(answer["rows"])
    assert rows == system.oracle.stock(campaign)


def test_catalogue(system: System) -> None:
    """It names every metric with its dimensions: those by which the metric is not null."""
    catalogue = {row["name"]: row for row in system.get("/metrics")["rows"]}
    assert set(catalogue) == set(METRICS)
    for name, row in catalogue.items():
        assert row["definition"]
        assert row["unit"]
        carried = {dimension for dimension in DIMENSIONS if _has(name, dimension)}
        assert set(row["dimensions"]) == carried, name


def _has(metric: str, dimension: str) -> bool:
    """Whether the metric can be split so: it is null for the lack of an event, or it is not."""
    kinds = {
        "pv": "traffic", "uv": "traffic", "sessions": "traffic", "conversion_rate": "traffic orders",
        "ad_cost": "spend", "impressions": "spend", "clicks": "spend", "cpc": "spend", "ctr": "spend",
        "cost": "spend coupons", "roas": "orders spend", "roi": "orders spend coupons", "cac": "orders spend coupons",
        "cpa": "orders spend",
    }  # fmt: skip
    default = "coupons" if metric.startswith("coupon") else "orders"
    return not lacks({dimension}) & set(kinds.get(metric, default).split())
