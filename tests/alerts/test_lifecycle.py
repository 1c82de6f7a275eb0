"""The state machine, by its laws: whatever is seen, in whatever order, across restarts at any point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.lifecycle import OPEN, Life, Pace, Sighting, State, advance

SIGHTINGS = st.lists(st.tuples(st.sampled_from(Sighting), st.integers(1, 5000)), max_size=80)
PACES = st.builds(Pace, for_ms=st.integers(0, 8000), keep_ms=st.integers(0, 8000))


Look = tuple[int, Sighting, Life | None, Life | None]


def lives(
    sightings: Sequence[tuple[Sighting, int]], pace: Pace, *, restarts: frozenset[int] = frozenset()
) -> Iterator[Look]:
    """Each look with the life before and after it. A restart keeps what is recorded: open alerts, without clocks."""
    life: Life | None = None
    now = 1_000_000
    for index, (sighting, passed) in enumerate(sightings):
        now += passed
        if index in restarts and life is not None:
            life = replace(life, clear_since=None) if life.state in OPEN else None
        after = advance(life, sighting, now, pace)
        yield now, sighting, life, after
        life = after


@given(SIGHTINGS, PACES, st.frozensets(st.integers(0, 79), max_size=6))
def test_firing_and_resolved_alternate(
    sightings: list[tuple[Sighting, int]], pace: Pace, restarts: frozenset[int]
) -> None:
    told = [
        after.state
        for _, _, before, after in lives(sightings, pace, restarts=restarts)
        if after is not None
        and after.state in (State.FIRING, State.RESOLVED)
        and (before is None or before.state is not after.state)
    ]
    assert told == [State.FIRING if n % 2 == 0 else State.RESOLVED for n in range(len(told))]


@given(SIGHTINGS, PACES)
def test_only_an_unbroken_breach_of_the_whole_time_fires(sightings: list[tuple[Sighting, int]], pace: Pace) -> None:
    begun: int | None = None
    for now, sighting, before, after in lives(sightings, pace):
        begun = (begun if begun is not None else now) if sighting is Sighting.BREACH else None
        fires = after is not None and after.state is State.FIRING
        if fires and (before is None or before.state is not State.FIRING):
            assert begun is not None
            assert now - begun >= pace.for_ms
        if after is not None and after.state is State.PENDING:
            assert begun is not None
            assert now - begun < pace.for_ms


@given(SIGHTINGS, PACES)
def test_only_clear_looks_of_the_whole_time_resolve(sightings: list[tuple[Sighting, int]], pace: Pace) -> None:
    clear_since: int | None = None
    for now, sighting, before, after in lives(sightings, pace):
        if before is None or before.state not in OPEN:
            clear_since = None
            continue
        if sighting is Sighting.CLEAR:
            clear_since = now if clear_since is None else clear_since
        elif sighting is not Sighting.UNKNOWN:
            clear_since = None
        assert after is not None
        over = sighting is Sighting.CLEAR and clear_since is not None and now - clear_since >= pace.keep_ms
        assert (after.state is State.RESOLVED) == over
        assert after.ends_at == (clear_since if over else None)


@given(SIGHTINGS, PACES)
def test_an_end_always_follows_once_the_condition_is_gone(sightings: list[tuple[Sighting, int]], pace: Pace) -> None:
    end = [(Sighting.CLEAR, 1), (Sighting.CLEAR, pace.keep_ms + 1)]
    *_, (_, _, _, last) = lives([*sightings, *end], pace)
    assert last is None or last.state is State.RESOLVED


@given(SIGHTINGS, PACES)
def test_what_cannot_be_judged_changes_no_open_alert(sightings: list[tuple[Sighting, int]], pace: Pace) -> None:
    for _, sighting, before, after in lives(sightings, pace):
        if sighting is Sighting.UNKNOWN and before is not None and before.state in OPEN:
            assert after == before


def test_a_resolved_alert_is_followed_by_another_one() -> None:
    pace = Pace(for_ms=0, keep_ms=0)
    first = advance(None, Sighting.BREACH, 1000, pace)
    resolved = advance(first, Sighting.CLEAR, 2000, pace)
    assert resolved == Life(State.RESOLVED, 1000, fired_at=1000, clear_since=2000, ends_at=2000)
    assert advance(resolved, Sighting.BREACH, 3000, pace) == Life(State.FIRING, 3000, fired_at=3000)
