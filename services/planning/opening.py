"""The opening minute, simulated: what arrives against what one ingest process and its part of ClickHouse can do.

A model in small steps of time without chance. It does what ingest does: each partition is a lane with one block in
flight, blocks are due by age, rows and bytes, three are written at a time, fetching stops where memory is full
(`services/ingest/lane.py`, `block.py`, `pressure.py`, `turns.py`). Events have no content, arrive evenly within a
step, and all cost the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.common.errors import ConfigurationError

WRITERS = 3
STEP_SECONDS = 0.05
LONGEST_SECONDS = 7_200.0
_BEHIND_AGE = 4.0
_LONGEST_AGE = 1.5
_WRITING_SHARE = 0.6
_FEW_EVENTS = 2_000
_CLOSED_AGE = 10.0

Arrivals = Callable[[float], float]
"""Events a second of one process at a moment, in seconds since the start."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A shape of arrivals: `base` until `begins`; then a straight rise to `top`, which is held; then what is above
    `after` halves every `half_life` seconds. Events a second, and seconds."""

    base: float
    top: float
    after: float
    begins: float = 10.0
    rise: float = 5.0
    hold: float = 30.0
    half_life: float = 30.0

    def __call__(self, at: float) -> float:
        since = at - self.begins
        if since < 0:
            return self.base
        if since < self.rise:
            return self.base + (self.top - self.base) * since / self.rise
        if since <= self.rise + self.hold:
            return self.top
        return self.after + (self.top - self.after) * float(0.5 ** ((since - self.rise - self.hold) / self.half_life))


@dataclass(frozen=True, slots=True)
class Process:
    """One ingest process: its costs (CPU microseconds an event, milliseconds a block), its cores, and its limits.

    `store_cores` is its part of ClickHouse's cores; None when ClickHouse works on the process's own, as the embedded
    one does. `lanes` are its partitions, each with its share of what arrives.
    """

    lanes: Sequence[float]
    own_us: float
    store_us: float
    block_ms: float
    cores: float = 1.0
    store_cores: float | None = None
    block_events: int = 100_000
    block_bytes: float = 64 << 20
    age: float = 0.4
    buffer_bytes: float = 256 << 20
    event_bytes: float = 350.0

    @property
    def capacity(self) -> float:
        """Events a second that it carries in full blocks, for ever."""
        own, store = self.own_us / 1e6, self.store_us / 1e6 + self.block_ms / 1e3 / self._full_block
        if self.store_cores is None:
            # The event loop has one core at the most, and so has each writer.
            return min(1 / max(own, 1e-12), self.cores / max(own + store, 1e-12))
        return min(min(1.0, self.cores) / max(own, 1e-12), min(float(WRITERS), self.store_cores) / max(store, 1e-12))

    @property
    def _full_block(self) -> float:
        return min(self.block_events, self.block_bytes / self.event_bytes)


@dataclass(slots=True)
class Sample:
    """One moment: what has arrived and what is in the tables so far, what ingest holds, and the age in seconds of the
    oldest event that is not in the tables."""

    at: float
    arrived: float
    written: float
    buffered: float
    age: float

    @property
    def lag(self) -> float:
        """Events that are in Kafka and not in the tables."""
        return self.arrived - self.written


@dataclass(frozen=True, slots=True)
class Opening:
    """What came of it. Delays are seconds from Kafka to the tables, each event counted."""

    samples: list[Sample]
    p50: float
    p99: float
    worst: float
    peak_lag: float
    recovery: float | None
    """Seconds from the moment of the highest lag until no event has waited for longer than 2.5 s from then on; 0 where
    none ever did, None when it had not come to that at the end."""
    whole: bool
    """Whether all events were in the tables at last. Those that were not count by how long they had waited then, so
    that the delays are at least so long."""


@dataclass(slots=True)
class _Lane:
    share: float
    waiting: deque[tuple[float, float]] = field(default_factory=deque)
    """In Kafka: when, and how many."""
    in_kafka: float = 0.0
    open: deque[tuple[float, float]] = field(default_factory=deque)
    opened: float = 0.0
    held: float = 0.0
    flight: deque[tuple[float, float]] = field(default_factory=deque)
    flying: float = 0.0
    work: float = 0.0
    """Core seconds that are left of the block in flight."""
    began: float = 0.0
    last: int = 0


class _Delays:
    """How long events waited, in hundredths of a second."""

    def __init__(self) -> None:
        self._counts: dict[int, float] = {}

    def add(self, seconds: float, count: float) -> None:
        place = round(seconds * 100)
        self._counts[place] = self._counts.get(place, 0.0) + count

    def at(self, share: float) -> float:
        """The smallest delay that at least this share did not exceed; 0 of none."""
        wanted, found = share * sum(self._counts.values()) * (1 - 1e-12), 0.0
        for place in sorted(self._counts):
            found += self._counts[place]
            if found >= wanted:
                return place / 100
        return 0.0


class _Simulation:
    def __init__(self, process: Process) -> None:
        whole = sum(process.lanes)
        self._process = process
        self.lanes = [_Lane(share / whole) for share in process.lanes]
        self.delays = _Delays()
        self.now = 0.0
        self.arrived = 0.0
        self.written = 0.0
        self._write_seconds = 0.0
        self._sealed = 0
        self._spare = 0.0

    def step(self, arriving: float) -> None:
        """One step of time, in which so many events arrive."""
        self.now += STEP_SECONDS
        self.arrived += arriving
        for lane in self.lanes:
            if lane.share:
                lane.waiting.append((self.now - STEP_SECONDS / 2, arriving * lane.share))
                lane.in_kafka += arriving * lane.share
        wanted = self._wanted()
        own, store = self._cores(sum(count for _, count in wanted) * self._process.own_us / 1e6)
        self._fetch(own, wanted)
        self._write(store)
        self._seal()

    def give_up(self) -> bool:
        """Counts what is not in the tables by how long it has waited; whether everything was."""
        left = 0.0
        for lane in self.lanes:
            for queue in (lane.flight, lane.open, lane.waiting):
                for at, count in queue:
                    self.delays.add(self.now - at, count)
                    left += count
        return left <= self.arrived * 1e-9 + 1e-6

    def sample(self) -> Sample:
        """How it stands."""
        first = min(
            (at for lane in self.lanes for queue in (lane.flight, lane.open, lane.waiting) for at, _ in _head(queue)),
            default=self.now,
        )
        return Sample(self.now, self.arrived, self.written, self.buffered, max(0.0, self.now - first))

    @property
    def buffered(self) -> float:
        """Events that are fetched and not in the tables."""
        return sum(lane.held + lane.flying for lane in self.lanes)

    def _cores(self, wanted: float) -> tuple[float, float]:
        """Core seconds of this step for the event loop, which would take so many, and for all blocks in flight."""
        process = self._process
        flying = sum(bool(lane.flight) for lane in self.lanes)
        if process.store_cores is not None:
            store = min(float(flying), process.store_cores)
            return min(wanted, min(1.0, process.cores) * STEP_SECONDS), store * STEP_SECONDS
        fair = max(process.cores / (flying + 1), process.cores - flying)
        own = min(wanted, min(1.0, fair) * STEP_SECONDS)
        return own, min(flying * STEP_SECONDS, process.cores * STEP_SECONDS - own)

    def _write(self, seconds: float) -> None:
        flying = [lane for lane in self.lanes if lane.flight]
        # What is left over when a block is done within the step is not lost: the next one begins with it.
        seconds += self._spare
        self._spare = 0.0
        for number, lane in enumerate(sorted(flying, key=lambda lane: lane.work)):
            spent = min(lane.work, seconds / (len(flying) - number))
            lane.work -= spent
            seconds -= spent
            if lane.work > 1e-12:
                continue
            if lane.flying < _FEW_EVENTS:
                self._write_seconds += (self.now - lane.began - self._write_seconds) / 8
            for at, count in lane.flight:
                self.delays.add(self.now - at, count)
            self.written += lane.flying
            lane.flight, lane.flying = deque(), 0.0
        if flying:
            self._spare = min(seconds, WRITERS * STEP_SECONDS)

    def _wanted(self) -> list[tuple[_Lane, float]]:
        """The lanes that are fetched from, and how many events each would take."""
        process = self._process
        room = process.buffer_bytes / process.event_bytes
        behind = [lane for lane in self.lanes if lane.in_kafka > process.block_events / 2]
        waits = {id(lane) for lane in sorted(behind, key=lambda lane: lane.last)[WRITERS + 1 :]}
        buffered = self.buffered
        wanted = []
        for lane in self.lanes:
            # Beyond three quarters only who holds nothing goes on.
            if lane.in_kafka <= 0 or id(lane) in waits or (buffered > room * 0.75 and lane.held):
                continue
            count = min(lane.in_kafka, self._block_room(lane), room - buffered)
            if count > 0:
                wanted.append((lane, count))
                buffered += count
        return wanted

    def _fetch(self, seconds: float, wanted: Sequence[tuple[_Lane, float]]) -> None:
        cost = self._process.own_us / 1e6
        left = seconds / cost if cost else float("inf")
        for number, (lane, most) in enumerate(sorted(wanted, key=lambda each: each[1])):
            taken = min(most, left / (len(wanted) - number))
            if taken <= 0:
                continue
            if not lane.open:
                lane.opened = self.now
            _move(lane.waiting, lane.open, taken)
            lane.in_kafka = max(0.0, lane.in_kafka - taken) if lane.waiting else 0.0
            lane.held += taken
            left -= taken

    def _block_room(self, lane: _Lane) -> float:
        process = self._process
        if lane.held and self.now - lane.opened >= _CLOSED_AGE:
            return 0.0
        return min(process.block_events, process.block_bytes / process.event_bytes) - lane.held

    def _seal(self) -> None:
        process = self._process
        free = WRITERS - sum(bool(lane.flight) for lane in self.lanes)
        active = sum(bool(lane.flight or lane.open) for lane in self.lanes)
        age = max(process.age, min(_LONGEST_AGE, self._write_seconds * active / _WRITING_SHARE))
        due = [lane for lane in self.lanes if lane.open and not lane.flight and self._is_due(lane, age)]
        for lane in sorted(due, key=lambda lane: lane.opened)[: max(0, free)]:
            lane.flight, lane.open = lane.open, lane.flight
            lane.flying, lane.held = lane.held, 0.0
            lane.work = process.block_ms / 1e3 + lane.flying * process.store_us / 1e6
            lane.began = self.now
            self._sealed += 1
            lane.last = self._sealed

    def _is_due(self, lane: _Lane, age: float) -> bool:
        behind = lane.in_kafka > self._process.block_events / 2
        return self._block_room(lane) <= 1e-9 or self.now - lane.opened >= (max(age, _BEHIND_AGE) if behind else age)


def simulate(process: Process, arrivals: Arrivals, seconds: float) -> Opening:
    """Runs for so many seconds, and then for as long again at the most without arrivals, until everything is in the
    tables; what comes after is no part of `samples`. Raises `ConfigurationError` for a length that makes no sense."""
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ConfigurationError(
            f"--seconds is {seconds:g}: the length simulated must be above 0 and at most {LONGEST_SECONDS:g}"
        )
    run = _Simulation(process)
    samples = []
    for step in range(round(seconds / STEP_SECONDS)):
        run.step(arrivals((step + 0.5) * STEP_SECONDS) * STEP_SECONDS)
        if step % 5 == 4:
            samples.append(run.sample())
    for _ in range(len(samples) * 5):
        if run.written >= run.arrived * (1 - 1e-9) - 1e-6:
            break
        run.step(0.0)
    whole = run.give_up()
    peak = max(samples, key=lambda sample: sample.lag)
    return Opening(
        samples,
        run.delays.at(0.5),
        run.delays.at(0.99),
        run.delays.at(1),
        peak.lag,
        _recovery(samples, peak),
        whole,
    )


RECOVERED_AGE = 2.5
"""The oldest block of a trickle, and its writing."""


def _recovery(samples: Sequence[Sample], peak: Sample) -> float | None:
    late = [sample.at for sample in samples if sample.age > RECOVERED_AGE]
    if not late:
        return 0.0
    return None if late[-1] == samples[-1].at else max(0.0, late[-1] - peak.at)


def _head(queue: deque[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    return (queue[0],) if queue else ()


def _move(source: deque[tuple[float, float]], target: deque[tuple[float, float]], count: float) -> None:
    """Moves so many events, the oldest first."""
    while source and count > 1e-9:
        at, there = source[0]
        if there <= count + 1e-9:
            source.popleft()
            target.append((at, there))
            count -= there
        else:
            source[0] = (at, there - count)
            target.append((at, count))
            return
