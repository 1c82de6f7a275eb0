"""`refund_anomaly`: an item or a channel is refunded far more often than it, and the campaign, usually are, and than
what it sold of late explains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from services.alerts.baseline import change_point
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.detectors.refund_channels import (
    CHANNEL_GUARD,
    CHANNEL_HOUR,
    CHANNEL_LATELY,
    CHANNEL_MINUTES,
    ChannelCount,
    channel_counts,
)
from services.alerts.detectors.refund_share import NOTHING, Explained, explained, orders_of, usual_share
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.scene import CampaignScene
from services.alerts.statistics import log_upper_tail

_PRIOR_SECONDS = 600
"""Weight of the campaign's average item in an item's own rate: as if it had been watched for so long."""
_FLOOR_PER_SECOND = 0.5 / 3600


class RefundAnomalyParameters(Parameters):
    """Refunds of the last `window_seconds` are held against the item's own hour and against all other items."""

    window_seconds: int = Field(45, ge=15, le=60)
    min_refunds: int = Field(4, ge=2, description="refunds in the window below which nothing is an anomaly")
    ratio: float = Field(4.0, gt=1, description="times the expected number at the least")
    max_chance: float = Field(1e-6, gt=0, lt=1, description="probability over all items together when all is normal")
    resolve_chance: float = Field(1e-2, gt=0, lt=1, description="probability for this item above which it ends")
    min_history_seconds: int = Field(600, ge=60, description="history that the campaign must have")


@dataclass(frozen=True, slots=True)
class _Case:
    """What was refunded of one item or channel in the window, what is usual, and what its sales of late explain;
    `tested` things are tested at once."""

    label: str
    value: str
    points: Sequence[tuple[int, int]]
    count: int
    usual: float
    explained: Explained
    in_history: int
    history_seconds: int
    tested: int

    @property
    def expected(self) -> float:
        return max(self.usual, self.explained.mean)

    @property
    def log_tail(self) -> float:
        """ln of the probability of so many refunds or more."""
        tail = log_upper_tail(self.count, self.usual)
        return max(tail, self.explained.log_tail(self.count)) if self.explained.mean else tail


class RefundAnomaly(CampaignDetector[RefundAnomalyParameters]):
    """A Poisson test of each item and of each channel, with Bonferroni's correction over all of them together.

    A channel is judged without the item that is refunded most in it, so that one bad item is not told twice.
    """

    parameters_type = RefundAnomalyParameters
    facts = frozenset({"refunds", "expected", "window_seconds", "where", "item_id", "channel"})

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        return (CHANNEL_HOUR, CHANNEL_LATELY, CHANNEL_GUARD, CHANNEL_MINUTES)

    def judge(self, scene: CampaignScene) -> Verdicts:
        p = self.parameters
        known = scene.history.known_seconds
        if scene.writing_history or known < p.min_history_seconds:
            return None
        since = scene.now // 1000 - p.window_seconds
        channels = channel_counts(scene, since, p.window_seconds, known)
        cases = [*self._items(scene, since, known, len(channels)), *self._channels(channels, known, scene)]
        return [verdict for case in cases if (verdict := self._verdict(case)) is not None]

    def _items(self, scene: CampaignScene, since: int, known: int, channels: int) -> Iterable[_Case]:
        p = self.parameters
        recent = {
            item: [(second, count) for second, count in points if second >= since]
            for item, points in scene.recent_refunds.items()
        }
        counts = {item: sum(count for _, count in points) for item, points in recent.items()}
        hour = scene.history.refunds
        items = max(len(hour.keys() | counts.keys()), scene.history.items, 1)
        average = sum(hour.values()) / items / known
        total = sum(counts.values())
        hour_total = sum(hour.values())
        before = scene.history.before_all
        share = usual_share(before.refunded, before.paid)
        for item, count in counts.items():
            if count < 2:
                continue
            rate = max((hour.get(item, 0) + average * _PRIOR_SECONDS) / (known + _PRIOR_SECONDS), _FLOOR_PER_SECOND)
            # When all items are refunded more (a sale an hour ago, more traffic), that is not this item's doing.
            others_expected = max((hour_total - hour.get(item, 0)) / known * p.window_seconds, 3.0)
            surge = max(1.0, (total - count) / others_expected)
            usual = rate * p.window_seconds * surge
            by_sales = self._explained(scene, item, share)
            seen, tested = hour.get(item, 0), items + channels
            yield _Case("item_id", item, recent[item], count, usual, by_sales, seen, known, tested)

    def _explained(self, scene: CampaignScene, item: str, share: float) -> Explained:
        sold = scene.sold.get(item)
        if sold is None:
            return NOTHING
        paid, refunded = scene.history.before.get(item, (0, 0))
        return explained(orders_of(sold, self.parameters.window_seconds), refunded, paid, share)

    def _channels(self, channels: Mapping[str, ChannelCount], known: int, scene: CampaignScene) -> Iterable[_Case]:
        tested = len(channels) + max(scene.history.items, len(scene.history.refunds), 1)
        for channel, told in channels.items():
            if told.count >= 2:
                yield _Case(
                    "channel",
                    channel,
                    told.points,
                    told.count,
                    told.usual,
                    told.explained,
                    told.in_history,
                    known,
                    tested,
                )

    def _verdict(self, case: _Case) -> Verdict | None:
        p = self.parameters
        tail = case.log_tail
        breach = (
            case.count >= p.min_refunds
            and case.count >= p.ratio * case.expected
            and tail < math.log(p.max_chance) - math.log(case.tested)
        )
        if not breach and tail >= math.log(p.resolve_chance):
            return None
        kind = "item" if case.label == "item_id" else "channel"
        return Verdict(
            Sighting.BREACH if breach else Sighting.HOLDS,
            value=case.count,
            threshold=max(p.min_refunds, math.ceil(p.ratio * case.expected)),
            labels={case.label: case.value},
            onset=_onset(case.points, case.expected / p.window_seconds) * 1000,
            facts={
                "item_id": "*",
                "channel": "*",
                case.label: case.value,
                "where": f"{kind} {case.value}",
                "refunds": case.count,
                "expected": round(case.expected, 2),
                "window_seconds": p.window_seconds,
            },
            evidence={
                "unit": "refunds",
                "window_seconds": p.window_seconds,
                "expected": round(case.expected, 4),
                "expected_of_sales": round(case.explained.mean, 4),
                "refunds_in_history": case.in_history,
                "history_seconds": case.history_seconds,
                "tested": case.tested,
                "points": [[second, n] for second, n in case.points],
            },
        )


def _onset(points: Sequence[tuple[int, int]], rate: float) -> int:
    """The second in which the refunds began to be too many; `rate` is the normal one, in refunds a second."""
    first, last = points[0][0], points[-1][0]
    counts = np.zeros(last - first + 1, dtype=np.int64)
    for second, count in points:
        counts[second - first] += count
    return first + change_point(counts, rate)
