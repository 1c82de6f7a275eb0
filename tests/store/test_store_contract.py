"""What every store must do, on both interfaces and against the real engine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from services.common.errors import ConfigurationError, StoreRejected, StoreUnavailable
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


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    """A codec of one interface that cuts a fraction, turns NULL into a default or loses a time zone is found here."""
    table = fresh_campaign("types").replace("-", "_")
    store.command(
        f"CREATE TABLE {table} (number UInt64, money Decimal(18, 2), moment DateTime64(3, 'UTC'), names Array(String), "
        "kind LowCardinality(String), maybe Nullable(Int32), maybe_text Nullable(String), "
        "amounts Array(Decimal(18, 2)), flag Bool) ENGINE = MergeTree ORDER BY number"
    )
    moment = datetime(2026, 11, 11, 23, 59, 59, 999000, tzinfo=UTC)
    rows = [
        {
            "number": 2**64 - 1,
            "money": Decimal("9999999999999999.99"),
            "moment": moment,
            "names": ["", "é中\n'\\", "x" * 10_000],
            "kind": "app",
            "maybe": None,
            "maybe_text": None,
            "amounts": [Decimal("0.01"), Decimal("-0.01")],
            "flag": True,
        },
        {
            "number": 0,
            "money": Decimal("-0.01"),
            "moment": datetime(1970, 1, 1, tzinfo=UTC),
            "names": [],
            "kind": "",
            "maybe": -(2**31),
            "maybe_text": "",
            "amounts": [],
            "flag": False,
        },
    ]
    schema = pa.schema(
        {
            "number": pa.uint64(),
            "money": pa.decimal128(18, 2),
            "moment": pa.timestamp("ms", "UTC"),
            "names": pa.list_(pa.string()),
            "kind": pa.dictionary(pa.int32(), pa.string()),
            "maybe": pa.int32(),
            "maybe_text": pa.string(),
            "amounts": pa.list_(pa.decimal128(18, 2)),
            "flag": pa.bool_(),
        }
    )
    try:
        store.insert(table, pa.Table.from_pylist(rows, schema=schema))
        assert store.query(f"SELECT * FROM {table} ORDER BY number DESC") == rows
        arrow = store.query_arrow(f"SELECT * EXCEPT kind, toString(kind) AS kind FROM {table} ORDER BY number DESC")
        assert arrow.schema.field("names").type == pa.list_(pa.field("item", pa.string(), nullable=False))
        assert [{**row, "flag": bool(row["flag"])} for row in arrow.to_pylist()] == rows
    finally:
        store.command(f"DROP TABLE {table}")


def test_a_large_block_is_one_part_whoever_sends_it_at_the_same_time(store: Store) -> None:
    """A writer that was thought dead may insert its block while the successor repeats it."""
    campaign = fresh_campaign()
    rows = orders(campaign, 20_000)
    with ThreadPoolExecutor(3) as threads:
        sent = [threads.submit(insert_rows, store, "order_events", rows, token=f"token-{campaign}") for _ in range(3)]
        for each in sent:
            each.result()
    assert totals(store, campaign)["raw"] == totals(store, campaign)["rolled"] == 20_000


def test_an_answer_without_rows_has_its_columns(store: Store) -> None:
    assert store.query("SELECT number FROM numbers(0)") == []
    assert store.query_arrow("SELECT number FROM numbers(0)").schema.names == ["number"]


@pytest.mark.parametrize("ask", ["query", "query_arrow"])
def test_a_query_that_fails_half_way_leaves_nothing_in_the_next_answer(store: Store, ask: str) -> None:
    """chDB puts what was left over before the next answer: other people's rows, in place of one's own."""
    sql = "SELECT number, throwIf(number = 300000) FROM numbers(1000000) SETTINGS max_block_size = 1000"
    with pytest.raises(StoreRejected, match="throwIf"):
        getattr(store, ask)(sql)
    assert store.query("SELECT 1 AS n") == [{"n": 1}]
    assert store.query_arrow("SELECT 1 AS n").to_pylist() == [{"n": 1}]


@pytest.mark.parametrize("ask", ["query", "query_arrow"])
def test_a_call_that_takes_too_long_ends_and_may_be_tried_again(impatient: Store, ask: str) -> None:
    sql = "SELECT sum(sleepEachRow(0.05)) AS n FROM numbers(2000) SETTINGS max_block_size = 1"
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        getattr(impatient, ask)(sql)
    assert time.monotonic() - started < 50, "as long as the query takes by itself"
    assert impatient.query("SELECT 1 AS n") == [{"n": 1}]


def test_parameters_may_be_long_but_not_too_long(store: Store) -> None:
    """ClickHouse takes 128 KiB a parameter over HTTP; a query that works embedded only must not exist."""
    ids = [f"{number:064}" for number in range(1_000)]
    assert store.query("SELECT length({ids:Array(String)}) AS n", {"ids": ids}) == [{"n": 1_000}]
    with pytest.raises(StoreRejected, match="ids"):
        store.query("SELECT length({ids:Array(String)}) AS n", {"ids": ids * 2})


def test_threads_share_a_store(store: Store) -> None:
    def ask(number: int) -> int:
        return int(store.query("SELECT {n:UInt32} + sleepEachRow(0.01) AS n", {"n": number})[0]["n"])

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(20))) == list(range(20))


def test_every_table_that_ingest_writes_remembers_its_tokens(store: Store) -> None:
    """A table or rollup without a window would double on every repeated insert, silently. What folds write does not
    add up, and after a `TRUNCATE` it must be possible to write the same again; what alerts renew replaces itself."""
    rows = store.query(
        "SELECT name, create_table_query AS sql FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
        "AND name NOT IN ('schema_migrations', 'uniques_by_span', 'funnel_by_span', 'folds', "
        "'alert_lease_renewals', 'alert_pending')"
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
