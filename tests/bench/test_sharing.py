"""What several processes carried, from what they said: an error here would flatter every figure made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.sharing import NotEnough, Sample, Usage, discounted, share, speed_up

BLOCK = 1_000
RATES = st.floats(500, 50_000)


def member(
    rate: float, start: float, blocks: int, *, cost: float = 0.0, alone_since: float | None = None
) -> list[Sample]:
    """One that gets its partitions at `start`, and works off so many blocks of them at an even pace.

    A block takes `cost` seconds of CPU. It may have worked by itself before; what it had begun then, it begins again.
    """
    head = 0
    said = [Sample(at=-10.0, assigned=False, handled=0, cpu=0)]
    if alone_since is not None:
        head = int((start - alone_since) * rate / BLOCK) * BLOCK
        said.append(Sample(at=alone_since, assigned=True, handled=0, cpu=0))
        said.append(Sample(at=start - 1e-3, assigned=False, handled=head, cpu=7))
    return [
        *said,
        *(
            Sample(at=start + each * BLOCK / rate, assigned=True, handled=head + each * BLOCK, cpu=9 + each * cost)
            for each in range(blocks + 1)
        ),
    ]


def watched(seconds: float, broker: float = 0.0, busy: float = 0.0) -> list[Usage]:
    """A machine on which the broker and the members' cores do the same all the time."""
    return [Usage(at=at, broker=broker * at, cores=busy * at) for at in (-20.0, 0.0, seconds / 3, seconds)]


@given(rate=RATES, other=RATES, blocks=st.integers(1, 50), others=st.integers(1, 50), before=st.floats(0.1, 9))
def test_the_speed_is_that_of_the_time_when_all_were_there(
    rate: float, other: float, blocks: int, others: int, before: float
) -> None:
    """Catches: counting what one did before the other had joined, or its waiting while the other still worked."""
    cost = 2e-6 * BLOCK
    members = [
        member(rate, before, blocks, cost=cost, alone_since=0.0),
        member(other, before, others, cost=cost),
    ]
    found = share(members, watched(200))
    assert found.events_per_second == pytest.approx(rate + other, rel=1e-6)
    assert found.seconds == pytest.approx(min(blocks * BLOCK / rate, others * BLOCK / other), abs=1e-6)
    assert found.cpu_us_per_event == pytest.approx(2, rel=1e-6)


@given(rate=RATES, taken=st.floats(0.01, 0.9))
def test_a_broker_on_the_same_cores_is_discounted(rate: float, taken: float) -> None:
    """Catches: a discount of the wrong size, or one for a core that the broker did not touch."""
    alone = share([member(rate, 0, 20)], watched(1000, broker=taken))
    slowed = rate * (1 - taken / 2)
    two = share([member(slowed, 0, 20), member(slowed, 0, 20)], watched(1000, broker=taken, busy=taken))
    assert speed_up(alone, two) == pytest.approx(2 - taken)
    assert discounted(alone, two) == pytest.approx(2)


def test_no_more_is_discounted_than_the_broker_used() -> None:
    """Catches: calling the rest of the machine's work the broker's."""
    found = share([member(1000, 0, 50)], watched(100, broker=0.1, busy=0.6))
    assert found.lost_core_seconds == pytest.approx(0.1 * found.seconds)


def test_a_member_that_had_nothing_to_do_yields_no_figure() -> None:
    """Catches: a rate made of nothing, or of what was done before the others came."""
    with pytest.raises(NotEnough):
        share([member(1000, 0, 50), member(1000, 0, 0)], watched(100))
    with pytest.raises(NotEnough):
        share([member(1000, 5, 0, alone_since=0.0), member(1000, 5, 3)], watched(100))
