"""Refunds by channel: how many there are, and how many are usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.metrics import Value
from services.alerts.detectors.refund_share import Explained, explained, orders_in, own_share, usual_share
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.scene import CampaignScene, Refund
from services.common.clock import MINUTE_MS

_METRICS = ("orders_refunded", "orders_paid")
_LATELY_MS = 30 * MINUTE_MS
_GUARD_MS = 5 * MINUTE_MS

CHANNEL_HOUR = Ask(_METRICS, 60 * MINUTE_MS, "channel")
CHANNEL_LATELY = Ask(_METRICS, _LATELY_MS, "channel")
"""Refunds follow orders: they are expected of the orders of the last half hour, where those are many."""
CHANNEL_GUARD = Ask(_METRICS, _GUARD_MS, "channel")
"""The last minutes belong to no history: a burst must not become what it is held against."""
CHANNEL_MINUTES = Curve(("orders_paid",), MINUTE_MS, 15 * MINUTE_MS, "channel")
"""When a sale begins, its refunds may follow within seconds or minutes."""

_FLOOR_PER_SECOND = 0.5 / 3600


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """Refunds of a channel in the window, without those of its most refunded item; `usual` are as many as usual, and
    `explained` by what it sold in its busiest moments of late."""

    points: Sequence[tuple[int, int]]
    count: int
    usual: float
    explained: Explained
    in_history: int


def channel_counts(scene: CampaignScene, since: int, window_seconds: int, known: int) -> dict[str, ChannelCount]:
    """By channel, from the second `since` on; empty unless two channels or more have a history of `known` seconds."""
    hour, lately, guard = (scene.readings.get(ask) for ask in (CHANNEL_HOUR, CHANNEL_LATELY, CHANNEL_GUARD))
    minutes = scene.curves.get(CHANNEL_MINUTES)
    if hour is None or lately is None or guard is None or minutes is None or len(hour.rows) < 2:
        return {}
    refunded = {channel: max(0, _of(hour, channel, 0) - _of(guard, channel, 0)) for channel in hour.rows}
    # Refunds lag behind orders: those of the hour are of orders as they came before the last half of it.
    paid = {channel: 2 * max(0, _of(hour, channel, 1) - _of(lately, channel, 1)) for channel in hour.rows}
    usual = usual_share(sum(refunded.values()), sum(paid.values()))
    seen = {
        channel: _without_worst_item([r for r in scene.refunds if r.channel == channel and r.second >= since])
        for channel in hour.rows
    }
    counts = {channel: sum(count for _, count in points) for channel, points in seen.items()}
    total, before = sum(counts.values()), sum(refunded.values())
    seconds = max(1, known - _GUARD_MS // 1000)
    told = {}
    for channel, points in seen.items():
        share = own_share(refunded[channel], paid[channel], usual)
        rate = max(
            refunded[channel] / seconds, share * _of(lately, channel, 1) / (_LATELY_MS / 1000), _FLOOR_PER_SECOND
        )
        # When all channels are refunded more, that is not this one's doing.
        others = max((before - refunded[channel]) / seconds * window_seconds, 3.0)
        surge = max(1.0, (total - counts[channel]) / others)
        orders = orders_in(window_seconds, _times(scene, minutes, channel, window_seconds))
        by_sales = explained(orders, refunded[channel], paid[channel], usual)
        told[channel] = ChannelCount(
            points, counts[channel], rate * window_seconds * surge, by_sales, refunded[channel]
        )
    return told


def _times(scene: CampaignScene, minutes: CurveReading, channel: str, window_seconds: int) -> Iterable[tuple[int, int]]:
    """Its paid orders in several times of late, and how long each was."""
    for orders in minutes.rows.get(channel, {}).get("orders_paid", ()):
        yield int(orders or 0), minutes.step_ms // 1000
    series = scene.recent_paid.get(channel)
    if series is not None:
        window = np.ones(window_seconds, dtype=np.int64)
        yield int(np.convolve(series.counts, window, "valid").max()), window_seconds


def _without_worst_item(refunds: Sequence[Refund]) -> list[tuple[int, int]]:
    items: Counter[str] = Counter()
    for refund in refunds:
        for item in refund.items:
            items[item] += refund.orders
    worst = max(items, key=lambda item: (items[item], item), default="")
    points: Counter[int] = Counter()
    for refund in refunds:
        if worst not in refund.items or worst == "unknown":
            points[refund.second] += refund.orders
    return sorted(points.items())


def _of(reading: Reading, channel: str, metric: int) -> int:
    row: Mapping[str, Value] = reading.rows.get(channel, {})
    return int(row.get(_METRICS[metric]) or 0)
