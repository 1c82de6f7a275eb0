"""The sums behind a panel, as ClickHouse reads them from the rollups."""

from __future__ import annotations

from schemas.metrics import MEASURES, Kind, Shape

TABLES = {
    Kind.TRAFFIC: "traffic_by_minute",
    Kind.ORDERS: "orders_by_minute",
    Kind.COUPONS: "coupons_by_minute",
    Kind.SPEND: "spend_by_minute",
}

DIMENSIONS: dict[Kind, frozenset[str]] = {
    Kind.TRAFFIC: frozenset({"", "channel", "region", "utm_source", "device_category", "item_category"}),
    Kind.ORDERS: frozenset({"", "channel", "region", "utm_source", "customer_type", "item_category"}),
    Kind.COUPONS: frozenset({"", "channel", "region"}),
    Kind.SPEND: frozenset({"", "channel", "region", "utm_source"}),
}
"""The dimensions of each table that have few values. Items are too many to hold each of their minutes."""

SUMS: dict[Kind, tuple[str, ...]] = {
    kind: tuple(
        name
        for name, measure in MEASURES.items()
        if measure.kind is kind and measure.shape is not Shape.DISTINCT and name != "paid_units"
    )
    for kind in Kind
}
"""The measures of each kind that can be added up over minutes."""

MONEY = frozenset(name for name, measure in MEASURES.items() if measure.shape is Shape.MONEY)


def panel_rows(kind: Kind) -> str:
    """Sums by campaign, dimension, value and minute of [from, until).

    An event cannot arrive on a day before the one of its minute, but for clocks that are ten minutes apart.
    """
    columns = ",\n    ".join(
        f"toInt64(sum(t.{name}) * 100) AS {name}_sum" if name in MONEY else f"toInt64(sum(t.{name})) AS {name}_sum"
        for name in SUMS[kind]
    )
    return f"""
SELECT
    toString(t.campaign_id) AS campaign_id,
    toString(t.dimension) AS dimension,
    t.value AS value,
    intDiv(toUnixTimestamp(t.minute), 60) AS minute_number,
    {columns}
FROM {TABLES[kind]} AS t
WHERE t.campaign_id IN {{ids:Array(String)}}
    AND t.dimension IN {{dimensions:Array(String)}}
    AND t.minute >= toDateTime({{from:UInt32}}, 'UTC')
    AND t.minute < toDateTime({{until:UInt32}}, 'UTC')
    AND t.day >= toDate(toDateTime({{from:UInt32}} - 900, 'UTC'))
GROUP BY campaign_id, dimension, value, minute_number
"""
