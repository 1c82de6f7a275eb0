"""A campaign in memory: what happened in every second, when it arrived, and the scene that follows from it.

It shows the detectors what the collector would, without a store, so that hours pass in a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.alerts.alert import Transition
from services.alerts.engine import Engine
from services.alerts.history import REFRESH_MS, STEP_SECONDS, History, empty_series, history_span, writing_until
from services.alerts.plan import Plan, PlannedPhase
from services.alerts.rules.load import load_rules
from services.alerts.scene import (
    Activity,
    CampaignScene,
    PartitionProgress,
    PipelineScene,
    Scene,
    StockLevel,
)
from services.alerts.series import Counts, Mask, Series

HOUR = 3600
CAMPAIGN = "town"
PAID = 0.03
"""Paid orders for each event of traffic."""
BEGIN = 1_900_000_800
_RECENT = 180


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How the hour of history and the live part reach the store, in seconds.

    The history begins to be sent at its own end and takes `sending`; then nothing happens for `hole`. Live events
    arrive `delay` after they happened, in lumps of `lump`.
    """

    sending: int = 5
    hole: int = 0
    delay: int = 1
    lump: int = 1


@dataclass
class Town:
    """Seconds are counted from the start of the history; the live part begins at `live`."""

    rates: Mapping[str, float]
    seed: int = 0
    length: int = 600
    arrivals: Arrivals = field(default_factory=Arrivals)
    refunds_per_second: float = 0.02
    items: int = 20

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.live = HOUR + self.arrivals.sending + self.arrivals.hole
        total = self.live + self.length
        self.traffic: dict[str, Counts] = {
            channel: random.poisson(rate, total).astype(np.int64) for channel, rate in self.rates.items()
        }
        self.paid: dict[str, Counts] = {
            channel: random.poisson(PAID * rate, total).astype(np.int64) for channel, rate in self.rates.items()
        }
        self.refunds: dict[str, Counts] = {
            f"sku-{n}": random.poisson(self.refunds_per_second / self.items, total).astype(np.int64)
            for n in range(self.items)
        }
        for counts in self._all():
            counts[HOUR : self.live] = 0
        self.arrived = self._arrived(total)
        self.stock: list[tuple[int, str, int]] = []
        self.plan: Plan | None = None
        self.lag: dict[int, int] = {}
        self._random = random
        self._history: History | None = None
        self._history_at = 0

    def spike(self, channel: str, start: int, end: int, factor: float) -> None:
        """`factor` times the traffic in [start, end) of the live part."""
        span = slice(self.live + start, self.live + end)
        self.traffic[channel][span] = self._random.poisson(self.rates[channel] * factor, end - start)

    def vary(self, level: Callable[[float], float], channels: Sequence[str] = ()) -> None:
        """Times the usual traffic by the second of the live part (negative before it), in some channels or in all.

        Orders follow half a minute later.
        """
        levels = np.array([max(0.0, level(second - self.live)) for second in range(len(self.arrived))])
        for channel in channels or self.rates:
            self.traffic[channel] = self._drawn(self.rates[channel] * levels)
        later = np.concatenate([np.full(30, levels[0]), levels[:-30]])
        self.vary_orders(lambda second: float(later[round(second) + self.live]), channels)

    def vary_orders(self, level: Callable[[float], float], channels: Sequence[str] = ()) -> None:
        """Times the usual paid orders, whatever the traffic does."""
        levels = np.array([max(0.0, level(second - self.live)) for second in range(len(self.arrived))])
        for channel in channels or self.rates:
            self.paid[channel] = self._drawn(PAID * self.rates[channel] * levels)

    def _drawn(self, means: npt.NDArray[np.float64]) -> Counts:
        counts = self._random.poisson(means).astype(np.int64)
        counts[HOUR : self.live] = 0
        return counts

    def phases(self, *spans: tuple[int, int], start: int = -86_400, end: int = 86_400) -> None:
        """Declares the campaign with phases over such spans of the live part, in seconds."""

        def ms(second: int) -> int:
            return (BEGIN + self.live + second) * 1000

        self.plan = Plan(
            ms(start), ms(end), tuple(PlannedPhase(f"phase_{n}", ms(a), ms(b)) for n, (a, b) in enumerate(spans))
        )

    def silence(self, start: int, end: int) -> None:
        """Nothing at all in [start, end) of the live part."""
        for counts in self._all():
            counts[self.live + start : self.live + end] = 0

    def refund_burst(self, item: str, start: int, end: int, per_second: float) -> None:
        """So many more refunds of the item in [start, end) of the live part."""
        self.refunds[item][self.live + start : self.live + end] += self._random.poisson(per_second, end - start)

    def look(self, second: int) -> Scene:
        """The scene when `second` of the live part begins; negative before it."""
        at = self.live + second
        now = (BEGIN + at) * 1000
        # Only what has arrived is seen, and nothing of the future has.
        seen = (self.arrived <= at) & (np.arange(len(self.arrived)) < at)
        traffic = {channel: np.where(seen, counts, 0) for channel, counts in self.traffic.items()}
        paid = {channel: np.where(seen, counts, 0) for channel, counts in self.paid.items()}
        whole = np.sum([*traffic.values(), *paid.values()], axis=0)
        if self._history is None or now - self._history_at >= REFRESH_MS:
            self._remember(now, traffic, paid, whole, seen)
        assert self._history is not None
        busy = np.flatnonzero(whole)
        activity = {}
        watermark = now - 1000 * (1 + self.lag.get(second, 0))
        live_seconds = None
        if len(busy):
            last = int(busy[-1])
            arrivals = self.arrived[busy]
            activity["traffic"] = Activity(
                int(whole.sum()),
                (BEGIN + int(busy[0])) * 1000,
                (BEGIN + last) * 1000 + 500,
                (BEGIN + int(arrivals.max())) * 1000,
            )
            fresh = (busy > last - 60) & (arrivals - busy < 20)
            live = arrivals[fresh]
            live_seconds = int(live.max() - live.min()) if len(set(live.tolist())) >= 3 else 0
        start = at + 1 - _RECENT

        def recent(counts: Counts) -> Series:
            return Series(BEGIN + start, 1, counts[start : at + 1])

        return Scene(
            now,
            PipelineScene(
                now, BEGIN * 1000, [PartitionProgress("campaign.traffic", 0, 9, 9, watermark, now)], {}, 60, {}
            ),
            {
                CAMPAIGN: CampaignScene(
                    campaign_id=CAMPAIGN,
                    now=now,
                    watermark=watermark,
                    activity=activity,
                    end=None,
                    recent={channel: recent(counts) for channel, counts in traffic.items()},
                    recent_paid={channel: recent(counts) for channel, counts in paid.items()},
                    recent_all=recent(whole),
                    recent_refunds=self._recent_refunds(at, seen),
                    history=self._history,
                    stock=self._levels(second),
                    live_seconds=live_seconds,
                    plan=self.plan,
                )
            },
        )

    def _remember(
        self, now: int, traffic: Mapping[str, Counts], paid: Mapping[str, Counts], whole: Counts, seen: Mask
    ) -> None:
        start, end = history_span(now)

        def bucketed(counts: Counts) -> Series:
            series = empty_series(start)
            first = start - BEGIN
            inside = counts[max(0, first) : end - BEGIN]
            padded = np.concatenate([np.zeros(end - start - len(inside), dtype=np.int64), inside])
            series.counts[:] = padded.reshape(-1, STEP_SECONDS).sum(axis=1)
            return series

        refunds = {item: int(bucketed(np.where(seen, counts, 0)).counts.sum()) for item, counts in self.refunds.items()}
        history = History(
            whole=bucketed(whole),
            occupied=bucketed((whole > 0).astype(np.int64)),
            channels={channel: bucketed(counts) for channel, counts in traffic.items() if counts.any()},
            paid={channel: bucketed(counts) for channel, counts in paid.items() if counts.any()},
            refunds={item: count for item, count in refunds.items() if count},
            items=self.items,
            writing_until=writing_until(self._history, bucketed(whole), now),
        )
        self._history, self._history_at = history, now

    def _recent_refunds(self, at: int, seen: Mask) -> dict[str, Sequence[tuple[int, int]]]:
        found: dict[str, Sequence[tuple[int, int]]] = {}
        for item, counts in self.refunds.items():
            since = max(0, at - 60)
            busy = since + np.flatnonzero(counts[since:at] * seen[since:at])
            points = [(BEGIN + int(second), int(counts[second])) for second in busy]
            if points:
                found[item] = points
        return found

    def _levels(self, second: int) -> dict[str, StockLevel]:
        levels = {f"sku-{n}": 100 for n in range(self.items)}
        levels |= {item: available for moment, item, available in self.stock if moment < second}
        return {item: StockLevel(level, 20, True, {"w": level}) for item, level in levels.items()}

    def _all(self) -> list[Counts]:
        return [*self.traffic.values(), *self.paid.values(), *self.refunds.values()]

    def _arrived(self, total: int) -> Counts:
        arrived = np.arange(total) + self.arrivals.delay
        lump = self.arrivals.lump
        arrived = -(-arrived // lump) * lump
        sent = HOUR + np.arange(HOUR) * self.arrivals.sending // HOUR + 1
        arrived[:HOUR] = sent
        return arrived


def watch(town: Town, start: int, end: int, *, step: int = 1) -> list[tuple[int, Transition]]:
    """Judges the default rules in every second of [start, end); what changed, with the second."""
    engine = Engine(load_rules(None))
    seen = []
    for second in range(start, end, step):
        outcome = engine.evaluate(town.look(second), lambda alert, now: False)
        engine.commit(outcome)
        seen += [(second, transition) for transition in outcome.transitions]
    return seen
