"""The contract's metrics in DuckDB's SQL, over any period, filtered and grouped by any dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.common.clock import to_datetime
from tests.festivals.duck_events import Duck

Filters = Mapping[str, str | Sequence[str]]

_EVERY: Final = {"channel", "region", "phase"}
CARRIED: Final[Mapping[str, set[str]]] = {
    "traffic": _EVERY | {"item_category", "item_id", "utm_source", "device_category"},
    "orders": _EVERY | {"item_category", "item_id", "utm_source", "customer_type"},
    "coupons": _EVERY,
    "spend": _EVERY | {"utm_source"},
}
"""The dimensions that each kind of event has."""
DIMENSIONS: Final = (
    "channel", "region", "item_category", "item_id", "utm_source", "device_category", "phase", "customer_type",
)  # fmt: skip


def _named(name: str, what: str = "count(DISTINCT event_id)") -> str:
    return f"{what} FILTER (name = '{name}')"


# A count is of events and not of rows: an order has a row for each of its lines where items are asked for.
MEASURES: Final[Mapping[str, Mapping[str, str]]] = {
    "traffic": {
        "pv": "count(*) FILTER (name IN ('page_view', 'view_item'))",
        "uv": "count(DISTINCT user_id)",
        "sessions": "count(DISTINCT session_id)",
    },
    "orders": {
        "orders_created": _named("order_created"),
        "orders_paid": _named("order_paid"),
        "orders_cancelled": _named("order_cancelled"),
        "orders_refunded": _named("order_refunded"),
        "payments_failed": _named("payment_failed"),
        "gmv": _named("order_created", "sum(amount)"),
        "paid_gmv": _named("order_paid", "sum(amount)"),
        "refund_amount": _named("order_refunded", "sum(amount)"),
        "buyers": _named("order_paid", "count(DISTINCT user_id)"),
        "new_buyers": "count(DISTINCT user_id) FILTER (name = 'order_paid' AND new_customer)",
    },
    "coupons": {
        "coupons_issued": _named("coupon_issued"),
        "coupons_claimed": _named("coupon_claimed"),
        "coupons_redeemed": _named("coupon_redeemed"),
        "coupon_cost": _named("coupon_redeemed", "sum(amount)"),
    },
    "spend": {"ad_cost": "sum(amount)", "impressions": "sum(impressions)", "clicks": "sum(clicks)"},
}
MONEY: Final = {"gmv", "paid_gmv", "refund_amount", "net_sales", "coupon_cost", "ad_cost", "cost"}
DISTINCT: Final = {"uv", "sessions", "buyers", "new_buyers"}

DERIVED: Final[Mapping[str, str]] = {
    "net_sales": "paid_gmv - refund_amount",
    "aov": "paid_gmv / nullif(orders_paid, 0)",
    "conversion_rate": "buyers / nullif(uv, 0)",
    "payment_rate": "orders_paid / nullif(orders_created, 0)",
    "refund_rate": "orders_refunded / nullif(orders_paid, 0)",
    "refund_amount_rate": "refund_amount / nullif(paid_gmv, 0)",
    "coupon_redemption_rate": "coupons_redeemed / nullif(coupons_claimed, 0)",
    "cost": "ad_cost + coupon_cost",
    "roas": "paid_gmv / nullif(ad_cost, 0)",
    "roi": "((paid_gmv - refund_amount) * $margin::DECIMAL(9, 4) - (ad_cost + coupon_cost))"
    " / nullif(ad_cost + coupon_cost, 0)",
    "cac": "(ad_cost + coupon_cost) / nullif(new_buyers, 0)",
    "cpa": "ad_cost / nullif(orders_paid, 0)",
    "cpc": "ad_cost / nullif(clicks, 0)",
    "ctr": "clicks / nullif(impressions, 0)",
}
METRICS: Final = (*(name for names in MEASURES.values() for name in names), *DERIVED)


def lacking(kind: str, dimensions: set[str]) -> bool:
    """Whether events of this kind do not have all of the dimensions."""
    return not dimensions <= CARRIED[kind]


def source(kind: str, dimensions: set[str]) -> str:
    """The table to read: lines of orders where items are in play."""
    return "lines" if kind == "orders" and dimensions & {"item_id", "item_category"} else kind


def condition(filters: Filters) -> str:
    """The filters as SQL; several values of one dimension are alternatives."""
    parts = []
    for name, value in filters.items():
        values = [value] if isinstance(value, str) else list(value)
        parts.append(f"{name} IN ({', '.join(_text(each) for each in values)})")
    return " AND ".join(parts) or "true"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def bucket(interval: str, shift: timedelta = timedelta(0)) -> str:
    """The start of the bucket on the clock of the zone `$zone` that holds the event, moved by `shift`."""
    happened = f"(happened + INTERVAL '{round(shift.total_seconds() * 1000)} milliseconds')" if shift else "happened"
    local = f"({happened} AT TIME ZONE $zone)"
    if interval == "1d":
        return f"date_trunc('day', {local}) AT TIME ZONE $zone"
    length = {"1m": "1 minute", "5m": "5 minutes", "15m": "15 minutes", "1h": "1 hour"}[interval]
    return f"{happened} - ({local} - time_bucket(INTERVAL '{length}', {local}))"


def measured(
    duck: Duck,
    campaign: str,
    start: datetime,
    end: datetime,
    *,
    filters: Filters | None = None,
    by: str | None = None,
    interval: str | None = None,
    shift: timedelta = timedelta(0),
    zone: str | None = None,
) -> dict[tuple[datetime | None, str | None], dict[str, Any]]:
    """Every metric by (bucket, value of the dimension); None where a kind of event lacks a dimension.

    What has no events has no entry, but for the whole (no bucket, no dimension), which always has one. The period is
    that of the events; `shift` is added to their moments before they go into buckets.
    """
    filters = filters or {}
    dimensions = {*filters, *([by] if by else [])}
    parts = []
    for kind, measures in MEASURES.items():
        if lacking(kind, dimensions):
            continue
        columns = ", ".join(f"{sql} AS {name}" for name, sql in measures.items())
        parts.append(
            f"SELECT {bucket(interval, shift) if interval else 'NULL::TIMESTAMPTZ'} AS bucket,"
            f" {by or 'NULL::VARCHAR'} AS slice, {columns}"
            f" FROM {source(kind, dimensions)}"
            f" WHERE campaign = $campaign AND happened >= date_trunc('minute', $start::TIMESTAMPTZ)"
            f" AND happened < date_trunc('minute', $end::TIMESTAMPTZ) AND {condition(filters)}"
            + ("" if by is None and interval is None else " GROUP BY ALL")
        )
    if not parts:
        return {(None, None): dict.fromkeys(METRICS)} if by is None and interval is None else {}
    columns = ", ".join(
        f"NULL::BIGINT AS {name}" if lacking(kind, dimensions) else f"coalesce(sum({name}), 0) AS {name}"
        for kind, measures in MEASURES.items()
        for name in measures
    )
    derived = ", ".join(f"({sql}) AS {name}" for name, sql in DERIVED.items())
    rows = duck.query(
        f"WITH parts AS ({' UNION ALL BY NAME '.join(parts)}),"
        f" whole AS (SELECT bucket, slice, {columns} FROM parts GROUP BY bucket, slice)"
        f" SELECT * REPLACE (epoch_ms(bucket) AS bucket), {derived} FROM whole",
        campaign=campaign,
        start=start,
        end=end,
        zone=zone or zone_of(duck, campaign),
        margin=str(duck.campaigns.get(campaign, {}).get("gross_margin", 1)),
    )
    return {
        (None if (bucket_ms := row.pop("bucket")) is None else to_datetime(bucket_ms), row.pop("slice")): row
        for row in rows
    }


def overview(
    duck: Duck, campaign: str, start: datetime, end: datetime, filters: Filters | None = None
) -> dict[str, Any]:
    """Every metric over one period."""
    return measured(duck, campaign, start, end, filters=filters)[None, None]


def nothing(dimensions: set[str]) -> dict[str, Any]:
    """The metrics where there are no events: zero, or None for want of a dimension or a denominator."""
    values: dict[str, Any] = {
        name: None if lacking(kind, dimensions) else 0 for kind, names in MEASURES.items() for name in names
    }
    values["net_sales"] = values["paid_gmv"]
    values["cost"] = None if values["ad_cost"] is None or values["coupon_cost"] is None else 0
    return {**dict.fromkeys(METRICS), **values}


def not_yet(dimensions: set[str], pending: set[str]) -> dict[str, Any]:
    """The metrics of an empty bucket in which events of the pending kinds may still come: those are not zero."""
    values = nothing(dimensions)
    gone = {name for kind in pending & MEASURES.keys() for name in MEASURES[kind]}
    gone |= {"net_sales"} if "orders" in pending else set()
    gone |= {"cost"} if pending & {"spend", "coupons"} else set()
    return {name: None if name in gone else value for name, value in values.items()}


def zone_of(duck: Duck, campaign: str) -> str:
    """The campaign's time zone."""
    return str(duck.campaigns.get(campaign, {}).get("timezone", "Asia/Shanghai"))
