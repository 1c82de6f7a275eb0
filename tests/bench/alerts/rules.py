"""Many rules about many groups, and a shop whose minutes they look at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from services.common.clock import to_datetime
from services.common.store import Store
from tests.support.rows import insert_rows, money

CAMPAIGN = "many-rules"
POSITIVE = ("pv", "orders_created", "orders_paid", "gmv", "paid_gmv", "aov", "payment_rate")
"""Metrics that are above zero in every group all the time, so that rules may wait for them to fall."""
OTHERS = ("payments_failed", "orders_refunded", "refund_rate", "refund_amount")
DIMENSIONS = ("channel", "region", "item_id", "item_category")
WINDOWS = ("1m", "2m", "3m", "4m", "5m", "6m", "8m", "10m", "12m", "15m", "20m", "30m", "45m", "60m")
FIRING_OF = 5
"""Of so many rules about page views above a bound one fires, for every group: about one rule of a hundred."""


def rules(number: int) -> str:
    """So many threshold rules as YAML, no two about the same."""
    about = [(metric, sign) for metric in POSITIVE for sign in "><"] + [(metric, ">") for metric in OTHERS]
    combined = [(*each, window, dimension) for window in WINDOWS for dimension in DIMENSIONS for each in about]
    assert number <= len(combined), f"there are {len(combined):,} rules"
    lines = ["rules:"]
    for index, (metric, sign, window, dimension) in enumerate(combined[:number]):
        bound = "1000000000" if sign == ">" else "0.000001"
        if (metric, sign) == ("pv", ">") and index // len(about) % FIRING_OF == 0:
            bound = "0"
        lines += [
            f"  - name: rule_{index}",
            "    detector: threshold",
            f"    metric: {metric}",
            f"    by: {dimension}",
            f"    window: {window}",
            f'    condition: "{sign} {bound}"',
            "    severity: info",
            '    summary: "{value} against {threshold}"',
            '    runbook: "Nothing: this is a benchmark."',
        ]
    return "\n".join(lines) + "\n"


class Groups:
    """Events of every group, minute by minute and then second by second, written as ingest would."""

    def __init__(self, store: Store, groups: int) -> None:
        self._store = store
        self._groups = groups
        self._numbers = itertools.count(1)

    def history(self, now: int, minutes: int) -> None:
        """Each minute before `now` has an event of every kind in every group."""
        self._write([now - minute * 60_000 for minute in range(minutes, 0, -1)])

    def second(self, now: int) -> None:
        """An event of every kind in every group, at `now` (epoch ms), and ingest's word that nothing is missing."""
        self._write([now])
        self._store.command(
            "INSERT INTO ingest_progress VALUES ('campaign.traffic', 0, 'traffic', {o:UInt64}, {o:UInt64}, "
            "fromUnixTimestamp64Milli({t:Int64}), fromUnixTimestamp64Milli({t:Int64}))",
            {"o": next(self._numbers), "t": now},
        )

    def _write(self, moments: Sequence[int]) -> None:
        for table, names in (("traffic_events", ("page_view",)), ("order_events", ("order_created", "order_paid"))):
            insert_rows(self._store, table, [row for moment in moments for row in self._rows(moment, names)])

    def _rows(self, now: int, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        moment = to_datetime(now)
        for group in range(self._groups):
            for name in names:
                number = next(self._numbers)
                row: dict[str, Any] = {
                    "arrived_at": moment,
                    "kafka_offset": number,
                    "event_id": f"e{number}",
                    "event_name": name,
                    "event_time": moment,
                    "campaign_id": CAMPAIGN,
                    "user_id": f"u{number % 977}",
                    "channel": f"channel-{group}",
                    "region": f"CN-{group}",
                }
                if name == "page_view":
                    row |= {"item_id": f"item-{group}", "item_category": f"category-{group}"}
                else:
                    row |= {
                        "order_id": f"o{number}",
                        "value": money(1999),
                        "currency": "CNY",
                        "original_value": money(1999),
                        "line_item_id": [f"item-{group}"],
                        "line_item_category": [f"category-{group}"],
                        "line_quantity": [1],
                        "line_amount": [money(1999)],
                    }
                yield row
