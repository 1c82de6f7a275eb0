"""The scene of a moment, from pasts in memory: what the collector would have read then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.alerts.collector import RECENT_SECONDS, REFUND_SECONDS, SOLD_MINUTES, Asking
from services.alerts.history import (
    LATELY_SECONDS,
    REFRESH_MS,
    STEP_SECONDS,
    History,
    Orders,
    empty_series,
    history_span,
    writing_until,
)
from services.alerts.memory.answers import Answers
from services.alerts.memory.past import Past, running
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.seconds import Seconds, SecondsReading
from services.alerts.readings.suspects import BatchSearch, Search
from services.alerts.readings.watch import Found, Watched
from services.alerts.scene import (
    Activity,
    CampaignScene,
    PipelineScene,
    Refund,
    Scene,
    Sold,
    StockLevel,
    refunds_by_item,
)
from services.alerts.series import Counts, Series
from services.alerts.shelf import Shelf

_ACTIVE_MS = 15 * 60_000


@dataclass(slots=True)
class Answered:
    """Answers that memory does not hold, from elsewhere."""

    readings: Mapping[Ask, Reading] = field(default_factory=dict)
    curves: Mapping[Curve, CurveReading] = field(default_factory=dict)
    found: Found = field(default_factory=Found)


class Play:
    """One campaign, moment after moment; time only moves forward."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.answers = Answers(past)
        self._whole = past.orders + sum(past.traffic.values(), np.zeros(past.length, dtype=np.int64))
        self._running = {name: running(counts) for name, counts in past.kinds.items()}
        self._history: History | None = None
        self._history_at = 0
        self._sold: tuple[int, dict[str, Sold]] = 0, {}
        self._shelf = Shelf()
        self._shelved = 0

    def arrivals(self, now: int) -> dict[str, int]:
        """When an event of each kind last came, in epoch ms; kinds without events are absent."""
        return {name: kind.last_arrival for name, kind in self._activity(now).items()}

    def scene(self, now: int, watermark: int, asks: Iterable[Inquiry], elsewhere: Answered) -> CampaignScene:
        """What is known of it at `now`, epoch ms."""
        past = self.past
        at = self._at(now)
        if self._history is None or now - self._history_at >= REFRESH_MS:
            self._history = self._remember(now)
            self._history_at = now
        activity = self._activity(now)
        last = max((kind.last_event for kind in activity.values()), default=0) // 1000 - past.begin
        refunds = self._refunds(now // 1000 - REFUND_SECONDS, now // 1000)
        readings, curves = dict(elsewhere.readings), dict(elsewhere.curves)
        seconds: dict[Seconds, SecondsReading] = {}
        for ask in asks:
            if isinstance(ask, Seconds):
                seconds[ask] = self.answers.seconds(ask, now)
            elif isinstance(ask, Ask) and self.answers.knows(ask, now):
                readings[ask] = self.answers.reading(ask, now, watermark)
            elif isinstance(ask, Curve) and self.answers.knows(ask, now):
                curves[ask] = self.answers.curve(ask, now, watermark)
        return CampaignScene(
            campaign_id=past.campaign_id,
            now=now,
            watermark=watermark,
            activity=activity,
            end=None if past.plan is None else past.plan.end_ms,
            recent=self._recent(past.traffic, at),
            recent_paid=self._recent(past.paid, at),
            recent_all=self._slice(self._whole, at),
            recent_refunds=refunds_by_item(refunds),
            refunds=refunds,
            history=self._history,
            stock=self._levels(now),
            sold=self._sold_of(now),
            live_seconds=int(np.count_nonzero(self._whole[max(0, last - 59) : last + 1])),
            plan=past.plan,
            readings=readings,
            curves=curves,
            seconds=seconds,
            suspects=elsewhere.found.suspicions,
            batches=elsewhere.found.batches,
        )

    def _at(self, now: int) -> int:
        """How many seconds of the past are over."""
        return min(max(now // 1000 - self.past.begin, 0), self.past.length)

    def _activity(self, now: int) -> dict[str, Activity]:
        at, begin = self._at(now), self.past.begin
        found = {}
        for name, totals in self._running.items():
            events = int(totals[at])
            if events:
                first = int(np.searchsorted(totals, 1)) - 1
                last = int(np.searchsorted(totals, events)) - 1
                found[name] = Activity(
                    events, (begin + first) * 1000, (begin + last) * 1000 + 500, (begin + last + 1) * 1000
                )
        return found

    def _recent(self, channels: Mapping[str, Counts], at: int) -> dict[str, Series]:
        slices = {channel: self._slice(counts, at) for channel, counts in channels.items()}
        return {channel: series for channel, series in slices.items() if series.counts.any()}

    def _slice(self, counts: Counts, at: int) -> Series:
        """The last minutes up to now; the second that has begun holds nothing yet."""
        result = np.zeros(RECENT_SECONDS, dtype=np.int64)
        known = counts[max(0, at + 1 - RECENT_SECONDS) : at]
        result[RECENT_SECONDS - 1 - len(known) : RECENT_SECONDS - 1] = known
        return Series(self.past.begin + at + 1 - RECENT_SECONDS, 1, result)

    def _refunds(self, start: int, end: int) -> Sequence[Refund]:
        first = bisect_left(self.past.refunds, start, key=lambda one: one.second)
        last = bisect_left(self.past.refunds, end, key=lambda one: one.second)
        return self.past.refunds[first:last]

    def _remember(self, now: int) -> History:
        start, end = history_span(now)
        at = self._at(now)

        def bucketed(counts: Counts) -> Series:
            series = empty_series(start)
            first, last = start - self.past.begin, min(end - self.past.begin, at)
            seconds = np.zeros(end - start, dtype=np.int64)
            if last > 0:
                seconds[max(0, -first) : last - first] = counts[max(0, first) : last]
            series.counts[:] = seconds.reshape(-1, STEP_SECONDS).sum(axis=1)
            return series

        whole = bucketed(self._whole)
        first, last = start // 60 * 60, end // 60 * 60
        refunds = self._refunds_of_items(first, last)
        paid_before = self.past.sales.orders_between(first, last - LATELY_SECONDS)
        refunded_before = self._refunds_of_items(first, last - LATELY_SECONDS)
        items = max(self.past.items.get(start // 3600, 0), self.past.items.get(end // 3600, 0), len(refunds))
        traffic = {channel: bucketed(counts) for channel, counts in self.past.traffic.items()}
        paid = {channel: bucketed(counts) for channel, counts in self.past.paid.items()}
        return History(
            whole=whole,
            occupied=bucketed((self._whole > 0).astype(np.int64)),
            channels={channel: series for channel, series in traffic.items() if series.counts.any()},
            paid={channel: series for channel, series in paid.items() if series.counts.any()},
            refunds=refunds,
            items=items,
            before={
                item: Orders(paid_before.get(item, 0), refunded_before.get(item, 0))
                for item in paid_before.keys() | refunded_before.keys()
            },
            writing_until=writing_until(self._history, whole, now),
        )

    def _refunds_of_items(self, start: int, end: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self._refunds(start, end):
            for item in one.items:
                found[item] = found.get(item, 0) + one.orders
        return found

    def _sold_of(self, now: int) -> dict[str, Sold]:
        start = (now // 60_000 - SOLD_MINUTES + 1) * 60
        end = now // 1000 // self.past.step * self.past.step
        if end != self._sold[0]:
            self._sold = end, self.past.sales.between(start, end)
        return self._sold[1]

    def _levels(self, now: int) -> dict[str, StockLevel]:
        stock, second = self.past.stock, now // 1000
        until = self._shelved
        while until < len(stock) and stock[until][0] < second:
            until += 1
        self._shelf.put((row for _, row in stock[self._shelved : until]), now)
        self._shelved = until
        return self._shelf.levels(self.past.campaign_id, now)


class Stage:
    """All campaigns. `asking` says what rules look at."""

    def __init__(self, pasts: Iterable[Past], asking: Asking) -> None:
        self._plays = {past.campaign_id: Play(past) for past in pasts}
        self._asking = asking

    def asks(self, now: int, also: Collection[str] = ()) -> dict[str, list[Inquiry]]:
        """What is asked at `now` of each campaign that is looked at: those with recent events, and `also`."""
        found = {}
        for campaign, play in self._plays.items():
            last = max(play.arrivals(now).values(), default=0)
            if last and (campaign in also or now - last <= _ACTIVE_MS):
                found[campaign] = list(self._asking(now, play.past.plan))
        return found

    def missing(self, campaign: str, asks: Iterable[Inquiry], now: int) -> list[Ask | Curve]:
        """The metrics that memory does not answer."""
        answers = self._plays[campaign].answers
        return [ask for ask in asks if isinstance(ask, Ask | Curve) and not answers.knows(ask, now)]

    def watched(self, campaign: str, asks: Iterable[Inquiry], now: int) -> Watched:
        """The searches among the questions, which memory answers none of."""
        searches = [ask for ask in asks if isinstance(ask, Search | BatchSearch)]
        return Watched(searches, self._plays[campaign].arrivals(now))

    def scene(
        self,
        pipeline: PipelineScene,
        asks: Mapping[str, Iterable[Inquiry]],
        elsewhere: Mapping[str, Answered],
    ) -> Scene:
        """The scene at the pipeline's moment, of the campaigns of which something is asked."""
        watermark = pipeline.watermark or 0
        return Scene(
            pipeline.now,
            pipeline,
            {
                campaign: self._plays[campaign].scene(
                    pipeline.now, watermark, asked, elsewhere.get(campaign, Answered())
                )
                for campaign, asked in asks.items()
            },
        )
