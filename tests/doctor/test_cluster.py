"""Clusters that are laid out badly, of which parts are away, or that are not those of the store: the doctor says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.settings import Settings
from services.common.store import Store
from services.common.store.migrate import migrate
from services.doctor.checks.cluster import ENGINE, Server, judge_away, judge_layout, judge_same, numbered
from services.doctor.finding import Verdict, worst
from tests.doctor.conftest import Report, examine
from tests.support.clickhouse_http.cluster import NAME
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint

Install = Callable[..., Settings]


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A store that was prepared on three shards; its server knows other clusters besides."""
    with running_endpoint(tmp_path_factory.mktemp("clustered"), shards=3) as endpoint:
        store = endpoint.store()
        migrate(store)
        store.close()
        yield endpoint


@pytest.fixture
def examined(installation: Install, clustered: Endpoint) -> Callable[[str], Report]:
    """The doctor's report where the settings name that cluster."""

    def examined(cluster: str) -> Report:
        installation(clickhouse_url=clustered.url, clickhouse_cluster=cluster)
        return examine()

    return examined


def test_a_cluster_in_order(examined: Callable[[str], Report]) -> None:
    report = examined(NAME)
    assert report.says("warn", "war has 3 shard(s) of one replica")
    assert report.says("ok", "all 3 answer, 1 server(s)")
    assert report.says("ok", "the same on 1 server(s)")
    assert report.says("ok", "may do on default_shard what Warroom needs")
    assert [each for each in report.findings if each["check"] == "disk" and "default of " in each["sentence"]]


@pytest.mark.parametrize(
    ("cluster", "verdict", "sentence"),
    [
        ("nowhere", "fail", "nowhere of WARROOM_CLICKHOUSE_CLUSTER is not among the `remote_servers`"),
        ("paired", "fail", "paired has 1 shards and the store was prepared with 3"),
        ("paired", "ok", "the same on 2 server(s)"),
        ("lame", "fail", "nobody answers for shard 2: 127.0.0.1:1"),
        ("widowed", "warn", "127.0.0.1:1 (shard 1, replica 2) does not answer"),
        ("doubling", "fail", "doubling writes to every replica by itself: rows would count twice"),
        ("uneven", "fail", "uneven has up to 2 replicas a shard, and shard 2 has fewer"),
    ],
)
def test_what_is_wrong_with_it(examined: Callable[[str], Report], cluster: str, verdict: str, sentence: str) -> None:
    report = examined(cluster)
    assert report.says(verdict, sentence), report.bad()
    # A server that is away keeps nobody from seeing the others' disks.
    assert cluster == "nowhere" or [each for each in report.findings if each["check"] == "disk"]


def test_a_memory_that_is_too_short_is_mended_on_the_shards(
    examined: Callable[[str], Report], clustered: Endpoint
) -> None:
    store = clustered.store()
    change = "ALTER TABLE order_events MODIFY SETTING non_replicated_deduplication_window = %d"
    try:
        store.command(change % 7)
        report = examined(NAME)
        store.command(change % 10_000)
    finally:
        store.close()
    assert report.says("fail", "order_events remembers 7 blocks, fewer than 10000")
    (remedy,) = [each["remedy"] for each in report.findings if "remembers 7 blocks" in each["sentence"]]
    assert remedy.startswith("ALTER TABLE default_shard.order_events ON CLUSTER 'war' MODIFY SETTING ")
    assert not examined(NAME).says("fail", "remembers")


def test_a_cluster_s_tables_without_the_setting(installation: Install, clustered: Endpoint) -> None:
    installation(clickhouse_url=clustered.url)
    assert examine().says("fail", "stand for those of a cluster, and WARROOM_CLICKHOUSE_CLUSTER is not set")


def test_the_setting_without_a_cluster_s_tables(installation: Install, clickhouse: Endpoint) -> None:
    installation(clickhouse_url=clickhouse.url, clickhouse_cluster=NAME)
    assert examine().says("fail", "war of WARROOM_CLICKHOUSE_CLUSTER is not among the `remote_servers`")


def test_a_cluster_that_was_never_prepared(installation: Install, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_endpoint(tmp_path_factory.mktemp("unprepared"), shards=2) as endpoint:
        installation(clickhouse_url=endpoint.url, clickhouse_cluster=NAME)
        assert examine().says("fail", "war was never prepared")


PAIRS = [Server(1, 1, "a:1"), Server(1, 2, "b:1"), Server(2, 1, "c:1"), Server(2, 2, "d:1")]


def test_a_cluster_as_it_should_be() -> None:
    assert [each.verdict for each in judge_layout("c", PAIRS, 2)] == ["ok"]
    # Where the first shard is away nobody knows how many there were; that is told besides.
    assert [each.verdict for each in judge_layout("c", PAIRS, 0)] == ["ok"]
    heavy = [*PAIRS[:3], Server(2, 2, "d:1", weight=3)]
    assert [each.verdict for each in judge_layout("c", heavy, 2)] == ["warn"]


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=9))
def test_a_shard_without_anybody_is_worse_than_a_replica_that_is_away(found: list[tuple[int, bool]]) -> None:
    servers = [Server(shard, number, f"s{number}:9000") for number, (shard, _) in enumerate(found, start=1)]
    away = {f"s{number}:9000" for number, (_, gone) in enumerate(found, start=1) if gone}
    dead = any(all(each.address in away for each in servers if each.shard == shard) for shard, _ in found)
    expected = Verdict.FAIL if dead else Verdict.WARN if away else Verdict.OK
    findings = judge_away(servers, away)
    assert worst(findings) is expected
    told = " ".join(each.sentence for each in findings)
    assert all(address in told for address in away)


def test_servers_are_numbered_as_the_engine_numbers_them(store: Store) -> None:
    """`clusterAllReplicas` makes a shard of each address, none of them twice."""
    twice = [Server(1, 1, "a:1"), Server(1, 2, "b:1"), Server(2, 1, "a:1"), Server(2, 2, "c:1")]
    assert {number: each.address for number, each in numbered(twice).items()} == {1: "a:1", 2: "b:1", 3: "c:1"}


def test_a_migration_that_did_not_reach_everybody() -> None:
    whole = {"w.orders": 1, "w.traffic": 2}
    assert judge_same({"a": whole, "b": whole}).verdict is Verdict.OK
    short = judge_same({"a": whole, "b": whole, "c": {"w.orders": 1}})
    assert short.verdict is Verdict.FAIL
    assert short.sentence == "w.traffic is not the same everywhere; look at c"
    other = judge_same({"a": whole, "b": {**whole, "w.orders": 9}, "c": whole})
    assert other.sentence == "w.orders is not the same everywhere; look at b"


def test_a_replica_s_own_path_is_no_difference(store: Store) -> None:
    engines = [
        f"ReplicatedAggregatingMergeTree('/clickhouse/{path}', '{replica}'{more}) ORDER BY x SETTINGS y = {y}"
        for path, replica, more, y in (
            ("1/t", "a", "", 1),
            ("2/t", "b", "", 1),
            ("2/t", "b", ", v", 1),
            ("2/t", "b", "", 2),
        )
    ]
    rows = store.query(
        f"SELECT {ENGINE} AS engine FROM (SELECT arrayJoin({{all:Array(String)}}) AS engine_full)", {"all": engines}
    )
    found = [row["engine"] for row in rows]
    assert found[0] == found[1] == "ReplicatedAggregatingMergeTree() ORDER BY x SETTINGS y = 1"
    assert len(set(found)) == 3
