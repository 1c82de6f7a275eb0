"""The protocol under crashes at every step, zombies and a broker that forgets: no loss, no duplicate."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.ranges import Line, Recorded
from services.ingest import writer
from services.ingest.block import BlockLimits
from services.ingest.consumer import StaleMember
from services.ingest.ids import Hashes
from services.ingest.protocol import Checkpoint
from tests.ingest.world import HASH, TOPIC, Crash, Process, World, all_the_same, is_refused

LONG = 10**9

Hash = Callable[[pa.StringArray], Hashes]


@pytest.fixture(autouse=True, scope="module")
def _no_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_FIRST_PAUSE", 0.0)
        patch.setattr(writer.logger, "disabled", True)
        yield


names = st.one_of(
    st.integers(0, 25).map(lambda number: f"e{number}"), st.just("!"), st.integers(0, 9).map("~{}".format)
)


@dataclass
class Life:
    """One process: what it does, after how many calls it dies, and what happens between it and the next.

    `faults` befall its first calls of the store and of the dead-letter topic.
    """

    deeds: list[tuple[str, int]]
    faults: list[str]
    fuse: int
    zombie: bool
    produced: list[str]
    forget: int
    lose: int


def lives_of(least_wait: int) -> st.SearchStrategy[list[Life]]:
    deeds = st.lists(
        st.one_of(
            st.tuples(st.just("fetch"), st.integers(1, 12)),
            st.tuples(st.just("write"), st.just(0)),
            st.tuples(st.just("idle"), st.just(0)),
            st.tuples(st.just("wait"), st.integers(least_wait, 50)),
            st.tuples(st.just("zombie"), st.just(0)),
        ),
        max_size=25,
    )
    return st.lists(
        st.builds(
            Life,
            deeds=deeds,
            faults=st.lists(st.sampled_from(["", "", "refused", "lost", "torn"]), max_size=8),
            fuse=st.integers(1, 40),
            zombie=st.booleans(),
            produced=st.lists(names, max_size=15),
            forget=st.integers(0, 4),
            lose=st.integers(0, 10),
        ),
        max_size=6,
    )


lives = lives_of(0)
lives_with_any_clock = lives_of(-80)
limits = st.builds(BlockLimits, records=st.integers(1, 20), bytes=st.integers(1, 60), age_ms=st.just(10))


_LOG = st.lists(names, max_size=40)
percents = st.lists(st.integers(0, 100), min_size=6, max_size=6)
horizons = st.integers(1, 60)
hashes = st.sampled_from([HASH, all_the_same])


def by_chance(rng: random.Random, strategies: tuple[st.SearchStrategy[Any], ...]) -> list[Any]:
    """What the strategies may draw, without Hypothesis, whose drawing is most of a run."""

    def name() -> str:
        kind = rng.random()
        return f"e{rng.randrange(26)}" if kind < 0.7 else "!" if kind < 0.8 else f"~{rng.randrange(10)}"

    def deed(longest_back: int) -> tuple[str, int]:
        what = rng.choice(["fetch", "write", "fetch", "write", "idle", "wait", "zombie"])
        return what, {"fetch": rng.randint(1, 12), "wait": rng.randint(longest_back, 50)}.get(what, 0)

    def life(longest_back: int) -> Life:
        return Life(
            deeds=[deed(longest_back) for _ in range(rng.randint(0, 25))],
            faults=rng.choices(["", "", "refused", "lost", "torn"], k=rng.randint(0, 8)),
            fuse=rng.randint(1, 40),
            zombie=rng.random() < 0.5,
            produced=[name() for _ in range(rng.randint(0, 15))],
            forget=rng.randint(0, 4),
            lose=rng.randint(0, 10),
        )

    drawn: dict[int, Callable[[], Any]] = {
        id(_LOG): lambda: [name() for _ in range(rng.randint(0, 40))],
        id(lives): lambda: [life(0) for _ in range(rng.randint(0, 6))],
        id(lives_with_any_clock): lambda: [life(-80) for _ in range(rng.randint(0, 6))],
        id(limits): lambda: BlockLimits(records=rng.randint(1, 20), bytes=rng.randint(1, 60), age_ms=10),
        id(percents): lambda: [rng.randint(0, 100) for _ in range(6)],
        id(horizons): lambda: rng.randint(1, 60),
        id(hashes): lambda: rng.choice([HASH, all_the_same]),
    }
    return [drawn[id(strategy)]() for strategy in strategies]


def live(world: World, life: Life, horizon: int, limits: BlockLimits, *, forgetful: bool) -> None:
    world.fuse, world.zombie_crash, world.faults = life.fuse, life.zombie, deque(life.faults)
    process = Process(world, horizon, limits)
    try:
        for deed, amount in life.deeds:
            world.now += 1
            if deed == "fetch":
                process.fetch(amount)
            elif deed == "write":
                process.lane.reached(process.position)
                process.write()
            elif deed == "idle":
                process.commit_idle()
            elif deed == "wait":
                world.now += amount
            elif world.zombies:
                # What a dead predecessor sent off arrives only now.
                world.zombies.popleft()()
    except (Crash, StaleMember):
        pass
    if forgetful and life.forget:
        # A broker that saves now and then: the latest commits are gone, and so are the latest records. What it saved
        # belongs together: of a block whose commit it remembers it has the records. It does not come back within the
        # same millisecond, so a block of new records is opened later than the lost one.
        world.now += 1
        at = max(0, len(world.offset_history) - 1 - life.forget)
        world.offset = world.offset_history[at]
        del world.offset_history[at + 1 :]
        remembered = Checkpoint.decode(*world.offset) if world.offset is not None else None
        saved = (remembered.end or remembered.start) if remembered is not None else 0
        del world.log[max(saved, len(world.log) - life.lose) :]
    world.log += life.produced


def finish(world: World, horizon: int, limits: BlockLimits) -> None:
    world.fuse = -1
    world.faults.clear()
    Process(world, horizon, limits).run_to_the_end()
    while world.zombies:
        world.zombies.popleft()()


def check_events(world: World) -> None:
    written = Counter(event_id for event_id, *_ in world.rows)
    assert set(written) >= {name for name in world.log if name.startswith("e")}
    assert not {name: count for name, count in written.items() if count > 1}


def check_ledger(world: World, *, whole: bool = True) -> None:
    """Each block is there once, its counts are what the tables hold, and blocks of one life follow each other.

    `whole`: the log was read from its first record to its last, so the blocks are one unbroken line and every row
    belongs to one. Where Kafka removed records, a block may be left unfinished.
    """
    entries = sorted(world.ledger, key=lambda entry: entry.opened_at)
    assert len({entry.opened_at for entry in entries}) == len(entries)
    arrived: dict[int, list[int]] = defaultdict(list)
    for _, offset, at in world.rows:
        arrived[at].append(offset)
    refused: dict[int, list[int]] = defaultdict(list)
    for offset, at in world.refused.rows:
        refused[at].append(offset)
    for entry in entries:
        assert entry.records == entry.rows + entry.refusals + entry.duplicates
        offsets = arrived.pop(entry.opened_at, []) + refused.get(entry.opened_at, [])
        assert len(refused.pop(entry.opened_at, [])) == entry.refusals
        assert len(offsets) == entry.rows + entry.refusals
        assert all(entry.start <= offset < entry.end for offset in offsets)
    ends: dict[str, int] = {}
    for entry in entries:
        assert entry.start == ends.get(entry.incarnation, entry.start)
        ends[entry.incarnation] = entry.end
    if not whole:
        return
    # What the audit says of it: nothing.
    line = Line(TOPIC)
    assert list(line.follow(Recorded(*astuple(entry)) for entry in entries)) == []
    assert not arrived
    assert not refused
    if entries:
        assert (entries[0].start, entries[-1].end) == (0, len(world.log))
        assert sum(entry.records for entry in entries) == len(world.log)


def crashes_and_zombies(log: list[str], lives: list[Life], limits: BlockLimits) -> None:
    world = World(log=log)
    for life in lives:
        live(world, life, LONG, limits, forgetful=False)
    finish(world, LONG, limits)
    check_events(world)
    check_ledger(world)
    assert sorted(world.rollup) == sorted(world.rows)
    # The first arrival counts, wherever the crashes fell.
    first = {name: world.log.index(name) for name in set(world.log)}
    assert all(offset == first[event_id] for event_id, offset, _ in world.rows if event_id.startswith("e"))
    refused = {offset for offset, name in enumerate(world.log) if name == "!"}
    assert refused <= set(world.dead)
    assert Counter(world.dead) == Counter(set(world.dead))
    # A letter is sent again only where its sender died before it could know: never, in this model.
    assert Counter(world.letters) == Counter(world.dead)


def a_broker_that_forgets_its_latest_commits(log: list[str], lives: list[Life], limits: BlockLimits) -> None:
    """The duplicate filter makes up for what the broker forgot.

    Not for all of it: if ingest dies between a table and its rollup, and the broker forgets that very block, the rollup
    stays behind; nobody is left who knows its token. For the same reason zombies are left out.
    """
    world = World(log=log)
    for life in lives:
        live(world, replace(life, zombie=False), LONG, limits, forgetful=True)
    finish(world, LONG, limits)
    check_events(world)


def check_horizon(world: World, horizon: int) -> None:
    """Every block holds the events of its range whose id did not arrive within the horizon before it was opened."""
    arrivals: dict[str, list[int]] = defaultdict(list)
    for entry in sorted(world.ledger, key=lambda entry: entry.opened_at):
        accepted = []
        for offset in range(entry.start, entry.end):
            name = world.log[offset]
            if is_refused(name, entry.opened_at):
                continue
            before = arrivals[name]
            if not before or before[-1] < entry.opened_at - horizon:
                before.append(entry.opened_at)
                accepted.append((name, offset, entry.opened_at))
        assert [row for row in world.rows if row[2] == entry.opened_at] == accepted


def a_short_memory_is_exact_and_never_breaks_a_token(
    log: list[str], lives: list[Life], limits: BlockLimits, horizon: int, hash_ids: Hash
) -> None:
    """An id that is forgotten may count again, not before and not after, whatever the clock does, and whether few ids
    have to be asked about or all; and a block that is built again is the block that was recorded."""
    world = World(log=log, hash_ids=hash_ids)
    for life in lives:
        # What is remembered after a start allows for a clock that is set back by a horizon, and no more.
        back = 0
        for number, (deed, amount) in enumerate(life.deeds):
            if deed == "wait" and amount < 0:
                step = max(amount, back - horizon)
                back -= step
                life.deeds[number] = (deed, step)
        live(world, life, horizon, limits, forgetful=False)
    finish(world, horizon, limits)
    assert {event_id for event_id, *_ in world.rows} >= {name for name in world.log if name.startswith("e")}
    assert max(Counter(offset for _, offset, _ in world.rows).values(), default=1) == 1
    check_ledger(world)
    check_horizon(world, horizon)
    assert sorted(world.rollup) == sorted(world.rows)


def retention_takes_records_that_were_not_read(
    log: list[str], lives: list[Life], limits: BlockLimits, taken: list[int]
) -> None:
    """Nobody can build a block again whose records are gone. So the last insert of a dead process must not be on its
    way still when retention takes them: zombies are left out here."""
    world = World(log=log)
    for life, percent in zip(lives, taken, strict=False):
        live(world, replace(life, zombie=False), LONG, limits, forgetful=False)
        world.log_start += (len(world.log) - world.log_start) * percent // 100
    finish(world, LONG, limits)
    check_ledger(world, whole=False)
    written = Counter(event_id for event_id, *_ in world.rows)
    assert set(written) >= {name for name in world.log[world.log_start :] if name.startswith("e")}
    assert not {name: count for name, count in written.items() if count > 1}


MODELS: dict[Callable[..., None], tuple[st.SearchStrategy[Any], ...]] = {
    crashes_and_zombies: (_LOG, lives, limits),
    a_broker_that_forgets_its_latest_commits: (_LOG, lives, limits),
    a_short_memory_is_exact_and_never_breaks_a_token: (
        _LOG,
        lives_with_any_clock,
        limits,
        horizons,
        hashes,
    ),
    retention_takes_records_that_were_not_read: (_LOG, lives, limits, percents),
}
RUNS = 400
RUNS_AT_LENGTH = int(os.environ.get("CRASHES", "5000"))
"""Of each model: 20,000 in all."""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_protocol(model: Callable[..., None]) -> None:
    """Hypothesis looks for what breaks it, and shrinks it."""
    settings(max_examples=RUNS, deadline=None)(given(*MODELS[model])(model))()


@pytest.mark.system
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_protocol_at_length(model: Callable[..., None]) -> None:
    """By plain chance, which is several times faster; a failure names its seed."""
    first = random.SystemRandom().randrange(1 << 32)
    for seed in range(first, first + RUNS_AT_LENGTH):
        try:
            model(*by_chance(random.Random(seed), MODELS[model]))
        except BaseException:
            print(f"seed {seed}")
            raise


@pytest.mark.parametrize("later", range(6))
@pytest.mark.parametrize("window", range(1, 7))
def test_a_zombie_is_harmless_for_as_long_as_its_token_is_remembered(later: int, window: int) -> None:
    """The known limit, on both sides: a dead sender's insert arrives `later` blocks after it was made up for."""
    world = World(log=[f"e{number}" for number in range(1 + later)], window=window)
    one = BlockLimits(1, 1_000, 10)
    # The third call is the insert of the rows, after the two halves of the commit.
    life = Life([("fetch", 1), ("write", 0)], [], fuse=3, zombie=True, produced=[], forget=0, lose=0)
    live(world, life, LONG, one, forgetful=False)
    assert len(world.zombies) == 1
    finish(world, LONG, one)
    doubled = [name for name, count in Counter(name for name, *_ in world.rows).items() if count > 1]
    assert doubled == (["e0"] if window <= later else [])
    if not doubled:
        check_ledger(world)


def test_every_single_step_may_be_the_last() -> None:
    log = ["e1", "!", "e2", "e1", "e3", "!", "e4"]
    for fuse in range(1, 60):
        for zombie in (False, True):
            world = World(log=list(log))
            deeds = [("fetch", 3), ("write", 0), ("idle", 0), ("fetch", 4), ("write", 0), ("idle", 0)]
            life = Life(deeds, [], fuse, zombie, produced=[], forget=0, lose=0)
            live(world, life, LONG, BlockLimits(3, 1000, 10), forgetful=False)
            finish(world, LONG, BlockLimits(3, 1000, 10))
            check_events(world)
            check_ledger(world)
            assert sorted(world.letters) == sorted(world.dead) == [1, 5]
