"""What statements become on a cluster: none may act on one server only, and the engine must know each of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import ConfigurationError, StoreUnavailable
from services.common.store import EACH_SHARD, Store
from services.common.store.clustered import ClusteredStore
from services.common.store.migrate import load_migrations
from services.common.store.topology import HOME, PLACES, Topology, without_comments

TOPOLOGY = Topology("war", "warroom")
DEFINITIONS = [
    (f"{migration.version:04d}", statement, clustered)
    for migration in load_migrations()
    for statement in migration.statements
    for clustered in TOPOLOGY.definition(statement)
]


def test_the_engine_parses_every_statement_of_every_migration_as_it_is_on_a_cluster(store: Store) -> None:
    for version, _, clustered in DEFINITIONS:
        (row,) = store.query("SELECT formatQuery({sql:String}) AS text", {"sql": clustered})
        assert row["text"], version


def test_definitions_are_made_on_every_server() -> None:
    for version, statement, clustered in DEFINITIONS:
        if statement.startswith("INSERT"):
            assert clustered.startswith("INSERT INTO "), version
            continue
        assert re.search(r"^(CREATE|ALTER) [A-Z ]+ warroom(_shard)?\.\w+ ON CLUSTER 'war'", clustered), clustered[:200]


def test_tables_are_replicated_and_keep_their_tokens() -> None:
    tables: set[str] = set()
    for _, statement, clustered in DEFINITIONS:
        if found := re.match(r"CREATE TABLE IF NOT EXISTS warroom_shard\.(\w+) ", clustered):
            tables.add(found[1])
            assert "ENGINE = Replicated" in clustered
            assert "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'" in clustered
            windows = re.findall(r"non_replicated_deduplication_window = (\d+)", statement)
            assert re.findall(r"\breplicated_deduplication_window = (\d+)", clustered) == windows
            assert ("replicated_deduplication_window_seconds = 604800" in clustered) == bool(windows)
    fronts = {
        found[1]: found[2]
        for _, _, clustered in DEFINITIONS
        if (found := re.search(r"Distributed\('war', 'warroom_shard', '(\w+)', (.*)\)$", clustered))
    }
    assert fronts.keys() == tables
    assert fronts == {table: PLACES.get(table, HOME) for table in tables}
    # A place for a table that does not exist is a name that somebody misspelt.
    assert PLACES.keys() <= tables


def test_views_that_roll_up_read_and_write_the_shard_s_own_tables() -> None:
    views = [clustered for _, _, clustered in DEFINITIONS if clustered.startswith("CREATE MATERIALIZED VIEW")]
    assert len(views) > 10
    for view in views:
        assert re.search(r" ON CLUSTER 'war' TO warroom_shard\.\w+ AS", view)
        sources = re.findall(r"\b(?:FROM|(?<!ARRAY )JOIN) ([\w.]+)", view)
        assert sources
        assert all(source.startswith("warroom_shard.") for source in sources)


def test_a_user_s_traffic_orders_coupons_and_steps_are_on_one_shard(store: Store) -> None:
    assert PLACES["traffic_events"] == PLACES["order_events"] == PLACES["coupon_events"]
    (row,) = store.query(
        f"SELECT countIf({PLACES['traffic_events']} != {PLACES['funnel_by_span']}) AS apart "
        "FROM (SELECT concat('u', toString(number)) AS user_id, cityHash64(user_id) AS user FROM numbers(1000))"
    )
    assert row["apart"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE traffic_events",
        "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory",
        "RENAME TABLE a TO b",
        "ALTER TABLE a ADD COLUMN x UInt8, ADD INDEX i x TYPE minmax",
        "ALTER TABLE a FREEZE",
    ],
)
def test_what_is_not_known_is_refused(statement: str) -> None:
    with pytest.raises(ConfigurationError):
        TOPOLOGY.definition(statement)


@pytest.mark.parametrize(
    ("statement", "becomes"),
    [
        (
            "OPTIMIZE TABLE uniques_by_span PARTITION 1 FINAL",
            ["OPTIMIZE TABLE warroom_shard.uniques_by_span ON CLUSTER 'war' PARTITION 1 FINAL"],
        ),
        (
            "DELETE FROM traffic_events WHERE user_id = 'x'",
            ["DELETE FROM warroom_shard.traffic_events ON CLUSTER 'war' WHERE user_id = 'x'"],
        ),
        (
            "ALTER TABLE traffic_events MODIFY TTL toDate(arrived_at) + toIntervalDay(9)",
            [
                "ALTER TABLE warroom_shard.traffic_events ON CLUSTER 'war' "
                "MODIFY TTL toDate(arrived_at) + toIntervalDay(9)"
            ],
        ),
        (
            "ALTER TABLE traffic_events UPDATE user_id = 'y' WHERE user_id = 'x'",
            ["ALTER TABLE warroom_shard.traffic_events ON CLUSTER 'war' UPDATE user_id = 'y' WHERE user_id = 'x'"],
        ),
        (
            "ALTER TABLE a ADD COLUMN IF NOT EXISTS x UInt8",
            [
                "ALTER TABLE warroom_shard.a ON CLUSTER 'war' ADD COLUMN IF NOT EXISTS x UInt8",
                "ALTER TABLE warroom.a ON CLUSTER 'war' ADD COLUMN IF NOT EXISTS x UInt8",
            ],
        ),
    ],
)
def test_what_services_do_to_tables_is_done_to_those_of_the_shards(statement: str, becomes: list[str]) -> None:
    assert TOPOLOGY.command(statement) == becomes


def test_only_what_is_marked_is_left_to_the_shards() -> None:
    plain = "SELECT count() FROM order_events WHERE user_id IN (SELECT user_id FROM traffic_events)"
    assert TOPOLOGY.query(plain) == plain
    marked = (
        f"SELECT count() FROM {EACH_SHARD}\n(SELECT ')' AS x -- (\nFROM order_events AS o\nARRAY JOIN a AS b "
        "LEFT JOIN (SELECT 1 FROM traffic_events) AS t ON 1) WHERE x != '('"
    )
    assert " ".join(TOPOLOGY.query(marked).split()) == (
        "SELECT count() FROM cluster('war', view(SELECT ')' AS x FROM warroom_shard.order_events AS o "
        "ARRAY JOIN a AS b LEFT JOIN (SELECT 1 FROM warroom_shard.traffic_events) AS t ON 1)) WHERE x != '('"
    )


@given(st.lists(st.sampled_from(["'a -- b'", "-- c\n", " x ", "'it''s'", "'\\' --'", "(", ")", "\n"]), max_size=12))
def test_comments_go_and_quoted_text_stays(parts: list[str]) -> None:
    kept = "".join("\n" if part.startswith("--") else part for part in parts)
    assert without_comments("".join(parts)) == kept


class Recorder:
    """A server that answers as if it were one of a cluster, writes down what it is asked, and has nothing."""

    def __init__(self, clusters: list[dict[str, Any]]) -> None:
        self.clusters = clusters
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def query(self, sql: str, parameters: object = None, *, settings: dict[str, Any] | None = None) -> list[Any]:
        if "system.clusters" in sql:
            return self.clusters
        self.asked.append((sql, settings or {}))
        return []

    query_arrow: Any = query

    def insert(self, table: str, rows: object, *, token: object = None, settings: dict[str, Any] | None = None) -> None:
        self.asked.append((f"INSERT INTO {table}", settings or {}))

    def command(self, sql: str, parameters: object = None, *, settings: dict[str, Any] | None = None) -> None:
        self.asked.append((sql, settings or {}))

    def close(self) -> None:
        pass


def shards(*replicas: int, internal: int = 1) -> list[dict[str, Any]]:
    return [{"replicas": number, "internal": internal, "weight": 1} for number in replicas]


@pytest.mark.parametrize(
    ("replicas", "quorum"),
    [((1,), "auto"), ((2, 2), "auto"), ((3, 3, 3), "3")],
)
def test_an_insert_returns_when_every_replica_has_it(replicas: tuple[int, ...], quorum: str) -> None:
    recorder = Recorder(shards(*replicas))
    ClusteredStore(recorder, TOPOLOGY, 30.0).insert("traffic_events", None, token="t")
    ((_, settings),) = recorder.asked
    assert settings["insert_quorum"] == quorum
    assert settings["insert_quorum_timeout"] == 24_000
    assert settings["distributed_foreground_insert"] == 1


@pytest.mark.parametrize("found", [[], shards(2, 1), shards(2, 2, internal=0)])
def test_a_cluster_that_would_lose_or_double_rows_is_refused(found: list[dict[str, Any]]) -> None:
    store = ClusteredStore(Recorder(found), TOPOLOGY, 30.0)
    with pytest.raises(ConfigurationError):
        store.prepare()
    # A service that runs goes on trying.
    with pytest.raises(StoreUnavailable):
        store.insert("traffic_events", None)
