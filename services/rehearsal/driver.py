"""Drives a rehearsal step by step: nothing of the next step happens before the last one has been judged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.rehearsal.pages import Deliveries, deliveries, due, pages, read_transitions
from services.rehearsal.programme import Rehearsed
from services.rehearsal.receiver import Receiver
from services.rehearsal.scorecard import Score, score
from services.rehearsal.stage import Stage
from services.simulator.arrivals import Arrival
from services.simulator.timeline import Record

logger = logging.getLogger(__name__)

AFTER_MS = 60_000
"""How long after the last event it goes on: what is due by then is still found."""

_TRIM_SECONDS = 20.0
_DELIVERY_SECONDS = 60.0
_TELL_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Pacing:
    """`step_ms` of event time pass between two looks. `speed` is the most times real speed, None for no limit.

    The first `history_ms` are sent at once, as an import would, and are judged as a whole.
    """

    step_ms: int = 5_000
    history_ms: int = 0
    speed: float | None = None


@dataclass(slots=True)
class Spent:
    """Real seconds by part."""

    parts: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)

    def on(self, part: str) -> None:
        """The time since the last call went into it."""
        now = time.monotonic()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._since
        self._since = now


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rehearsal. `seconds` are real ones, from the first event to the last look."""

    score: Score
    deliveries: Deliveries
    events: int
    seconds: float
    event_seconds: float
    steps: int
    parts: dict[str, float]

    @property
    def speed(self) -> float:
        """Times real speed, on one clock."""
        return self.event_seconds / self.seconds


async def rehearse(
    stage: Stage,
    rehearsed: Rehearsed,
    receiver: Receiver,
    pacing: Pacing,
    say: Callable[[str], None],
    stop: asyncio.Event,
) -> Outcome:
    """Runs a rehearsal on a stage that is open, to its end or until `stop` is set: then what came until then is marked.

    Raises `WarroomError` when a part fails.
    """
    plan = rehearsed.plan
    for festival in rehearsed.festivals:
        await stage.declare(festival.source.campaign)
    feed = _Feed(rehearsed.arrivals())
    spent = Spent()
    started = trimmed = time.monotonic()
    events = steps = 0
    paused = False
    at = plan.start_ms
    last = plan.end_ms + AFTER_MS
    while at < last and not stop.is_set():
        step_ms = max(pacing.step_ms, pacing.history_ms if at == plan.start_ms else 0)
        at = min(last, at + step_ms)
        records = feed.until(at)
        spent.on("generating")
        # Within a pause of ingest records are sent, and nobody reads them.
        pausing = plan.pause is not None and plan.pause[0] < at <= plan.pause[1]
        if pausing and not paused:
            await stage.stop_ingest()
        elif paused and not pausing:
            await stage.resume_ingest()
        paused = pausing
        stage.clock.push(at)
        await stage.send(records)
        events += len(records)
        spent.on("sending")
        await stage.written()
        spent.on("ingest")
        await stage.look()
        spent.on("alerts")
        steps += 1
        if time.monotonic() - trimmed > _TRIM_SECONDS:
            await stage.trim()
            trimmed = time.monotonic()
            spent.on("broker")
        if (at - plan.start_ms) // _TELL_MS > (at - step_ms - plan.start_ms) // _TELL_MS:
            factor = (at - plan.start_ms) / 1000 / (time.monotonic() - started)
            say(f"{(at - plan.start_ms) / 3_600_000:.0f} h, {events:,} events, {factor:.0f} times real speed")
        if pacing.speed is not None:
            due_at = started + (at - plan.start_ms) / 1000 / pacing.speed
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            spent.on("waiting")
    seconds = time.monotonic() - started
    rows = await read_transitions(stage.pool, plan.start_ms)
    # Some may still be on their way.
    await receiver.received(due(rows).total(), _DELIVERY_SECONDS)
    return Outcome(
        score(rehearsed.truths(), pages(rows), festivals=len(rehearsed.festivals), until_ms=at if at < last else None),
        deliveries(rows, receiver.notices),
        events,
        seconds,
        (at - plan.start_ms) / 1000,
        steps,
        {name: round(value, 2) for name, value in spent.parts.items()},
    )


class _Feed:
    def __init__(self, arrivals: Iterator[Arrival]) -> None:
        self._arrivals = arrivals
        self._next = next(arrivals, None)

    def until(self, at_ms: int) -> list[Record]:
        """Takes all that has arrived by then."""
        records = []
        while self._next is not None and self._next.at_ms <= at_ms:
            records.append(self._next.record)
            self._next = next(self._arrivals, None)
        return records
