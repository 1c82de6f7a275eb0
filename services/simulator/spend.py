"""What marketing costs: by channel, every few seconds, in step with the visits it brings."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from services.simulator.conditions import Conditions
from services.simulator.timeline import SECOND_MS, Timeline, money
from services.simulator.world import CLICK_THROUGH, CLICKS_PER_VISIT, COST_PER_CLICK_CENTS

EVERY_SECONDS = 5

_SOURCES = {"app": "oceanengine", "mini_program": "wechat", "web": "baidu", "live": "douyin", "store": "qr_code"}


class Spend:
    """One `ad_spend` a channel every five seconds; the channels take turns.

    `price` is what a click costs, times the usual.
    """

    def __init__(
        self,
        channels: Mapping[str, float],
        *,
        seed: int,
        currency: str = "CNY",
        price: float = 1.0,
        conditions: Conditions | None = None,
    ) -> None:
        self._price = price
        self._conditions = conditions or Conditions()
        self._rng = Random(f"spend/{seed}")
        self._channels = list(channels)
        self._currency = currency
        self._seen = dict.fromkeys(channels, 0.0)
        self._owed = dict.fromkeys(channels, 0.0)

    def tick(self, timeline: Timeline) -> None:
        """Accounts for a channel's visits since its turn before."""
        second = timeline.now_ms // SECOND_MS
        for index, channel in enumerate(self._channels):
            if (second - index) % EVERY_SECONDS:
                continue
            visits = timeline.visits[channel] - self._seen[channel]
            self._seen[channel] = timeline.visits[channel]
            self._owed[channel] += visits * CLICKS_PER_VISIT[channel]
            clicks = int(self._owed[channel])
            self._owed[channel] -= clicks
            at_ms = timeline.now_ms + self._rng.randrange(SECOND_MS)
            price = self._price * self._rng.uniform(0.9, 1.1)
            markup = self._conditions.spend.get(channel)
            if markup is not None:
                price *= markup.factor
                markup.shows(at_ms)
            fields = {
                "event_name": "ad_spend",
                "channel": channel,
                "utm_source": _SOURCES[channel],
                "cost": money(round(clicks * COST_PER_CLICK_CENTS[channel] * price)),
                "currency": self._currency,
                "impressions": round(clicks / CLICK_THROUGH[channel] * self._rng.uniform(0.9, 1.1)),
                "clicks": clicks,
            }
            timeline.plan(at_ms, "spend", channel, fields)
