"""Duplicates and disorder: nothing lost, nothing invented, nothing in a silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.arrivals import arrivals
from services.simulator.timeline import Record

SILENCE = (40_000, 55_000)

moments = st.lists(st.integers(0, 100_000).filter(lambda at: not SILENCE[0] <= at < SILENCE[1]), max_size=60).map(
    sorted
)


@given(
    times=moments,
    seed=st.integers(0, 99),
    duplicates=st.sampled_from([0.0, 0.3, 1.0]),
    disorder_ms=st.sampled_from([0, 500, 30_000]),
)
def test_every_record_arrives_in_time_and_outside_a_silence(
    times: list[int], seed: int, duplicates: float, disorder_ms: int
) -> None:
    silences: list[tuple[int, int]] = []

    def records() -> list[Record]:
        return [Record(at, "traffic", b"u", str(number).encode()) for number, at in enumerate(times)]

    def told() -> Iterator[Record]:
        for record in records():
            # As in a timeline: a silence is known from the first record after it on.
            if record.time_ms >= SILENCE[1] and not silences:
                silences.append(SILENCE)
            yield record

    got = list(arrivals(told(), seed=seed, duplicates=duplicates, disorder_ms=disorder_ms, silences=silences))
    copies = Counter(arrival.record for arrival in got)
    assert set(copies) == set(records())
    assert all(1 <= count <= 2 for count in copies.values())
    assert duplicates != 1.0 or all(count == 2 for count in copies.values())
    assert duplicates != 0.0 or all(count == 1 for count in copies.values())
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(got))
    for at_ms, record in got:
        assert 0 <= at_ms - record.time_ms <= 2 * disorder_ms + 2_000
        assert not silences or not SILENCE[0] <= at_ms < SILENCE[1]
