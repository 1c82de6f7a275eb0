"""What every rollup must hold, said a second time: SQL over the events, written apart from the views that feed it.

Read this beside `schemas/migrations/`: a rollup that is not described here is not audited, and a test fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.common.people import ERASED_MARK


class Shape(StrEnum):
    """How a column of a rollup adds up."""

    SUM = "sum"
    """Of numbers that are never negative."""
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    """A state of uniqCombined64(20)."""
    LAST = "last"
    """A state of argMax."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the events of a rollup are.

    `columns` says each key and measure in terms of them; `rows` is what stands after FROM, with `{where}` for what
    selects the events.
    """

    kind: str
    columns: Mapping[str, str]
    rows: str


@dataclass(frozen=True, slots=True)
class Rollup:
    """One table of which `only` selects the rows; their `keys`, their measures, and the sources of both.

    `moment` is the key by which a day is cut into pieces, None where a day has few rows.
    """

    table: str
    keys: tuple[str, ...]
    measures: Mapping[str, Shape]
    sources: tuple[Source, ...]
    moment: str | None
    only: str = "1"


_MINUTE = "toDateTime(intDiv(toUnixTimestamp64Milli(event_time), 60000) * 60, 'UTC')"
_SECOND = "toDateTime(intDiv(toUnixTimestamp64Milli(event_time), 1000), 'UTC')"
_MINUTE_KEYS = ("campaign_id", "value", "minute")


def all_rollups() -> Iterator[Rollup]:
    """Every rollup, those by minute once for each of their dimensions."""
    for dimension in ("", "channel", "region", "utm_source", "device_category", "item_category", "item_id"):
        yield _traffic(dimension)
    for dimension in ("", "channel", "region", "utm_source", "customer_type"):
        yield _orders(dimension)
    for dimension in ("item_id", "item_category"):
        yield _order_lines(dimension)
    for dimension in ("", "channel", "region"):
        yield _coupons(dimension)
    for dimension in ("", "channel", "region", "utm_source"):
        yield _spend(dimension)
    yield _stock()
    yield _pulse()
    yield _activity()


def dimensions_of(table: str) -> list[str]:
    """The dimensions that a rollup by minute may hold; none for a table that has no dimensions."""
    return [
        rollup.only.split("'")[1] for rollup in all_rollups() if rollup.table == table and "dimension" in rollup.only
    ]


def _by_minute(dimension: str) -> dict[str, str]:
    return {"campaign_id": "campaign_id", "value": f"toString({dimension})" if dimension else "''", "minute": _MINUTE}


def _only(dimension: str) -> str:
    return f"dimension = '{dimension}'"


def _distinct(column: str, condition: str) -> str:
    # A rollup knows people by what they were called before they were erased.
    condition = f"({condition}) AND NOT startsWith({column}, '{ERASED_MARK}')"
    return f"uniqCombined64StateIf(20)({column}, {condition})"


def _traffic(dimension: str) -> Rollup:
    columns = {
        **_by_minute(dimension),
        "events": "count()",
        "pv": "countIf(event_name = 'page_view') + countIf(event_name = 'view_item')",
        "uv": _distinct("user_id", "0" if dimension == "item_id" else "1"),
        "sessions": _distinct("session_id", "notEmpty(session_id)" if dimension in ("", "channel") else "0"),
    }
    return Rollup(
        "traffic_by_minute",
        _MINUTE_KEYS,
        {"events": Shape.SUM, "pv": Shape.SUM, "uv": Shape.DISTINCT, "sessions": Shape.DISTINCT},
        (Source("traffic", columns, "traffic_events WHERE {where}"),),
        "minute",
        _only(dimension),
    )


_ORDER_SHAPES = {
    "orders_created": Shape.SUM,
    "orders_paid": Shape.SUM,
    "orders_cancelled": Shape.SUM,
    "orders_refunded": Shape.SUM,
    "payments_failed": Shape.SUM,
    "gmv": Shape.SUM,
    "paid_gmv": Shape.SUM,
    "refund_amount": Shape.SUM,
    "buyers": Shape.DISTINCT,
    "new_buyers": Shape.DISTINCT,
    "paid_units": Shape.SUM,
}


def _order_measures(amount: str, pieces: str) -> dict[str, str]:
    def count(name: str) -> str:
        return f"countIf(event_name = '{name}')"

    def total(name: str) -> str:
        return f"sum(if(event_name = '{name}', toDecimal128({amount}, 2), toDecimal128(0, 2)))"

    return {
        "orders_created": count("order_created"),
        "orders_paid": count("order_paid"),
        "orders_cancelled": count("order_cancelled"),
        "orders_refunded": count("order_refunded"),
        "payments_failed": count("payment_failed"),
        "gmv": total("order_created"),
        "paid_gmv": total("order_paid"),
        "refund_amount": total("order_refunded"),
        "buyers": _distinct("user_id", "event_name = 'order_paid'"),
        "new_buyers": _distinct("user_id", "event_name = 'order_paid' AND customer_type = 'new'"),
        "paid_units": pieces,
    }


def _orders(dimension: str) -> Rollup:
    columns = {**_by_minute(dimension), **_order_measures("e.value", "toUInt64(0)")}
    return Rollup(
        "orders_by_minute",
        _MINUTE_KEYS,
        _ORDER_SHAPES,
        (Source("orders", columns, "order_events AS e WHERE {where}"),),
        "minute",
        _only(dimension),
    )


def _order_lines(dimension: str) -> Rollup:
    """First each order's lines of one item (or category) are added up, then the orders."""
    lines = f"""
    (
        SELECT
            campaign_id,
            event_time,
            event_name,
            user_id,
            customer_type,
            if(empty(line_item_id), 'unknown', line_name) AS name,
            sum(if(empty(line_item_id), e.value, line_paid)) AS amount,
            sum(toUInt64(line_pieces)) AS pieces
        FROM order_events AS e
        LEFT ARRAY JOIN line_{dimension} AS line_name, line_amount AS line_paid, line_quantity AS line_pieces
        WHERE {{where}}
        GROUP BY
            campaign_id, event_time, event_name, user_id, customer_type, name, kafka_partition, kafka_offset,
            arrived_at, event_id
    )"""
    columns = {
        "campaign_id": "campaign_id",
        "value": "name",
        "minute": _MINUTE,
        **_order_measures("amount", "sumIf(pieces, event_name = 'order_paid')"),
    }
    return Rollup(
        "orders_by_minute",
        _MINUTE_KEYS,
        _ORDER_SHAPES,
        (Source("orders", columns, lines),),
        "minute",
        _only(dimension),
    )


def _coupons(dimension: str) -> Rollup:
    columns = {
        **_by_minute(dimension),
        "coupons_issued": "countIf(event_name = 'coupon_issued')",
        "coupons_claimed": "countIf(event_name = 'coupon_claimed')",
        "coupons_redeemed": "countIf(event_name = 'coupon_redeemed')",
        "coupon_cost": "sum(if(event_name = 'coupon_redeemed', toDecimal128(face_value, 2), toDecimal128(0, 2)))",
    }
    return Rollup(
        "coupons_by_minute",
        _MINUTE_KEYS,
        dict.fromkeys(("coupons_issued", "coupons_claimed", "coupons_redeemed", "coupon_cost"), Shape.SUM),
        (Source("coupons", columns, "coupon_events WHERE {where}"),),
        "minute",
        _only(dimension),
    )


def _spend(dimension: str) -> Rollup:
    columns = {
        **_by_minute(dimension),
        "ad_cost": "sum(toDecimal128(e.cost, 2))",
        "impressions": "sum(e.impressions)",
        "clicks": "sum(e.clicks)",
    }
    return Rollup(
        "spend_by_minute",
        _MINUTE_KEYS,
        dict.fromkeys(("ad_cost", "impressions", "clicks"), Shape.SUM),
        (Source("spend", columns, "spend_events AS e WHERE {where}"),),
        "minute",
        _only(dimension),
    )


def _stock() -> Rollup:
    columns = {
        "campaign_id": "campaign_id",
        "item_id": "item_id",
        "warehouse_id": "warehouse_id",
        "minute": _MINUTE,
        "level": "argMaxState((available, safety_stock, toString(item_category)), "
        "(event_time, e.arrived_at, kafka_offset))",
    }
    return Rollup(
        "stock_by_minute",
        ("campaign_id", "item_id", "warehouse_id", "minute"),
        {"level": Shape.LAST},
        (Source("inventory", columns, "stock_events AS e WHERE {where}"),),
        "minute",
    )


def _pulse() -> Rollup:
    keys = {"campaign_id": "campaign_id", "second": _SECOND, "channel": "channel"}
    nothing = "toDecimal128(0, 2)"
    traffic = {
        "traffic": "count()",
        "orders_created": "toUInt64(0)",
        "orders_paid": "toUInt64(0)",
        "gmv": nothing,
        "paid_gmv": nothing,
    }
    orders = {name: _order_measures("e.value", "")[name] for name in traffic if name != "traffic"}
    return Rollup(
        "pulse_by_second",
        tuple(keys),
        dict.fromkeys(traffic, Shape.SUM),
        (
            Source("traffic", {**keys, **traffic}, "traffic_events AS e WHERE {where}"),
            Source("orders", {**keys, "traffic": "toUInt64(0)", **orders}, "order_events AS e WHERE {where}"),
        ),
        "second",
    )


def _activity() -> Rollup:
    def source(kind: str, table: str) -> Source:
        columns = {
            "campaign_id": "campaign_id",
            "kind": f"'{kind}'",
            "events": "count()",
            "first_event": "min(event_time)",
            "last_event": "max(event_time)",
            "last_arrival": "max(e.arrived_at)",
        }
        return Source(kind, columns, f"{table} AS e WHERE {{where}}")

    return Rollup(
        "campaign_activity",
        ("campaign_id", "kind"),
        {"events": Shape.SUM, "first_event": Shape.MIN, "last_event": Shape.MAX, "last_arrival": Shape.MAX},
        (
            source("traffic", "traffic_events"),
            source("orders", "order_events"),
            source("coupons", "coupon_events"),
            source("inventory", "stock_events"),
            source("spend", "spend_events"),
        ),
        None,
    )
