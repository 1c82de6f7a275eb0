"""Retention and tiering: what the settings say is what the tables have, and old rows go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.common.errors import ConfigurationError
from services.common.retention import BY_DAY, RETAINED, in_force
from services.common.settings import Settings, load_settings
from services.common.store import Store
from services.common.store.clustered import ClusteredStore
from services.common.store.lifetime import apply_lifetimes
from services.common.store.migrate import load_migrations, migrate
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.rows import insert_rows

NOW = datetime.now(UTC)


@pytest.fixture(scope="module", params=["server", "cluster"])
def own_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Of one shard or none, with a policy `tiered` where it is a cluster."""
    directory: Path = tmp_path_factory.mktemp("lifetime")
    with running_endpoint(directory, shards=1 if request.param == "cluster" else 0) as endpoint:
        store = endpoint.store()
        migrate(store)
        yield store
        store.close()


def ttl_of(store: Store, table: str) -> str:
    rows = store.query(
        "SELECT engine_full FROM system.tables WHERE name = {table:String} AND engine LIKE '%MergeTree'",
        {"table": table},
    )
    (engine,) = [row["engine_full"] for row in rows]
    return str(engine).partition(" TTL ")[2].partition(" SETTINGS ")[0]


def test_old_rows_go_and_young_ones_stay(own_store: Store) -> None:
    for days in (0, 20, 40):
        event = {
            "event_id": f"e{days}",
            "event_name": "page_view",
            "event_time": NOW - timedelta(days=days),
            "arrived_at": NOW - timedelta(days=days),
            "campaign_id": "lifetime",
            "user_id": "u",
        }
        insert_rows(own_store, "traffic_events", [event])
    settings = Settings(retention_days={"traffic_events": 30, "funnel_by_span": 60})
    assert apply_lifetimes(own_store, settings) == ["funnel_by_span", "ingest_blocks", "traffic_events"]
    # What is in force is left alone.
    assert apply_lifetimes(own_store, settings) == []
    own_store.command("OPTIMIZE TABLE traffic_events FINAL")
    found = own_store.query("SELECT event_id FROM traffic_events ORDER BY event_id")
    assert [row["event_id"] for row in found] == ["e0", "e20"]
    # Numbers outlive the events that they were made from.
    (kept,) = own_store.query("SELECT sum(t.pv) AS pv FROM traffic_by_minute AS t WHERE dimension = ''")
    assert kept["pv"] == 3
    assert apply_lifetimes(own_store, Settings()) == ["funnel_by_span", "ingest_blocks", "traffic_events"]
    assert ttl_of(own_store, "traffic_events") == ""


def test_every_table_that_grows_takes_the_longest_rule_there_is(own_store: Store) -> None:
    settings = Settings(retention_days=dict.fromkeys(RETAINED, 90))
    changed = apply_lifetimes(own_store, settings)
    assert set(changed) == RETAINED.keys()
    assert apply_lifetimes(own_store, settings) == []
    assert all(ttl_of(own_store, table) for table in RETAINED)
    for table, day in RETAINED.items() if not isinstance(own_store, ClusteredStore) else ():
        column = day.removeprefix("toDate(").removesuffix(")")
        assert _ages_after_merges(own_store, table, column, (10, 100)) == [10], table
    assert set(apply_lifetimes(own_store, Settings())) == RETAINED.keys()


def _ages_after_merges(store: Store, table: str, column: str, ages: tuple[int, ...]) -> list[int]:
    """Of two rows so many days old, those that are left."""
    for age in ages:
        store.command(f"INSERT INTO {table} ({column}) SELECT now() - toIntervalDay({age})")
    store.command(f"OPTIMIZE TABLE {table} FINAL")
    found = store.query(f"SELECT DISTINCT dateDiff('day', toDate({column}), today()) AS age FROM {table}")
    return sorted(row["age"] for row in found if row["age"] in ages)


def test_old_parts_move_to_the_cold_volume(own_store: Store) -> None:
    if not own_store.query("SELECT 1 FROM system.storage_policies WHERE policy_name = 'tiered'"):
        pytest.skip("the single server here has no such policy")
    settings = Settings(storage_policy="tiered", cold_after_days=7, retention_days={"order_events": 30})
    assert set(apply_lifetimes(own_store, settings)) >= BY_DAY
    assert apply_lifetimes(own_store, settings) == []
    assert "TO VOLUME 'cold'" in ttl_of(own_store, "traffic_events")
    assert "toIntervalDay(30)" in ttl_of(own_store, "order_events")


def test_each_table_that_is_named_exists_and_has_a_day() -> None:
    created = "\n".join(text for migration in load_migrations() for text in migration.statements)
    for table in RETAINED:
        assert f"CREATE TABLE IF NOT EXISTS {table}\n" in created


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ('{"traffic": 3}', "traffic"),
        ('{"dead_letters": 0}', "dead_letters"),
        # The horizon of 24 hours may reach into the day before.
        ('{"order_events": 1}', "order_events"),
        ('{"orders_by_minute": 30}', "orders_by_minute"),
        ('{"orders_by_minute": 30, "order_events": 31}', "orders_by_minute"),
    ],
)
def test_a_retention_that_would_cost_numbers_is_refused(monkeypatch: pytest.MonkeyPatch, days: str, named: str) -> None:
    monkeypatch.setenv("WARROOM_RETENTION_DAYS", days)
    with pytest.raises(ConfigurationError, match=named):
        load_settings()


def test_the_ledger_goes_with_the_first_events() -> None:
    assert in_force({}) == {}
    assert in_force({"traffic_events": 90, "order_events": 30}) == {
        "traffic_events": 90,
        "order_events": 30,
        "ingest_blocks": 30,
    }
    assert in_force({"order_events": 30, "ingest_blocks": 400})["ingest_blocks"] == 30
    assert in_force({"order_events": 30, "ingest_blocks": 10})["ingest_blocks"] == 10
