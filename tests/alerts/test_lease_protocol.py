"""The lease by its laws: instances that pause, die, lose answers and have clocks of their own never act at once."""

from __future__ import annotations

from contextlib import closing
from typing import get_args

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.alerts.lease_world import How, World

CLOCKS = st.lists(st.tuples(st.integers(-(10**9), 10**9), st.floats(0.95, 1.05)), min_size=2, max_size=3)
HOWS = st.sampled_from(["go", "go", "go", "go", *get_args(How)])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(0, 2), st.integers(0, 1), HOWS),
        st.tuples(st.just("step"), st.integers(0, 2), st.integers(0, 1), HOWS),
        st.tuples(st.just("run"), st.integers(0, 2), st.integers(1, 8), st.just("go")),
        st.tuples(st.just("time"), st.sampled_from([1, 300, 1_500, 4_000, 7_500, 9_000]), st.just(0), st.just("go")),
        st.tuples(st.just("change"), st.just(0), st.just(0), st.just("go")),
        st.tuples(st.just("late"), st.just(0), st.just(0), st.just("go")),
        st.tuples(st.just("kill"), st.integers(0, 2), st.just(0), st.just("go")),
    ),
    max_size=120,
)


def play(world: World, steps: list[tuple[str, int, int, How]]) -> None:
    for what, number, more, how in steps:
        chosen = number % len(world.instances)
        match what:
            case "step":
                world.instances[chosen].go(more, how)
            case "run":
                for turn in range(2 * more):
                    world.instances[chosen].go(turn % 2, "go")
                    world.check()
            case "time":
                world.pass_time(number)
            case "change":
                world.bad = not world.bad
            case "late":
                if world.late:
                    world.server.do(world.late.pop(0))
            case "kill":
                world.kill(chosen)
        world.check()


@settings(max_examples=300)
@given(CLOCKS, STEPS)
@example([(0, 1.0), (5, 1.0)], [("run", 0, 8, "go"), ("time", 9_000, 0, "go"), ("run", 1, 8, "go")])
def test_never_two_at_once_and_each_notice_once(
    clocks: list[tuple[int, float]], steps: list[tuple[str, int, int, How]]
) -> None:
    with closing(World(clocks)) as world:
        play(world, steps)
        world.settle()
        # Somebody's turn it is, and what is wrong is known.
        assert sum(instance.acting for instance in world.instances) == 1
        rows = world.server.valid()
        assert (len(rows) % 2 == 1) == world.bad
        # No page is lost, and of one incident there is one alert: it begins, ends, and then the next one begins.
        assert set(rows) <= set(world.heard)
        assert set(world.heard) == set(rows)
        firsts = list(dict.fromkeys(world.heard))
        assert firsts == rows
        assert [number for _, number in rows] == [1 + n % 2 for n in range(len(rows))]
        assert all(rows[n][0] == rows[n + 1][0] for n in range(0, len(rows) - 1, 2))
