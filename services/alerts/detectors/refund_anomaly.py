"""`refund_anomaly`: an item is refunded far more often than it, and the campaign around it, usually are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from services.alerts.baseline import change_point
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
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


class RefundAnomaly(CampaignDetector[RefundAnomalyParameters]):
    parameters_type = RefundAnomalyParameters
    facts = frozenset({"refunds", "expected", "window_seconds"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        p = self.parameters
        known = scene.history.known_seconds
        if scene.writing_history or known < p.min_history_seconds:
            return None
        since = scene.now // 1000 - p.window_seconds
        recent = {
            item: [(second, count) for second, count in points if second >= since]
            for item, points in scene.recent_refunds.items()
        }
        counts = {item: sum(count for _, count in points) for item, points in recent.items()}
        hour = scene.history.refunds
        items = max(len(hour.keys() | counts.keys()), scene.history.items, 1)
        average = sum(hour.values()) / items / known
        rates = {
            item: max((hour.get(item, 0) + average * _PRIOR_SECONDS) / (known + _PRIOR_SECONDS), _FLOOR_PER_SECOND)
            for item in counts
        }
        total = sum(counts.values())
        hour_total = sum(hour.values())
        verdicts = []
        for item, count in counts.items():
            if count < 2:
                continue
            # When all items are refunded more (a sale an hour ago, more traffic), that is not this item's doing.
            others_expected = max((hour_total - hour.get(item, 0)) / known * p.window_seconds, 3.0)
            surge = max(1.0, (total - count) / others_expected)
            expected = rates[item] * p.window_seconds * surge
            tail = log_upper_tail(count, expected)
            breach = (
                count >= p.min_refunds
                and count >= p.ratio * expected
                and tail < math.log(p.max_chance) - math.log(items)
            )
            if not breach and tail >= math.log(p.resolve_chance):
                continue
            verdicts.append(
                Verdict(
                    Sighting.BREACH if breach else Sighting.HOLDS,
                    value=count,
                    threshold=max(p.min_refunds, math.ceil(p.ratio * expected)),
                    labels={"item_id": item},
                    onset=_onset(recent[item], expected / p.window_seconds) * 1000,
                    facts={
                        "refunds": count,
                        "expected": round(expected, 2),
                        "window_seconds": p.window_seconds,
                    },
                    evidence={
                        "unit": "refunds",
                        "window_seconds": p.window_seconds,
                        "expected": round(expected, 4),
                        "refunds_in_history": hour.get(item, 0),
                        "history_seconds": known,
                        "items": items,
                        "points": [[second, n] for second, n in recent[item]],
                    },
                )
            )
        return verdicts


def _onset(points: Sequence[tuple[int, int]], rate: float) -> int:
    """The second in which the refunds began to be too many; `rate` is the normal one, in refunds a second."""
    first, last = points[0][0], points[-1][0]
    counts = np.zeros(last - first + 1, dtype=np.int64)
    for second, count in points:
        counts[second - first] += count
    return first + change_point(counts, rate)
