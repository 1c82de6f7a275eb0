"""Erasing people on three shards: every figure stays, nobody is left to be found, and names stay on their shards.

`cluster_store` shows that the engine takes the statements, what they do to rows that the sharding key spreads, and that
an erasure waits for what it began. It has no replicas: what is said to them, and how long they are waited for, is
tested with servers that answer what they are told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.common.errors import StoreUnavailable
from services.common.people import DOMAINS, PersonKey, choose_key, hashed
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.clustered import ClusteredStore
from services.common.store.topology import PLACES, Topology
from services.privacy.desk import Actor, Desk
from tests.cluster.families import Events, answers, fold, load, shop_of
from tests.support.store import fresh_campaign

ME = Actor("tester", "command")
SHARDS = 3

_STRINGS = """
SELECT table, groupArray(name) AS names
FROM system.columns
WHERE database = 'default' AND type LIKE '%String%' AND type NOT LIKE 'AggregateFunction%'
    AND table IN (SELECT name FROM system.tables WHERE database = 'default_shard' AND engine LIKE '%MergeTree')
GROUP BY table"""


@pytest.fixture
def cluster(cluster_store: Store) -> Iterator[Store]:
    """The run's cluster; folding begins anew for whoever comes next."""
    yield cluster_store
    cluster_store.command("TRUNCATE TABLE folds")


def _named(key: PersonKey, events: Events) -> Events:
    """The same as ingest writes it."""
    return {
        table: [
            {column: hashed(key, column, value) if column in DOMAINS else value for column, value in row.items()}
            for row in rows
        ]
        for table, rows in events.items()
    }


def _found(store: Store, names: list[str]) -> set[str]:
    """The columns of every table that hold one of these names on any shard, by the engine's own list of columns."""
    tables = store.query(_STRINGS)
    assert len(tables) > 20
    found = set()
    for table in tables:
        counts = ", ".join(
            f"countIf(arrayExists(n -> position(toString({column}), n) > 0, {{names:Array(String)}})) AS in_{column}"
            for column in table["names"]
        )
        (hits,) = store.query(f"SELECT {counts} FROM {table['table']}", {"names": names})
        found |= {f"{table['table']}.{column.removeprefix('in_')}" for column, rows in hits.items() if rows}
    return found


def _some_of_each_shard(store: Store, names: dict[str, str]) -> list[str]:
    """Two people of each shard, of those whose names are given by id."""
    rows = store.query(
        f"SELECT groupArray(2)(user_id) AS two FROM (SELECT arrayJoin({{names:Array(String)}}) AS user_id) "
        f"GROUP BY {PLACES['traffic_events']} % {SHARDS}",
        {"names": list(names.values())},
    )
    ids = {name: identity for identity, name in names.items()}
    # Whoever was right on one shard alone would be right by chance.
    assert len(rows) == SHARDS
    return [ids[name] for row in rows for name in row["two"]]


@pytest.mark.timeout(600)
async def test_who_is_erased_on_three_shards_is_gone_and_every_figure_stays(cluster: Store) -> None:
    campaign = fresh_campaign("erased")
    plain = shop_of(7, campaign)
    for row in plain["order_events"]:
        # One that several share would be suspected less, which docs/privacy.md says.
        row["device_id"] = f"phone of {row['user_id']}"
    key = choose_key(cluster, Settings())
    assert key is not None
    events = _named(key, plain)
    load(cluster, events)
    # What funnels know is folded, and the ends of a period are still read from events: names must fit each other.
    fold(cluster)
    buyers = _some_of_each_shard(
        cluster, {row["user_id"]: hashed(key, "user_id", row["user_id"]) for row in plain["order_events"]}
    )
    names = [hashed(key, "user_id", each) for each in buyers]
    sessions = [hashed(key, "session_id", f"s{each}") for each in buyers]
    before, shards = await answers(cluster, campaign, brief=True), _by_shard(cluster, campaign)
    assert before["funnel part"][""][-1].users > 0
    assert _found(cluster, names + sessions) == {
        "order_events.user_id", "traffic_events.session_id", "traffic_events.user_id",
    }  # fmt: skip

    desk = Desk(cluster, Settings(), lambda: 0)
    exported = [line["table"] for line in desk.export(buyers[0], ME)]
    theirs = [
        row for table in ("traffic_events", "order_events") for row in plain[table] if row["user_id"] == buyers[0]
    ]
    assert len(exported) == 1 + len(theirs)
    done = desk.erase(buyers, ME)
    assert done["rows"]["order_events"] == sum(row["user_id"] in buyers for row in plain["order_events"])

    after = await answers(cluster, campaign, brief=True)
    for name in before:
        assert after[name] == before[name], name
    # Rows were rewritten where they are, under names that belong there.
    assert _by_shard(cluster, campaign) == shards
    assert _found(cluster, names + sessions) == {"erased_people.pseudonym"}
    assert cluster.query("SELECT count() AS rows FROM erased_people WHERE secret != ''") == [{"rows": 0}]
    gone = "SELECT count() AS rows FROM funnel_by_span WHERE user IN (SELECT cityHash64(pseudonym) FROM erased_people)"
    assert cluster.query(gone) == [{"rows": 0}]
    kept = " ".join(row["command"] for row in cluster.query("SELECT command FROM system.mutations"))
    assert "UPDATE user_id" in kept
    fresh = cluster.query("SELECT DISTINCT user_id FROM traffic_events WHERE startsWith(user_id, '~')")
    assert len(fresh) == len(buyers)
    assert not [name for name in (*names, *(row["user_id"] for row in fresh)) if name in kept]
    assert [line["table"] for line in desk.export(buyers[0], ME)] == [""]


def _by_shard(store: Store, campaign: str) -> list[Any]:
    return [
        store.query(
            f"SELECT _shard_num AS shard, count() AS rows, uniqExact(user_id) AS people FROM {table} "
            "WHERE campaign_id = {id:String} GROUP BY shard ORDER BY shard",
            {"id": campaign},
        )
        for table in ("traffic_events", "order_events")
    ]


class Told:
    """Two servers that say of a rewriting what they are told to, and remember what they were asked."""

    def __init__(self, *states: dict[str, Any] | Exception) -> None:
        self.states = list(states)
        self.commands: list[tuple[str, dict[str, Any]]] = []

    def query(self, sql: str, parameters: object = None, *, settings: dict[str, Any] | None = None) -> list[Any]:
        if "system.one" in sql:
            return [{"servers": 2}]
        if "system.clusters" in sql:
            return [{"replicas": 2, "internal": 1, "weight": 1}]
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return [{"done": 0, "parts": 0, "reason": "", **state}]

    query_arrow: Any = query

    def insert(self, table: str, rows: object, *, token: object = None, settings: object = None) -> None:
        raise AssertionError(table)

    def command(self, sql: str, parameters: object = None, *, settings: dict[str, Any] | None = None) -> None:
        self.commands.append((sql, settings or {}))

    def close(self) -> None:
        pass


REWRITE = "ALTER TABLE order_events UPDATE user_id = '' WHERE user_id IN (SELECT pseudonym FROM erased_people)"


def test_rewriting_ends_when_each_replica_has_done_it() -> None:
    # The second has not heard of it yet; then it has, and is at work.
    servers = Told({"done": 1}, {"done": 1, "parts": 3}, {"done": 2})
    ClusteredStore(servers, Topology("war", "warroom"), 30.0).command(f"{REWRITE}\nSETTINGS mutations_sync = 2, x = 0")
    ((sql, settings),) = servers.commands
    assert sql.startswith("ALTER TABLE warroom_shard.order_events ON CLUSTER 'war' UPDATE user_id = ''")
    # Each shard has a table of that name, and all but one are empty.
    assert "FROM warroom.erased_people" in sql
    assert "SETTINGS" not in sql
    assert settings["allow_nondeterministic_mutations"] == 1
    assert settings["mutations_execute_subqueries_on_initiator"] == 0
    assert settings["mutations_sync"] == 0
    assert servers.states == [{"done": 2}]


@pytest.mark.parametrize("state", [{"done": 1, "parts": 3, "reason": "disk is full"}, StoreUnavailable("one is away")])
def test_a_server_that_is_away_or_fails_keeps_an_erasure_open(state: dict[str, Any] | Exception) -> None:
    store = ClusteredStore(Told(state), Topology("war", "warroom"), 0.1)
    with pytest.raises(StoreUnavailable, match=r"1 of 2 servers so far, 3 parts .* disk is full|one is away"):
        store.command(REWRITE)
