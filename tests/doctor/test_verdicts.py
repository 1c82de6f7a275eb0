"""The judgements by themselves: what needs a cluster, a step of a clock or a month to come about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.access.keys import KeyEntry, hash_of
from services.common.settings import Settings
from services.common.store.migrate import load_migrations
from services.doctor.checks.certificates import judge_expiry
from services.doctor.checks.clocks import FAIL_MS, WARN_MS, judge_clock
from services.doctor.checks.kafka import Group, Topic, judge_group, judge_servers, judge_topics
from services.doctor.checks.keys import judge_keys
from services.doctor.checks.receivers import judge_reached
from services.doctor.checks.rights import NEEDED, judge_rights
from services.doctor.checks.room import Replica, judge_disk, judge_parts, judge_replicas
from services.doctor.checks.schema import expected_windows, judge_tables
from services.doctor.checks.services import judge_access
from services.doctor.checks.store import judge_version
from services.doctor.checks.watermark import judge_watermark
from services.doctor.finding import Finding, Verdict, worst

SETTINGS = Settings(topic_partitions=2, topic_replication_factor=3)
WELL = Topic(
    replicas={0: 3, 1: 3},
    in_step={0: 3, 1: 3},
    config={"min.insync.replicas": "2", "retention.ms": "604800000", "max.message.bytes": str(4 << 20)},
)
DAY = 86_400_000


def _topics(**changes: object) -> list[Finding]:
    """What is said of topics of which that of orders is changed."""
    topics = dict.fromkeys(SETTINGS.topics.values(), WELL)
    topics["campaign.orders"] = replace(WELL, **changes)  # type: ignore[arg-type]
    return judge_topics(topics, SETTINGS)


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({}, "ok", "all 6 are as they should be"),
        ({"in_step": {0: 3, 1: 2}}, "warn", "1 of 2 partitions have a replica that is not in step"),
        ({"leaderless": [1]}, "fail", "1 of 2 partitions have no leader"),
        (
            {"replicas": {0: 1, 1: 1}, "in_step": {0: 1, 1: 1}, "config": {}},
            "warn",
            "has 1 replica(s), and WARROOM_TOPIC_REPL",
        ),
        ({"replicas": {0: 3}, "in_step": {0: 3}}, "warn", "has 1 partition(s), and WARROOM_TOPIC_PARTITIONS is 2"),
        ({"config": {"min.insync.replicas": "1"}}, "warn", "what one broker alone acknowledged is lost with it"),
        ({"config": {"min.insync.replicas": "3"}}, "warn", "nothing can be written once a broker is away"),
        ({"config": {"min.insync.replicas": "4"}}, "fail", "and it has 3 replica(s): nothing can be written"),
        ({"config": {"min.insync.replicas": "2", "cleanup.policy": "compact"}}, "fail", "compaction keeps one event"),
        ({"config": {"min.insync.replicas": "2", "retention.ms": "3600000"}}, "warn", "3600000, 1.0 h"),
        ({"config": {"min.insync.replicas": "2", "max.message.bytes": "1000"}}, "warn", "less than 1048576"),
        (
            {"config": {"min.insync.replicas": "2", "unclean.leader.election.enable": "true"}},
            "warn",
            "acknowledged records may be lost",
        ),
        ({"config": None}, "skipped", "does not tell how its topics are configured"),
    ],
)
def test_topics(changes: dict[str, object], verdict: str, said: str) -> None:
    findings = _topics(**changes)
    assert [each.verdict for each in findings if said in each.sentence] == [verdict]
    assert len(findings) == 1


def test_letters_need_more_room_than_events() -> None:
    topics = dict.fromkeys(SETTINGS.topics.values(), WELL)
    topics["campaign.dlq"] = replace(WELL, config={"min.insync.replicas": "2", "max.message.bytes": "1048588"})
    (finding,) = judge_topics(topics, SETTINGS)
    assert "large letters are sent without their bytes" in finding.sentence
    assert str(finding.remedy).endswith("--entity-name campaign.dlq --add-config max.message.bytes=4194304")


def test_a_topic_that_keeps_records_for_ever_keeps_them_long_enough() -> None:
    assert _topics(config={"min.insync.replicas": "2", "retention.ms": "-1"})[0].verdict is Verdict.OK


def test_one_server_of_several_is_enough_to_get_in() -> None:
    found = judge_servers({"a:9092": None, "b:9092": "nothing listens there"})
    assert [each.verdict for each in found] == [Verdict.WARN, Verdict.OK]
    assert [each.verdict for each in judge_servers({"b:9092": "nothing listens there"})] == [Verdict.FAIL]
    assert judge_servers({})[0].verdict is Verdict.FAIL


def test_a_group_that_lost_records_is_told_from_one_that_is_late() -> None:
    place = ("campaign.orders", 0)
    late = Group(1, {place: 10}, {place: 0}, {place: 200_000})
    lost = Group(1, {place: 10}, {place: 60}, {place: 70})
    fresh = Group(1, {}, {place: 0}, {place: 0})
    assert judge_group(late, SETTINGS, embedded=False)[0].sentence.startswith("warroom-ingest is 199990 records behind")
    assert "50 records, of campaign.orders/0 the most, went" in judge_group(lost, SETTINGS, embedded=False)[0].sentence
    assert judge_group(fresh, SETTINGS, embedded=False)[0].verdict is Verdict.OK
    assert judge_group(replace(fresh, members=0), SETTINGS, embedded=True)[0].verdict is Verdict.OK


@given(ours=st.integers(0, 10**13), took=st.integers(0, 20_000), apart=st.integers(-(10**6), 10**6))
def test_a_clock_is_called_wrong_only_when_no_delay_explains_it(ours: int, took: int, apart: int) -> None:
    verdict = judge_clock("it", ours + apart, ours, ours + took).verdict
    unexplained = max(0, -apart, apart - took)
    assert verdict == ("ok" if unexplained <= WARN_MS else "warn" if unexplained <= FAIL_MS else "fail")


@pytest.mark.parametrize(
    ("grants", "missing"),
    [
        (["GRANT ALL ON *.* TO u"], set()),
        (["GRANT SELECT, INSERT, CREATE TABLE, ALTER, DROP ON `shop`.* TO u"], set()),
        (["GRANT SELECT, INSERT ON shop.* TO u"], {"CREATE", "ALTER", "DROP"}),
        (["GRANT ALL ON shop.* TO u", "REVOKE ALTER ON shop.* FROM u"], {"ALTER"}),
        (["GRANT ALL ON other.* TO u"], set(NEEDED)),
        (["GRANT SELECT ON shop.traffic_events TO u"], set(NEEDED)),
        ([], set(NEEDED)),
    ],
)
def test_rights(grants: list[str], missing: set[str]) -> None:
    findings = judge_rights("u", "shop", grants, readonly=False)
    assert {right for right in NEEDED if any(f" no {right} on shop" in each.sentence for each in findings)} == missing
    assert (worst(findings) is Verdict.OK) == (not missing)


def test_rights_that_come_by_roles_are_not_guessed_and_a_reader_is_no_writer() -> None:
    assert judge_rights("u", "shop", ["GRANT writer TO u"], readonly=False)[0].verdict is Verdict.SKIPPED
    assert "read-only by its profile" in judge_rights("u", "shop", ["GRANT ALL ON *.* TO u"], readonly=True)[0].sentence


def test_disks_parts_and_replicas() -> None:
    assert [judge_disk("d", free, 100).verdict for free in (50, 9, 2)] == ["ok", "warn", "fail"]
    assert [judge_parts({"a": 1, "t": most}, 3000).verdict for most in (2, 400, 3000)] == ["ok", "warn", "fail"]
    assert judge_parts({}, 3000).verdict is Verdict.OK
    well = Replica("t", readonly=False, delay_seconds=0, queue=0)
    assert judge_replicas([])[0].verdict is Verdict.SKIPPED
    assert judge_replicas([well])[0].verdict is Verdict.OK
    assert "has lost Keeper" in judge_replicas([well, replace(well, readonly=True)])[0].sentence
    assert "t is 90 s behind" in judge_replicas([replace(well, delay_seconds=90)])[0].sentence


def test_expiry_versions_watermarks_and_receivers() -> None:
    assert [judge_expiry("it", day * DAY, 100 * DAY).verdict for day in (99, 110, 130)] == ["fail", "warn", "ok"]
    assert [judge_version(each, "d").verdict for each in ("24.8.1", "26.9.2.1", "27.1")] == ["warn", "ok", "ok"]
    marks = {"a": 900_000, "b": 1_000_000}
    assert [judge_watermark(marks, now).verdict for now in (920_000, 960_000, 2_000_000)] == ["ok", "warn", "fail"]
    assert judge_reached("am", [None, "away"]).verdict is Verdict.WARN
    assert judge_reached("am", ["away", "away"]).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("url", "stranger", "known", "verdict"),
    [
        ("http://127.0.0.1:8080", 200, None, "ok"),
        ("https://warroom.example", 200, None, "warn"),
        ("https://warroom.example", 401, None, "ok"),
        ("https://warroom.example", 401, 200, "ok"),
        ("https://warroom.example", 401, 401, "fail"),
        ("https://warroom.example", 500, None, "warn"),
    ],
)
def test_access(url: str, stranger: int, known: int | None, verdict: str) -> None:
    finding = judge_access(url, stranger, known)
    assert finding is not None
    assert finding.verdict == verdict


def test_the_windows_that_are_expected_are_those_of_the_migrations() -> None:
    expected = expected_windows(load_migrations())
    assert expected["order_events"] == 10_000
    assert expected["bi_orders"] == 0
    engines = {name: f"SETTINGS non_replicated_deduplication_window = {size}" for name, size in expected.items()}
    assert judge_tables(expected, engines)[0].verdict is Verdict.OK
    engines |= {"order_events": "ReplicatedMergeTree('/p', 'r') ORDER BY x"}
    assert judge_tables(expected, engines)[0].verdict is Verdict.OK
    engines |= {"order_events": "ReplicatedMergeTree('/p', 'r') SETTINGS replicated_deduplication_window = 100"}
    (finding,) = judge_tables(expected, engines)
    assert finding.remedy == "ALTER TABLE order_events MODIFY SETTING replicated_deduplication_window = 10000"


def test_in_a_cluster_the_tables_behind_are_looked_at() -> None:
    asked = {"order_events": "Distributed('c', 'w_shard', 'order_events')", "bi_orders": ""}
    expected = {"order_events": 10_000, "order_rollup": 0, "bi_orders": 0}
    behind = {
        "order_events": "ReplicatedMergeTree SETTINGS replicated_deduplication_window = 10000",
        "order_rollup": "",
    }
    assert judge_tables(expected, asked, behind)[0].verdict is Verdict.OK
    behind["order_events"] = behind["order_events"].replace("10000", "10")
    assert "order_events remembers 10 blocks" in judge_tables(expected, asked, behind)[0].sentence
    del behind["order_events"]
    assert "order_events is gone" in judge_tables(expected, asked, behind)[0].sentence


def _key(name: str, role: str = "admin", expires: str | None = None) -> KeyEntry:
    return KeyEntry.model_validate({"name": name, "sha256": hash_of(name), "role": role, "expires": expires})


def test_keys_of_the_api() -> None:
    now = 1_800_000_000_000
    over, soon, far = "2020-01-01T00:00:00Z", "2027-01-20T00:00:00Z", "2030-01-01T00:00:00Z"

    def said(*entries: KeyEntry, provider: bool = False) -> list[str]:
        return [f"{each.verdict}: {each.sentence}" for each in judge_keys(entries, now, provider=provider)]

    assert said(_key("a"), _key("b", expires=far)) == ["ok: 2 API key(s) are valid"]
    assert said() == ["fail: no API key is valid: nobody is let in"]
    assert said(provider=True) == ["ok: 0 API key(s) are valid"]
    assert said(_key("a", "viewer")) == ["warn: no valid key is an admin's: nobody can declare a campaign"]
    assert said(_key("a"), _key("b", expires=soon)) == ["warn: b ends within 14 days"]
    assert said(_key("a"), _key("b", expires=over)) == ["warn: b has ended"]
