"""What may be fetched is bounded, and nobody starves: whichever partitions are stuck, the others go on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.pressure import Demand, Pressure

LIMIT = 100
POLL = 15
RUN = 1
LANES = range(6)


@given(
    stuck=st.sets(st.sampled_from(LANES)),
    turns=st.lists(st.tuples(st.sampled_from(LANES), st.integers(1, POLL), st.booleans()), max_size=300),
)
def test_bounded_whatever_happens_and_the_others_go_on(stuck: set[int], turns: list[tuple[int, int, bool]]) -> None:
    pressure = Pressure(LIMIT)
    held = dict.fromkeys(LANES, 0)

    def poll(lane: int, size: int) -> bool:
        wanted = pressure.wanted(sum(held.values()), {each: Demand(held[each]) for each in LANES})
        if lane in wanted:
            held[lane] += RUN if pressure.paused else size
        assert sum(held.values()) <= LIMIT + POLL
        return lane in wanted

    for lane, size, written in turns:
        poll(lane, size)
        if written and lane not in stuck:
            held[lane] = 0
    for lane in set(LANES) - stuck:
        held[lane] = 0
    # The stuck ones fetch as much as they may, and still leave room.
    for lane in stuck:
        while poll(lane, POLL):
            pass
    for lane in set(LANES) - stuck:
        assert poll(lane, POLL)
        held[lane] = 0


@given(st.lists(st.integers(1, 3 * LIMIT), min_size=1, max_size=6))
def test_blocks_that_are_built_again_become_whole_though_all_of_them_do_not_fit(sizes: list[int]) -> None:
    """A block in replay can be written only when it is whole: half of each would fill the memory for ever."""
    pressure = Pressure(LIMIT)
    held = dict.fromkeys(range(len(sizes)), 0)
    left = set(held)
    for _ in range(sum(sizes) + 1):
        wanted = pressure.wanted(sum(held.values()), {each: Demand(held[each], replays=True) for each in left})
        room = POLL
        for lane in wanted:
            part = min(room, sizes[lane] - held[lane], 7)
            held[lane] += part
            room -= part
        assert sum(held.values()) <= LIMIT + POLL + max(sizes)
        for lane in [lane for lane in left if held[lane] == sizes[lane]]:
            left.discard(lane)
            held[lane] = 0
        if not left:
            break
    assert not left
