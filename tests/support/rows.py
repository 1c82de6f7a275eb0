"""Rows of the event tables from plain values, for tests that start behind ingest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from services.common.store import Store

_TIME = pa.timestamp("ms", tz="UTC")
_MONEY = pa.decimal128(18, 2)

_TYPES: dict[str, pa.DataType] = {
    "arrived_at": _TIME,
    "event_time": _TIME,
    "kafka_partition": pa.uint16(),
    "kafka_offset": pa.uint64(),
    "value": _MONEY,
    "original_value": _MONEY,
    "discount": _MONEY,
    "face_value": _MONEY,
    "cost": _MONEY,
    "line_item_id": pa.list_(pa.string()),
    "line_item_category": pa.list_(pa.string()),
    "line_quantity": pa.list_(pa.uint32()),
    "line_amount": pa.list_(_MONEY),
    "available": pa.uint64(),
    "safety_stock": pa.int64(),
    "impressions": pa.uint64(),
    "clicks": pa.uint64(),
}

NOBODYS_PARTITION = 60_000
"""None that ingest reads in any test: of its own it never goes behind the latest arrival."""

ARRIVED = datetime(2026, 11, 11, tzinfo=UTC)


def insert_rows(store: Store, table: str, rows: Iterable[Mapping[str, Any]], *, token: str | None = None) -> None:
    """Appends rows that all have the same keys; `arrived_at` and the offset are filled in where they are missing."""
    filled = [
        {"arrived_at": ARRIVED, "kafka_partition": NOBODYS_PARTITION, "kafka_offset": number, **row}
        for number, row in enumerate(rows)
    ]
    if not filled:
        return
    names = list(filled[0])
    arrays = [pa.array([row[name] for row in filled], type=_TYPES.get(name, pa.string())) for name in names]
    store.insert(table, pa.Table.from_arrays(arrays, names=names), token=token)


def money(cents: int) -> Decimal:
    """An amount from its cents."""
    return Decimal(cents) / 100
