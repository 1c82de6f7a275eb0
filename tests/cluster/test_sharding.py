"""The same events on one server and spread over three shards: every family of questions has the same answer.

`cluster_store` is the engine's own `Distributed` over three shards (see `tests.support.clickhouse_http.cluster`); the
second test is without it: three stores that know nothing of each other, and the arithmetic in plain Python.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.common.store import Store
from services.common.store.migrate import migrate
from services.common.store.topology import PLACES
from tests.cluster.families import Events, answers, by_shard, fold, load, shop_of
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.store import fresh_campaign

SHARDS = 3


def _shards_of(store: Store, table: str, events: Events) -> list[int]:
    """Where the sharding key puts each row, by ClickHouse's own hash."""
    key, column = PLACES[table], PLACES[table].split("(")[1].rstrip(")")
    values = [str(event[column]) for event in events[table]]
    rows = store.query(
        f"SELECT {key} % {SHARDS} AS shard FROM (SELECT arrayJoin({{values:Array(String)}}) AS {column})",
        {"values": values},
    )
    return [int(row["shard"]) for row in rows]


@pytest.mark.timeout(600)
async def test_three_shards_answer_as_one_server(store: Store, cluster_store: Store) -> None:
    campaign = fresh_campaign("sharded")
    events = shop_of(7, campaign)
    for each in (store, cluster_store):
        load(each, events)
    # Without this the test would hold for a cluster that keeps everything in one place.
    spread = cluster_store.query(
        "SELECT _shard_num AS shard, uniqExact(user_id) AS users FROM traffic_events "
        "WHERE campaign_id = {id:String} GROUP BY shard ORDER BY shard",
        {"id": campaign},
    )
    assert Counter(_shards_of(store, "traffic_events", events)).keys() == {0, 1, 2}
    assert [row["shard"] for row in spread] == [1, 2, 3]
    assert sum(row["users"] for row in spread) == len({event["user_id"] for event in events["traffic_events"]})
    one, three = await answers(store, campaign), await answers(cluster_store, campaign)
    # Some went all the way, through traffic and orders, or the funnel would not tell whether the two lie together.
    assert one["funnel all"][""][-1].users > 0
    for name in one:
        assert three[name] == one[name], name
    fold(cluster_store)
    three = await answers(cluster_store, campaign)
    for name in one:
        assert three[name] == one[name], f"{name}, folded"


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_users_of_shards_are_disjoint_so_that_their_answers_add_up(store: Store, tmp_path: Path) -> None:
    campaign = fresh_campaign("apart")
    events = shop_of(11, campaign)
    load(store, events)
    one = await answers(store, campaign)
    parts = {table: by_shard(rows, _shards_of(store, table, events), SHARDS) for table, rows in events.items()}
    found: list[dict[str, Any]] = []
    states: list[str] = []
    with ExitStack() as stack:
        for shard in range(SHARDS):
            apart = stack.enter_context(running_endpoint(tmp_path / str(shard))).store()
            stack.callback(apart.close)
            migrate(apart)
            load(apart, {table: rows[shard] for table, rows in parts.items() if rows[shard]})
            found.append(await answers(apart, campaign))
            states += [
                row["state"]
                for row in apart.query(
                    "SELECT hex(uniqCombined64MergeState(20)(t.uv)) AS state FROM traffic_by_minute AS t "
                    "WHERE campaign_id = {id:String} AND dimension = ''",
                    {"id": campaign},
                )
            ]
    whole = one["measures all"][(0, "")]
    for name, value in whole.items():
        # Of people, because each is on one shard; a session is its user's here.
        assert sum((part["measures all"][(0, "")][name] for part in found), type(value)(0)) == value, name
    (merged,) = store.query(
        "SELECT uniqCombined64Merge(20)(CAST(unhex(state), 'AggregateFunction(uniqCombined64(20), String)')) AS uv "
        "FROM (SELECT arrayJoin({states:Array(String)}) AS state)",
        {"states": states},
    )
    assert merged["uv"] == whole["uv"]
    steps = one["funnel all"][""]
    for number, step in enumerate(steps):
        assert sum(part["funnel all"][""][number].users for part in found) == step.users, step.step
    assert _cohorts(*(part["cohorts whole first_channel"] for part in found)) == _cohorts(
        one["cohorts whole first_channel"]
    )
    shown = Counter[tuple[str, str]]()
    for part in found:
        for variant in part["experiments whole"].variants:
            shown[variant.experiment, variant.variant] += variant.users
    assert shown == {(each.experiment, each.variant): each.users for each in one["experiments whole"].variants}


def _cohorts(*parts: Any) -> dict[str, tuple[int, int, Decimal]]:
    sums: dict[str, tuple[int, int, Decimal]] = {}
    for cohort in (each for part in parts for each in part):
        buyers, paid, gmv = sums.get(cohort.cohort, (0, 0, Decimal(0)))
        sums[cohort.cohort] = (
            buyers + cohort.buyers,
            paid + cohort.orders_paid,
            gmv + cohort.paid_gmv,
        )
    return sums
