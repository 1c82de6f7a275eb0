"""From a workload to what has to stand there: what is promised of the result, against plain readings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.errors import ConfigurationError
from services.planning.costs import shipped
from services.planning.sizing import MOST_PARTITIONS, Sizing, size, survivors
from services.planning.workload import RANGES, Workload, option_of

COSTS = shipped().costs


def workload(**changes: float | int | str) -> Workload:
    plain = Workload(orders_peak=1_000, orders_mean=100, events_per_order=30, event_bytes=COSTS.value_bytes)
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests give each field what it takes


WORKLOADS = st.builds(
    workload,
    orders_peak=st.floats(10, 600_000),
    orders_mean=st.floats(0, 10),
    events_per_order=st.floats(1, 60),
    event_bytes=st.floats(100, 2_000),
    campaigns=st.integers(1, 50),
    peak_hours=st.floats(0, 24),
    retention_days=st.floats(1, 400),
    viewers=st.integers(0, 50_000),
    zones=st.integers(1, 5),
    busy=st.floats(0.3, 0.9),
    kafka_replicas=st.integers(2, 3),
)


@settings(max_examples=60, deadline=None)
@given(WORKLOADS)
def test_what_is_left_when_a_zone_is_lost_still_carries_the_peak(work: Workload) -> None:
    """Catches: headroom that is rounded away, a zone that takes more than its part, partitions that divide badly."""
    found = size(work, COSTS)
    for name in ("Kafka broker", "ingest", "metrics"):
        part = found.part(name)
        assert part.count >= 2
        assert part.busy_without is not None
        assert part.busy <= part.busy_without * (1 + 1e-9), name
        assert part.busy_without <= work.busy * (1 + 1e-9), name
    ingest = found.part("ingest").count
    bigger = max(1.0, work.event_bytes / COSTS.value_bytes)
    # By hand: the fullest of the processes that are left, and the fullest partition.
    left = survivors(ingest, work.zones)
    mine = -(-found.partitions // left)
    rate = work.events_peak * mine / found.partitions
    assert rate * (COSTS.own_us + COSTS.insert_us) * bigger / 1e6 <= work.busy * (1 + 1e-9)
    busiest = work.events_peak * max(COSTS.shares.values()) / found.partitions
    assert busiest * COSTS.partition_us * bigger / 1e6 <= work.busy * (1 + 1e-9)
    server = found.part("ClickHouse server")
    assert server.busy <= work.busy * (1 + 1e-9)
    assert server.count == found.shards * work.clickhouse_replicas


@settings(max_examples=40, deadline=None)
@given(WORKLOADS, st.floats(1, 5))
def test_more_never_needs_less(work: Workload, factor: float) -> None:
    """Catches: a sign, a division upside down."""
    small, large = size(work, COSTS), size(replace(work, orders_peak=work.orders_peak * factor), COSTS)

    def whole(found: Sizing, field: str) -> float:
        return sum(float(getattr(part, field)) * part.count for part in found.parts)

    for field in ("disk_bytes", "network_in"):
        assert whole(large, field) >= whole(small, field) * (1 - 1e-9)
    assert large.one_machine_cores >= small.one_machine_cores * (1 - 1e-9)
    assert large.part("ingest").count >= small.part("ingest").count
    assert large.part("Kafka broker").count >= small.part("Kafka broker").count


@given(st.integers(2, 1_000), st.integers(1, 9))
def test_a_lost_zone_is_the_fullest_one(count: int, zones: int) -> None:
    """Catches: counting with the emptiest zone. Against dealing them out one by one."""
    dealt = [0] * zones
    for each in range(count):
        dealt[each % zones] += 1
    assert survivors(count, zones) == count - (max(dealt) if zones > 1 else 1)


def test_a_day_and_its_disk_by_hand() -> None:
    """Catches: hours, days, replicas or bytes taken twice or not at all."""
    work = workload(peak_hours=2, retention_days=10, kafka_hours=24, busy=0.5, zones=3)
    found = size(work, COSTS)
    events = (2 * 30_000 + 22 * 3_000) * 3_600
    assert found.events_a_day == pytest.approx(events)
    broker = found.part("Kafka broker")
    assert broker.disk_bytes * broker.count == pytest.approx(events * COSTS.log_bytes_none * 3 / 0.5)
    server = found.part("ClickHouse server")
    minutes = 10 * 24 * 60 * COSTS.rollup_minute_kb * 1_000
    stored = events * 10 * (COSTS.table_bytes + COSTS.rollup_bytes) + minutes
    assert server.disk_bytes * server.count == pytest.approx(stored * 2 / 0.5)


@given(st.floats(0.5, 24 * 20), st.floats(0, 24))
def test_the_fullest_hours_count_first(hours: float, peak_hours: float) -> None:
    """Catches: a retention that begins after the peak. Against laying the hours of days beside each other."""
    work = workload(peak_hours=peak_hours)
    left, expected = hours, 0.0
    while left > 1e-9:
        day = min(24.0, left)
        expected += min(day, peak_hours) * 30_000 + max(0.0, day - peak_hours) * 3_000
        left -= day
    assert work.events_within(hours) == pytest.approx(expected * 3_600, rel=1e-6)


@pytest.mark.parametrize("field", RANGES)
@pytest.mark.parametrize("which", ["below", "above", "nan"])
def test_nonsense_is_refused_by_name(field: str, which: str) -> None:
    """Catches: an option that takes what nobody means, or a sentence that does not say which it was."""
    allowed = RANGES[field]
    value = {"below": allowed.least - 1, "above": allowed.most * 2 + 1, "nan": float("nan")}[which]
    with pytest.raises(ConfigurationError, match=f"^{option_of(field)} "):
        workload(**{field: value})


def test_what_contradicts_itself_is_refused() -> None:
    for changes, said in (
        ({"orders_mean": 2_000}, "--orders-mean"),
        ({"kafka_codec": "zip"}, "--kafka-codec"),
        ({"campaigns": 1.5}, "--campaigns"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            workload(**changes)
    with pytest.raises(ConfigurationError, match="--orders-peak"):
        size(workload(orders_peak=10_000_000, events_per_order=10_000, event_bytes=100_000), COSTS)


def test_what_cannot_be_survived_is_said() -> None:
    """Catches: silence about a single copy, about too many partitions, about what lies beyond all measurement."""
    alone = size(workload(kafka_replicas=1, clickhouse_replicas=1), COSTS)
    assert alone.part("ClickHouse server").busy_without is None
    assert alone.part("Kafka broker").busy_without is None
    assert any(text.startswith("--kafka-replicas 1") for text in alone.warnings)
    assert any(text.startswith("--clickhouse-replicas 1") for text in alone.warnings)
    huge = size(workload(orders_peak=3_000_000), COSTS)
    assert huge.partitions > MOST_PARTITIONS
    assert any("WARROOM_TOPIC_PARTITIONS" in text for text in huge.warnings)
    assert [reach.is_far for reach in huge.reaches if reach.what == "events a second in all"] == [True]
    small = size(workload(orders_peak=1, orders_mean=0, retention_days=1), COSTS)
    assert [reach.is_far for reach in small.reaches if reach.what == "events a second in all"] == [False]
