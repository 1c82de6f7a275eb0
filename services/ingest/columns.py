"""From events to Arrow columns, named as the tables' columns.

Money goes from integer cents to decimal(18, 2) through a buffer of 128-bit integers, without a Python Decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.common.decode import CouponEvent, Event, InventoryEvent, OrderEvent, SpendEvent, TrafficEvent

TABLES: Final[Mapping[str, str]] = {
    "traffic": "traffic_events",
    "orders": "order_events",
    "coupons": "coupon_events",
    "inventory": "stock_events",
    "spend": "spend_events",
}
"""The table of each kind of event."""

Offsets = npt.NDArray[np.uint64]
Columns = dict[str, pa.Array]

_MOMENT: Final = pa.timestamp("ms", "UTC")
_MONEY: Final = pa.decimal128(18, 2)
_STRING: Final = pa.string()

# Where pandas is installed, pyarrow imports it at the first conversion: now, rather than under the first load.
pa.array([""], _STRING)


def constant(value: Any, kind: pa.DataType, count: int) -> pa.Array:
    """A column that holds one value `count` times."""
    return pa.repeat(pa.scalar(value, kind), count)


def moment(ms: int, count: int) -> pa.Array:
    """A column of one moment, given in epoch milliseconds."""
    return constant(ms, pa.int64(), count).view(_MOMENT)


def money(cents: Sequence[int]) -> pa.Array:
    """A column of decimal(18, 2) from integer cents."""
    low = np.array(cents, np.int64)
    words = np.empty((len(low), 2), np.int64)
    words[:, 0] = low
    words[:, 1] = low >> 63
    return pa.Array.from_buffers(_MONEY, len(low), [None, pa.py_buffer(words)])


def labels(values: Sequence[str]) -> pa.DictionaryArray:
    """A column that holds few values many times, each value once; never empty. ClickHouse takes it as `LowCardinality`
    as it is, where it would have to look up every single one otherwise.
    """
    first = values[0]
    # Many columns hold one value over a whole run (the campaign, what an event leaves out), and to find that out costs
    # a fraction of converting them.
    if first == values[-1] and values.count(first) == len(values):
        return pa.DictionaryArray.from_arrays(
            pa.repeat(pa.scalar(0, pa.int32()), len(values)), pa.array([first], _STRING)
        )
    return pa.array(values, _STRING).dictionary_encode()


def columns_of(kind: str, events: Sequence[Event]) -> Columns:
    """What events of one kind say, in order."""
    columns: Columns = {
        "event_id": _text([event.event_id for event in events]),
        "event_name": labels([event.event_name for event in events]),
        "event_time": pa.array(np.array([event.event_time_ms for event in events], np.int64)).view(_MOMENT),
        "campaign_id": labels([event.campaign_id for event in events]),
        "channel": labels([event.channel for event in events]),
        "region": labels([event.region for event in events]),
    }
    _BUILDERS[kind](events, columns)
    return columns


def batch(columns: Columns, offsets: Offsets, partition: int, arrived_at: int) -> pa.RecordBatch:
    """Rows of a table: what events say, and where they come from."""
    count = len(offsets)
    return pa.RecordBatch.from_pydict(
        {
            "arrived_at": moment(arrived_at, count),
            "kafka_partition": constant(partition, pa.uint16(), count),
            "kafka_offset": pa.array(offsets),
            # In one order, whoever made them: batches are joined.
            **dict(sorted(columns.items())),
        }
    )


def _text(values: list[str]) -> pa.Array:
    return pa.array(values, _STRING)


def _whole(values: Sequence[int], kind: Any) -> pa.Array:
    return pa.array(np.array(values, kind))


def _traffic(events: Sequence[TrafficEvent], columns: Columns) -> None:
    columns["user_id"] = _text([event.user_id for event in events])
    columns["session_id"] = _text([event.session_id for event in events])
    columns["item_id"] = _text([event.item_id for event in events])
    columns["item_category"] = labels([event.item_category for event in events])
    columns["utm_source"] = labels([event.utm_source for event in events])
    columns["utm_medium"] = labels([event.utm_medium for event in events])
    columns["utm_campaign"] = labels([event.utm_campaign for event in events])
    columns["device_category"] = labels([event.device_category for event in events])
    columns["page_location"] = _text([event.page_location for event in events])
    columns["engagement_time_msec"] = _whole([event.engagement_time_msec for event in events], np.uint64)
    columns["experiment"] = labels([event.experiment for event in events])
    columns["variant"] = labels([event.variant for event in events])


def _orders(events: Sequence[OrderEvent], columns: Columns) -> None:
    columns["user_id"] = _text([event.user_id for event in events])
    columns["order_id"] = _text([event.order_id for event in events])
    columns["value"] = money([event.value_cents for event in events])
    columns["currency"] = labels([event.currency for event in events])
    columns["original_value"] = money([event.original_value_cents for event in events])
    ends = pa.array([0, *accumulate(len(event.items) for event in events)], pa.int32())
    lines = list(chain.from_iterable(event.items for event in events))
    columns["line_item_id"] = pa.ListArray.from_arrays(ends, _text([line[0] for line in lines]))
    columns["line_item_category"] = pa.ListArray.from_arrays(ends, _text([line[1] for line in lines]))
    columns["line_quantity"] = pa.ListArray.from_arrays(ends, _whole([line[2] for line in lines], np.uint32))
    columns["line_amount"] = pa.ListArray.from_arrays(ends, money([line[3] for line in lines]))
    columns["coupon_id"] = _text([event.coupon_id for event in events])
    columns["discount"] = money([event.discount_cents for event in events])
    columns["customer_type"] = labels([event.customer_type for event in events])
    columns["utm_source"] = labels([event.utm_source for event in events])
    columns["store_id"] = labels([event.store_id for event in events])
    columns["device_id"] = _text([event.device_id for event in events])
    columns["reason"] = _text([event.reason for event in events])


def _coupons(events: Sequence[CouponEvent], columns: Columns) -> None:
    columns["user_id"] = _text([event.user_id for event in events])
    columns["coupon_id"] = _text([event.coupon_id for event in events])
    columns["batch_id"] = labels([event.batch_id for event in events])
    columns["face_value"] = money([event.face_value_cents for event in events])
    columns["currency"] = labels([event.currency for event in events])
    columns["order_id"] = _text([event.order_id for event in events])
    columns["device_id"] = _text([event.device_id for event in events])


def _inventory(events: Sequence[InventoryEvent], columns: Columns) -> None:
    columns["item_id"] = _text([event.item_id for event in events])
    columns["item_category"] = labels([event.item_category for event in events])
    columns["warehouse_id"] = labels([event.warehouse_id for event in events])
    columns["available"] = _whole([event.available for event in events], np.uint64)
    columns["safety_stock"] = _whole([event.safety_stock for event in events], np.int64)


def _spend(events: Sequence[SpendEvent], columns: Columns) -> None:
    columns["utm_source"] = labels([event.utm_source for event in events])
    columns["cost"] = money([event.cost_cents for event in events])
    columns["currency"] = labels([event.currency for event in events])
    columns["impressions"] = _whole([event.impressions for event in events], np.uint64)
    columns["clicks"] = _whole([event.clicks for event in events], np.uint64)


_BUILDERS: Final[Mapping[str, Callable[[Any, Columns], None]]] = {
    "traffic": _traffic,
    "orders": _orders,
    "coupons": _coupons,
    "inventory": _inventory,
    "spend": _spend,
}
