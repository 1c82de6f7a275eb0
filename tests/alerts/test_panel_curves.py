"""Curves of plain sums take a quick way, which must tell what the slow one tells."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics import Kind
from services.alerts.readings.asks import Curve
from services.alerts.readings.panels import Panels
from services.alerts.readings.sql import SUMS
from services.common.clock import MINUTE_MS

_ROWS = st.lists(
    st.tuples(st.sampled_from(["app", "web"]), st.integers(0, 29), st.integers(1, 10**6)),
    max_size=20,
    unique_by=lambda row: row[:2],
)


@given(orders=_ROWS, spend=_ROWS, step=st.sampled_from([1, 3, 10]), only=st.sampled_from([(), ("app",)]))
def test_both_ways_tell_the_same(
    orders: list[tuple[str, int, int]], spend: list[tuple[str, int, int]], step: int, only: tuple[str, ...]
) -> None:
    panels = Panels()
    for kind, rows in ((Kind.ORDERS, orders), (Kind.SPEND, spend)):
        told = [
            {
                "campaign_id": "c",
                "dimension": "channel",
                "value": value,
                "minute_number": minute,
                **{f"{name}_sum": number for name in SUMS[kind]},
            }
            for value, minute, number in rows
        ]
        panels.replace(kind, ["c"], ["channel"], 0, 30, told)
    filters = (("channel", only),) if only else ()
    names = ("paid_gmv", "orders_paid", "ad_cost")
    plain = Curve(names, step * MINUTE_MS, 30 * MINUTE_MS, by="channel", filters=filters)
    mixed = Curve((*names, "roas"), step * MINUTE_MS, 30 * MINUTE_MS, by="channel", filters=filters)
    quick = panels.curve("c", plain, 30 * MINUTE_MS, Decimal(1), 0)
    slow = panels.curve("c", mixed, 30 * MINUTE_MS, Decimal(1), 0)
    assert (quick.start_ms, quick.steps) == (slow.start_ms, slow.steps)
    assert {value: {name: list(row[name]) for name in names} for value, row in quick.rows.items()} == {
        value: {name: list(row[name]) for name in names} for value, row in slow.rows.items()
    }
