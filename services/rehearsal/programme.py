"""What is rehearsed: festivals that happen at the same time, and a pause of ingest that no event can bring about."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.common.errors import ConfigurationError
from services.simulator.arrivals import Arrival
from services.simulator.day.festival import DayFestival, festival_source
from services.simulator.day.programme import QUIET_START_MS, Variant
from services.simulator.incidents import Incident
from services.simulator.incidents.lag import ingest_lag_truth
from services.simulator.timeline import Truth

_MINUTE_MS = 60_000
_HISTORY_MS = 60 * _MINUTE_MS


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate. `start_ms` is the moment of the first event, epoch milliseconds.

    Ingest is stopped for `lag_seconds`, `lag_at` seconds after the start; without that moment after the first hour,
    where incidents are planned.
    """

    seed: int = 1
    seeds: int = 1
    start_ms: int = 0
    hours: float = 24.0
    variant: Variant = "full"
    events_per_second: float = 15.0
    incidents: Sequence[Incident] | None = None
    slow: str = ""
    lag_seconds: int = 120
    lag_at: int | None = None
    topic_prefix: str = "campaign."

    @property
    def end_ms(self) -> int:
        """When the festivals are over."""
        return self.start_ms + round(self.hours * 3600) * 1000

    @property
    def pause(self) -> tuple[int, int] | None:
        """When ingest is stopped and started again: after an hour of history, before the first incident."""
        if self.lag_at is not None:
            starts = self.start_ms + self.lag_at * 1000
            return (starts, starts + self.lag_seconds * 1000) if self.lag_seconds else None
        starts = self.start_ms + _HISTORY_MS
        ends = starts + self.lag_seconds * 1000
        first = self.start_ms + QUIET_START_MS
        if self.variant != "full" or self.incidents is not None or not self.lag_seconds or self.end_ms < first:
            return None
        return starts, ends


class Rehearsed:
    """The festivals of a plan. One event after the other, and each with a campaign of its own."""

    def __init__(self, plan: Plan) -> None:
        if plan.lag_seconds * 1000 > QUIET_START_MS - _HISTORY_MS - 5 * _MINUTE_MS:
            raise ConfigurationError("ingest can be paused for at most 300 s: the first incident follows soon after")
        self.plan = plan
        self.festivals: list[DayFestival] = [
            festival_source(
                seed=seed,
                start_ms=plan.start_ms,
                hours=plan.hours,
                variant=plan.variant,
                events_per_second=plan.events_per_second,
                campaign_id=f"rehearsal-{seed}",
                incidents=plan.incidents,
                slow=plan.slow,
                topic_prefix=plan.topic_prefix,
            )
            for seed in range(plan.seed, plan.seed + plan.seeds)
        ]

    def arrivals(self) -> Iterator[Arrival]:
        """Everything in the order of arrival. May be called once."""
        return heapq.merge(*(festival.arrivals() for festival in self.festivals), key=lambda arrival: arrival.at_ms)

    def truths(self) -> list[Truth]:
        """What has happened so far. Ends what has begun and is not over."""
        for festival in self.festivals:
            festival.source.incidents.close()
        told = [truth for festival in self.festivals for truth in festival.truths]
        if self.plan.pause is not None:
            starts, ends = self.plan.pause
            told.append(ingest_lag_truth(starts, ends))
        return told
