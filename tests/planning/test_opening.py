"""The model of the opening: nothing gets lost in it, its bounds hold, and where there is a formula it agrees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.errors import ConfigurationError
from services.planning.opening import STEP_SECONDS, WRITERS, Burst, Process, simulate


def process(
    lanes: int = 4,
    *,
    own: float = 3.0,
    store: float = 6.0,
    block_ms: float = 20.0,
    cores: float = 2.0,
    store_cores: float | None = None,
    block_events: int = 100_000,
    buffer_mb: int = 256,
) -> Process:
    return Process(
        [1.0] * lanes,
        own,
        store,
        block_ms,
        cores,
        store_cores,
        block_events=block_events,
        buffer_bytes=buffer_mb << 20,
    )


PROCESSES = st.builds(
    process,
    st.integers(1, 4),
    own=st.floats(0.5, 50),
    store=st.floats(0.5, 50),
    block_ms=st.floats(0, 200),
    cores=st.floats(0.2, 8),
    store_cores=st.none() | st.floats(0.2, 16),
    block_events=st.integers(1_000, 200_000),
    buffer_mb=st.integers(4, 512),
)
BURSTS = st.builds(
    Burst,
    st.floats(0, 5_000),
    st.floats(0, 400_000),
    st.floats(0, 20_000),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(0.1, 5),
)


@settings(max_examples=20, deadline=None)
@given(PROCESSES, BURSTS)
def test_every_event_is_in_kafka_in_memory_or_in_the_tables(each: Process, burst: Burst) -> None:
    """Catches: events that the model loses or makes, memory without a bound, tables that forget, time that
    runs back."""
    opening = simulate(each, burst, 10)
    arrived = sum(burst((step + 0.5) * STEP_SECONDS) * STEP_SECONDS for step in range(round(10 / STEP_SECONDS)))
    last = opening.samples[-1]
    assert last.arrived == pytest.approx(arrived)
    for before, after in zip(opening.samples, opening.samples[1:], strict=False):
        assert after.written >= before.written - 1e-6
        assert after.arrived >= before.arrived
    room = each.buffer_bytes / each.event_bytes
    for sample in opening.samples:
        assert -1e-3 <= sample.buffered <= sample.lag + 1e-3
        assert sample.buffered <= room * (1 + 1e-9) + 1e-3
        assert sample.age <= sample.at
    assert 0 <= opening.p50 <= opening.p99 <= opening.worst
    assert opening.peak_lag == max(sample.lag for sample in opening.samples)


@settings(max_examples=20, deadline=None)
@given(PROCESSES, BURSTS)
def test_nothing_is_carried_faster_than_the_cores_allow(each: Process, burst: Burst) -> None:
    """Catches: core seconds that are spent twice, by the event loop and by a block."""
    opening = simulate(each, burst, 10)
    own, store = each.own_us / 1e6, each.store_us / 1e6
    if each.store_cores is None:
        most = each.cores / (own + store)
    else:
        most = min(min(1.0, each.cores) / own, min(WRITERS, each.store_cores) / store)
    for sample in opening.samples:
        assert sample.written <= most * (sample.at + WRITERS * STEP_SECONDS) * 1.001 + 1


@pytest.mark.parametrize("store_cores", [None, 1.5], ids=["one pool of cores", "ClickHouse elsewhere"])
@settings(max_examples=5, deadline=None)
@given(over=st.floats(1.5, 3), after=st.floats(0.1, 0.3), hold=st.floats(20, 30))
def test_a_long_burst_is_a_fluid_queue(store_cores: float | None, over: float, after: float, hold: float) -> None:
    """Catches: a capacity that is not what the costs come to, or a backlog that is worked off at another speed.

    With blocks that cost nothing by themselves, a burst of `a` events a second over a capacity `c` leaves `(a - c) T`
    behind after `T` seconds, and with `b` arriving it takes `(a - c) T / (c - b)` until it is gone.
    """
    each = process(3, block_ms=0.0, cores=1.0, store_cores=store_cores)
    capacity = each.capacity
    burst = Burst(after * capacity, over * capacity, after * capacity, begins=2, rise=0, hold=hold, half_life=0.1)
    behind = (over - 1) * capacity * hold
    needed = behind / (capacity * (1 - after))
    opening = simulate(each, burst, 2 + hold + needed * 1.5 + 60)
    # Blocks in flight and those that wait for four seconds are no fluid.
    slack = 6 * capacity
    assert opening.peak_lag == pytest.approx(behind, rel=0.05, abs=slack)
    assert opening.recovery is not None
    assert opening.recovery == pytest.approx(needed, rel=0.1, abs=15)
    assert opening.worst == pytest.approx(behind / capacity, rel=0.15, abs=12)


def test_below_capacity_nobody_waits_longer_than_a_block() -> None:
    """Catches: a lag where there is none in truth."""
    opening = simulate(process(block_ms=10, cores=2), Burst(1_000, 50_000, 50_000), 60)
    assert opening.recovery == 0
    assert opening.worst < 2.5
    assert opening.p50 > 0.1


def test_what_never_recovers_is_said_to() -> None:
    """Catches: an end of the time taken for a recovery."""
    each = process()
    assert simulate(each, Burst(1_000, 2 * each.capacity, 2 * each.capacity), 60).recovery is None


def test_the_same_twice_is_the_same() -> None:
    """Catches: chance, which would let documents drift."""
    first, second = (simulate(process(), Burst(1_000, 300_000, 10_000), 30) for _ in range(2))
    assert first == second


def test_a_length_that_makes_no_sense_is_refused() -> None:
    for seconds in (0, -1, 1e9, float("nan")):
        with pytest.raises(ConfigurationError, match="--seconds"):
            simulate(process(), Burst(1, 2, 1), seconds)
