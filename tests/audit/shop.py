"""A day of arrival that only one test knows: blocks as ingest writes them, and ways to spoil what was written."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from services.audit.audit import audit
from services.audit.report import Report
from services.audit.scope import DAY_MS, EVENT_TABLES, Scope
from services.common.clock import to_datetime, to_ms
from services.common.store import Store
from tests.support.rows import insert_rows, money

_numbers = itertools.count()
_HOUR_MS = 3_600_000


class Shop:
    """Its topics, its campaign, its partition and its day are its own."""

    def __init__(self, store: Store) -> None:
        number = next(_numbers)
        self.store = store
        self.prefix = f"shop{number}."
        self.campaign = f"shop-{number}"
        self.partition = 40_000 + number
        self.day = date(2031, 1, 1) + timedelta(days=3 * number)
        self.midnight = to_ms(datetime.combine(self.day, datetime.min.time(), UTC))
        self.now = self.midnight + 9 * _HOUR_MS
        self.next_offset = dict.fromkeys(EVENT_TABLES, 0)
        self._events = 0

    def topic(self, kind: str) -> str:
        return self.prefix + kind

    def audit(self, **changes: Any) -> Report:
        """Audits the whole day; the rollups only when told to."""
        scope = {
            "start": self.midnight,
            "end": self.midnight + DAY_MS,
            "horizon_ms": DAY_MS,
            "topics": (self.prefix,),
            "campaign": self.campaign,
            "rollups": False,
            **changes,
        }
        return audit(self.store, Scope(**scope), now=self.midnight + DAY_MS)

    def trade(self, *kinds: str) -> None:
        """Two blocks of each kind, with refusals and a duplicate among them."""
        for kind in kinds:
            self.block(kind, 30, refusals=2, duplicates=1)
            self.block(kind, 25)

    def block(
        self,
        kind: str,
        rows: int,
        *,
        refusals: int = 0,
        duplicates: int = 0,
        start: int | None = None,
        incarnation: str = "i1",
        ledger: bool = True,
        events: list[dict[str, Any]] | None = None,
        lies: Mapping[str, int] | None = None,
    ) -> int:
        """Writes a block as ingest does and returns its arrival; `lies` stand in the ledger in place of the truth."""
        self.now += 1_000
        first = self.next_offset[kind] if start is None else start
        written = events if events is not None else [self.event(kind) for _ in range(rows)]
        arrived = to_datetime(self.now)
        place = {"arrived_at": arrived, "kafka_partition": self.partition}
        insert_rows(
            self.store,
            EVENT_TABLES[kind],
            [{**event, **place, "kafka_offset": first + number} for number, event in enumerate(written)],
        )
        letter = {"topic": self.topic(kind), "reason": "schema_violation", "detail": "", "key": "k"}
        insert_rows(
            self.store,
            "dead_letters",
            [{**place, **letter, "kafka_offset": first + len(written) + number} for number in range(refusals)],
        )
        records = len(written) + refusals + duplicates
        entry = {
            "start_offset": first,
            "end_offset": first + records,
            "records": records,
            "rows": len(written),
            "refusals": refusals,
            "duplicates": duplicates,
            **(lies or {}),
        }
        self.next_offset[kind] = first + records
        if ledger:
            self.enter(kind, incarnation, self.now, entry)
        return self.now

    def enter(self, kind: str, incarnation: str, opened_at: int, counts: Mapping[str, int]) -> None:
        """A row of the ledger."""
        self.store.insert(
            "ingest_blocks",
            pa.table(
                {
                    "topic": [self.topic(kind)],
                    "kafka_partition": pa.array([self.partition], pa.uint16()),
                    "kind": [kind],
                    "incarnation": [incarnation],
                    "opened_at": pa.array([opened_at], pa.timestamp("ms", "UTC")),
                    **{name: pa.array([count], pa.uint64()) for name, count in counts.items()},
                }
            ),
            # Without a token ClickHouse would take an entry for a repetition of its like.
            token=f"{self.prefix}{next(_numbers)}",
        )

    def event(self, kind: str) -> dict[str, Any]:
        """An event with something in every dimension; no two are alike."""
        self._events += 1
        number = self._events
        common = {
            "event_id": f"{self.campaign}-{number}",
            "event_time": to_datetime(self.now - number % 7 * 20_000),
            "campaign_id": self.campaign,
            "channel": ("app", "web", "live")[number % 3],
            "region": ("CN-31", "CN-44")[number % 2],
        }
        return {**common, **_FIELDS[kind](number)}

    def delete(self, table: str, condition: str) -> None:
        """Takes rows away, rollups untouched: all but these are written anew."""
        self.rewrite(table, "*", condition="NOT (" + condition + ")")

    def rewrite(self, table: str, columns: str, condition: str = "1") -> None:
        """Puts a selection from the day in place of the day. A mutation would wait for its turn for a second."""
        arrival = "arrived_at" if table.endswith("_events") or table == "dead_letters" else "day"
        for statement in (
            f"CREATE TABLE {table}_anew AS {table}",
            f"INSERT INTO {table}_anew SELECT {columns} FROM "
            f"(SELECT * FROM {table} WHERE toDate({arrival}) = '{self.day}' AND {condition})",
            f"ALTER TABLE {table} DROP PARTITION '{self.day}'",
            f"ALTER TABLE {table} ATTACH PARTITION '{self.day}' FROM {table}_anew",
            f"DROP TABLE {table}_anew",
        ):
            self.store.command(statement)

    def said_done(self, kind: str, next_offset: int, at: int) -> None:
        """Ingest says at a moment how far it has come."""
        moment = pa.array([at], pa.timestamp("ms", "UTC"))
        offset = pa.array([next_offset], pa.uint64())
        self.store.insert(
            "ingest_progress",
            pa.table(
                {
                    "topic": [self.topic(kind)],
                    "kafka_partition": pa.array([self.partition], pa.uint16()),
                    "kind": [kind],
                    "next_offset": offset,
                    "end_offset": offset,
                    "watermark": moment,
                    "updated_at": moment,
                }
            ),
        )


def _traffic(number: int) -> dict[str, Any]:
    return {
        "event_name": ("page_view", "view_item", "add_to_cart")[number % 3],
        "user_id": f"u{number % 11}",
        "session_id": f"s{number % 5}" if number % 4 else "",
        "item_id": f"i{number % 4}",
        "item_category": f"c{number % 2}",
        "utm_source": ("mail", "unknown")[number % 2],
        "device_category": ("mobile", "desktop")[number % 2],
    }


def _orders(number: int) -> dict[str, Any]:
    lines = number % 4
    return {
        "event_name": ("order_created", "order_paid", "order_paid", "order_refunded", "payment_failed")[number % 5],
        "user_id": f"u{number % 11}",
        "order_id": f"o{number}",
        "value": money(1_000 + number),
        # One item may stand in several lines.
        "line_item_id": [f"i{line % 2}" for line in range(lines)],
        "line_item_category": [f"c{line % 2}" for line in range(lines)],
        "line_quantity": [line + 1 for line in range(lines)],
        "line_amount": [money(100 + line) for line in range(lines)],
        "customer_type": ("new", "returning")[number % 2],
        "utm_source": ("mail", "unknown")[number % 2],
    }


def _coupons(number: int) -> dict[str, Any]:
    return {
        "event_name": ("coupon_issued", "coupon_claimed", "coupon_redeemed")[number % 3],
        "user_id": f"u{number % 11}",
        "coupon_id": f"k{number}",
        "batch_id": "b",
        "face_value": money(500 + number),
    }


def _inventory(number: int) -> dict[str, Any]:
    return {
        "event_name": "stock_level",
        "item_id": f"i{number % 4}",
        "item_category": f"c{number % 2}",
        "warehouse_id": f"w{number % 2}",
        "available": number,
        "safety_stock": -1,
    }


def _spend(number: int) -> dict[str, Any]:
    return {
        "event_name": "ad_spend",
        "utm_source": ("mail", "unknown")[number % 2],
        "cost": money(700 + number),
        "impressions": 100 * number,
        "clicks": number,
    }


_FIELDS = {"traffic": _traffic, "orders": _orders, "coupons": _coupons, "inventory": _inventory, "spend": _spend}
