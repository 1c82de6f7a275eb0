"""The data map of docs/privacy.md against the tables that there are: a column that is forgotten there is found here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.common.retention import RETAINED
from services.common.store import Store

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
MAP = DOCUMENT.partition("## Data map")[2].partition("\n## ")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in MAP.splitlines() if line.startswith("| ")][2:]
KEPT = {column: row[4] for row in ROWS for column in re.findall(r"`(\w+\.\w+)`", row[1]) if "campaign." not in column}

_COLUMNS = """
SELECT concat(table, '.', name) AS place
FROM system.columns
WHERE database = currentDatabase()
    AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
    AND (type LIKE '%String%' AND type NOT LIKE 'LowCardinality%' OR name IN {names:Array(String)})"""

PERSONAL = (
    "user",
    "users",
    "user_id",
    "device_id",
    "session_id",
    "actor",
    "subject",
    "email",
    "ip",
    "address",
    "phone",
)

NOBODY = {
    f"{table}.{column}"
    for table, columns in {
        "activity": "campaign_id id",
        "alert_deliveries": "alert_id detail",
        "alert_lease_renewals": "holder",
        "alert_leases": "holder",
        "alert_pending": "since",
        "alert_requests": "alert_id",
        "alert_silences": "repeats silence_id",
        "alert_transitions": "alert_id fingerprint runbook",
        "campaigns": "body campaign_id",
        "coupon_events": "event_id",
        "coupons_by_minute": "value",
        "dead_letter_redrives": "batch",
        "erased_people": "erasure",
        "order_events": "event_id line_item_category line_item_id",
        "orders_by_minute": "value",
        "person_names": "fingerprint",
        "schema_migrations": "checksum name",
        "spend_by_minute": "value",
        "spend_events": "event_id",
        "stock_by_minute": "item_id level",
        "stock_events": "event_id item_id",
        "traffic_by_minute": "value",
        "traffic_events": "event_id item_id",
        "uniques_by_span": "value",
    }.items()
    for column in columns.split()
}
"""Texts of any length that name nobody: numbers of events, items, alerts and campaigns, what is declared, processes."""


def test_every_column_that_may_name_somebody_is_in_the_map(store: Store) -> None:
    columns = {row["place"] for row in store.query(_COLUMNS, {"names": list(PERSONAL)})}
    assert len(columns) > 60
    unknown = columns - KEPT.keys() - NOBODY
    assert not unknown, (
        f"new columns: say in docs/privacy.md what they hold of people, or in NOBODY that they do not: {unknown}"
    )
    assert not KEPT.keys() & NOBODY
    # What is told must be there.
    assert KEPT.keys() <= columns
    assert columns >= NOBODY
    assert not [name for name in NOBODY if name.split(".")[1] in PERSONAL]


@pytest.mark.parametrize("column", sorted(KEPT))
def test_what_the_map_says_of_how_long_is_what_settings_can_do(column: str) -> None:
    table, kept = column.split(".", maxsplit=1)[0], KEPT[column]
    assert kept.split(";")[0] in ("R", "7 days") or kept.startswith("for ever"), kept
    # Of these three kinds of tables the first is given its days by a setting: tests/cluster/test_lifetime.py.
    assert (table in RETAINED) == kept.startswith("R")


def test_tables_whose_rows_go_by_themselves_do(store: Store) -> None:
    fixed = {column.split(".")[0] for column, kept in KEPT.items() if kept == "7 days"}
    for table in fixed:
        (row,) = store.query("SELECT engine_full FROM system.tables WHERE name = {table:String}", {"table": table})
        assert "TTL toDateTime(at) + toIntervalDay(7)" in row["engine_full"]
