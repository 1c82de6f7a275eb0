"""What several processes carried, from what they said: an error here would flatter every figure made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.sharing import NotEnough, Sample, Usage, discounted, share, speed_up

BLOCK = 1_000
RATES = st.floats(500, 500_000)
STARTS = st.floats(0, 3)


def member(rate: float, start: float, blocks: int) -> list[Sample]:
    """One that gets its partitions at `start`, and whose core is its own from then on."""
    waiting = Sample(at=start - 0.5, assigned=False, handled=0, cpu=0)
    said = [
        Sample(at=start + each * BLOCK / rate, assigned=True, handled=each * BLOCK, cpu=0) for each in range(blocks)
    ]
    return [waiting, *said]


def watched(seconds: float, broker: float = 0.0, busy: float = 0.0) -> list[Usage]:
    """A machine on which the broker and the members' cores do the same all the time."""
    return [Usage(at=at, broker=broker * at, cores=busy * at) for at in (-1.0, 0.0, seconds / 3, seconds)]


@given(rate=RATES, other=RATES, start=STARTS)
def test_the_speed_is_that_of_the_time_when_all_were_at_work(rate: float, other: float, start: float) -> None:
    """Catches: counting what one did before the other had joined, or while the other had nothing left."""
    seconds = 20 + start
    members = [member(rate, 0, int(seconds * rate / BLOCK)), member(other, start, int((seconds + 5) * other / BLOCK))]
    found = share(members, watched(100))
    assert found.events_per_second == pytest.approx(rate + other, rel=1e-6)
    assert found.cores == 2


@given(rate=RATES, taken=st.floats(0.01, 0.9))
def test_a_broker_on_the_same_cores_is_discounted(rate: float, taken: float) -> None:
    """Catches: a discount of the wrong size, or one for a core that the broker did not touch."""
    alone = share([member(rate, 0, 200)], watched(1000, broker=taken))
    slowed = rate * (1 - taken / 2)
    two = share([member(slowed, 0, 200), member(slowed, 0, 200)], watched(1000, broker=taken, busy=taken))
    assert speed_up(alone, two) == pytest.approx(2 - taken)
    assert discounted(alone, two) == pytest.approx(2)


def test_no_more_is_discounted_than_the_broker_used() -> None:
    """Catches: calling the rest of the machine's work the broker's."""
    found = share([member(1000, 0, 50)], watched(100, broker=0.1, busy=0.6))
    assert found.lost_core_seconds == pytest.approx(0.1 * found.seconds)


def test_a_member_that_had_nothing_to_do_yields_no_figure() -> None:
    """Catches: a rate made of one block, or of none."""
    for blocks in (1, 2):
        with pytest.raises(NotEnough):
            share([member(1000, 0, 50), member(1000, 0, blocks)], watched(100))
