"""What every store must do, held against the real engine. The HTTP way joins this suite with its endpoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from services.common.errors import ConfigurationError, StoreRejected
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import load_migrations, migrate, split_statements
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

ROLLUPS = {
    "traffic_events": ("traffic_by_minute", "sum(events)"),
    "order_events": ("orders_by_minute", "sum(orders_created)"),
    "coupon_events": ("coupons_by_minute", "sum(coupons_issued)"),
    "spend_events": ("spend_by_minute", "sum(clicks)"),
}


def orders(campaign: str, count: int) -> list[dict[str, object]]:
    return [
        {
            "event_id": f"{campaign}-{number}",
            "event_name": "order_created",
            # Several days, so that a token that is kept per partition of the event's day would not do.
            "event_time": datetime(2026, 11, 1 + number % 20, 12, tzinfo=UTC),
            "campaign_id": campaign,
            "user_id": f"user-{number}",
            "channel": "app",
            "region": "CN-31",
            "order_id": f"order-{number}",
            "value": money(1999),
        }
        for number in range(count)
    ]


def totals(store: Store, campaign: str) -> dict[str, object]:
    rolled = store.query(
        "SELECT sum(orders_created) AS orders, sum(gmv) AS gmv, uniqCombined64Merge(20)(buyers) AS buyers "
        "FROM orders_by_minute WHERE campaign_id = {c:String} AND dimension = ''",
        {"c": campaign},
    )[0]
    raw = store.query(
        "SELECT count() AS orders, sum(value) AS gmv FROM order_events WHERE campaign_id = {c:String}", {"c": campaign}
    )[0]
    pulse = store.query(
        "SELECT sum(orders_created) AS n FROM pulse_by_second WHERE campaign_id = {c:String}", {"c": campaign}
    )[0]
    activity = store.query(
        "SELECT sum(events) AS n FROM campaign_activity WHERE campaign_id = {c:String}", {"c": campaign}
    )[0]
    return {
        "rolled": rolled["orders"],
        "rolled_gmv": rolled["gmv"],
        "raw": raw["orders"],
        "raw_gmv": raw["gmv"],
        "pulse": pulse["n"],
        "activity": activity["n"],
    }


def test_a_repeated_insert_with_its_token_counts_once_in_the_table_and_in_every_rollup(store: Store) -> None:
    campaign = fresh_campaign()
    rows = orders(campaign, 500)
    for _ in range(3):
        insert_rows(store, "order_events", rows, token=f"token-{campaign}")
    gmv = Decimal("19.99") * 500
    assert totals(store, campaign) == {
        "rolled": 500,
        "rolled_gmv": gmv,
        "raw": 500,
        "raw_gmv": gmv,
        "pulse": 500,
        "activity": 500,
    }


def test_equal_rows_under_different_tokens_both_count(store: Store) -> None:
    campaign = fresh_campaign()
    for number in range(2):
        insert_rows(store, "order_events", orders(campaign, 10), token=f"token-{campaign}-{number}")
    assert totals(store, campaign)["rolled"] == totals(store, campaign)["raw"] == 20


def test_parameters_are_values_and_never_sql(store: Store) -> None:
    hostile = "x' OR 1=1 --\\\n\t\"`{a:String}"
    row = store.query("SELECT {a:String} AS a, {b:Array(String)} AS b", {"a": hostile, "b": [hostile, "é中"]})[0]
    assert row == {"a": hostile, "b": [hostile, "é中"]}


def test_money_and_time_come_back_exact(store: Store) -> None:
    row = store.query(
        "SELECT toDecimal128('12345678901234567890.12', 2) AS money, "
        "toDateTime64('2026-11-11 00:00:00.123', 3, 'UTC') AS moment"
    )[0]
    assert row["money"] == Decimal("12345678901234567890.12")
    assert row["moment"] == datetime(2026, 11, 11, 0, 0, 0, 123000, tzinfo=UTC)


def test_what_can_never_work_is_rejected(store: Store) -> None:
    with pytest.raises(StoreRejected):
        store.query("SELECT no_such_column FROM traffic_events")
    with pytest.raises(StoreRejected):
        store.insert("traffic_events", pa.table({"no_such_column": [1]}))


def test_threads_share_a_store(store: Store) -> None:
    def ask(number: int) -> int:
        return int(store.query("SELECT {n:UInt32} + sleepEachRow(0.01) AS n", {"n": number})[0]["n"])

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(20))) == list(range(20))


def test_every_table_that_ingest_writes_remembers_its_tokens(store: Store) -> None:
    """A table or rollup without a window would double on every repeated insert, silently."""
    rows = store.query(
        "SELECT name, create_table_query AS sql FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'"
    )
    assert len(rows) > 10
    for row in rows:
        assert "non_replicated_deduplication_window = " in row["sql"], row["name"]


def test_a_rollup_is_partitioned_as_its_source(store: Store) -> None:
    """Else a block that was cut in half is completed in the source and dropped in the rollup."""
    keys = {
        row["name"]: row["partition_key"]
        for row in store.query("SELECT name, partition_key FROM system.tables WHERE database = currentDatabase()")
    }
    for source, (rollup, _) in ROLLUPS.items():
        assert keys[source] == "toDate(arrived_at)"
        assert keys[rollup] == "day"


def test_migrations_are_applied_once_and_their_statements_are_idempotent(store: Store) -> None:
    assert migrate(store) == []
    for migration in load_migrations():
        for statement in migration.statements:
            store.command(statement)


def test_statements_are_split_at_semicolons_that_end_a_line() -> None:
    text = "-- a comment; with a semicolon\nSELECT ';' AS a;\n\n-- another\nSELECT 2\n;\n"
    assert split_statements(text) == ("SELECT ';' AS a", "SELECT 2")


@pytest.mark.parametrize("url", ["mysql://localhost/db", "http://", "/tmp/db"])
def test_an_address_that_means_nothing_is_refused_with_the_setting_s_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="WARROOM_CLICKHOUSE_URL"):
        open_store(url, timeout_seconds=1)


def test_migrations_ship_with_the_package() -> None:
    assert [migration.version for migration in load_migrations()][:3] == [1, 2, 3]
