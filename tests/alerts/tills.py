"""Payments of some channels in memory, second by second, and the scene that `payment_failure` is shown of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from schemas.metrics import Value
from services.alerts.detectors.base import Verdict
from services.alerts.detectors.payment_failure import PaymentFailure, PaymentFailureParameters
from services.alerts.history import History, empty_series
from services.alerts.readings.asks import Ask, Reading
from services.alerts.readings.seconds import SECONDS, Payments, Seconds, SecondsReading
from services.alerts.scene import Activity, CampaignScene
from services.alerts.selection import Selection
from services.alerts.series import Counts, zeros

BEGIN = 1_900_000_800
HOUR = 3600
SELECTION = Selection("payments_failed", (), "channel", 120_000)


class Tills:
    """`rates` are payments tried a second, by channel, of which the share `fails`; the first hour is history."""

    def __init__(self, rates: Mapping[str, float], fails: float, *, seed: int = 0, length: int = 300) -> None:
        self._random = np.random.default_rng(seed)
        self.length = HOUR + length
        self.tried: dict[str, Counts] = {
            channel: self._random.poisson(rate, self.length).astype(np.int64) for channel, rate in rates.items()
        }
        self.failed: dict[str, Counts] = {
            channel: self._random.binomial(tried, fails).astype(np.int64) for channel, tried in self.tried.items()
        }

    def busier(self, start: int, end: int, factor: float, fails: float) -> None:
        """So many times the payments in [start, end) of the live part, of which no larger share fails."""
        span = slice(HOUR + start, HOUR + end)
        for channel, tried in self.tried.items():
            tried[span] = self._random.poisson(tried.mean() * factor, end - start)
            self.failed[channel][span] = self._random.binomial(tried[span], fails)

    def outage(self, channel: str, start: int, end: int, share: float) -> None:
        """So large a share fails in [start, end) of the live part."""
        span = slice(HOUR + start, HOUR + end)
        self.failed[channel][span] = self._random.binomial(self.tried[channel][span], share)

    def judge(self, second: int, parameters: PaymentFailureParameters | None = None) -> list[Verdict] | None:
        """What the detector says when `second` of the live part is over."""
        detector = PaymentFailure(parameters or PaymentFailureParameters(), SELECTION)
        return detector.judge(self.look(detector, second))

    def look(self, detector: PaymentFailure, second: int) -> CampaignScene:
        at = HOUR + second + 1
        now = (BEGIN + at) * 1000
        readings = {}
        seconds = {}
        for ask in detector.asks(now, None):
            if isinstance(ask, Ask):
                end = now // 60_000 * 60_000 + 60_000
                first = max(0, (end - ask.window_ms) // 1000 - BEGIN)
                rows: dict[str, dict[str, Value]] = {}
                for channel, tried in self.tried.items():
                    failed = int(self.failed[channel][first:at].sum())
                    paid = int(tried[first:at].sum()) - failed
                    if failed or paid:
                        rows[channel] = {
                            "payments_failed": failed,
                            "orders_paid": paid,
                            "paid_gmv": Decimal(100) * paid,
                        }
                readings[ask] = Reading(rows, end - ask.window_ms, end, now)
            elif isinstance(ask, Seconds):
                recent = {
                    channel: Payments(
                        self.failed[channel][at - SECONDS : at],
                        (tried - self.failed[channel])[at - SECONDS : at],
                    )
                    for channel, tried in self.tried.items()
                }
                seconds[ask] = SecondsReading(
                    {c: p for c, p in recent.items() if (p.failed + p.paid).any()}, BEGIN + at - SECONDS
                )
        start = BEGIN
        return CampaignScene(
            campaign_id="tills",
            now=now,
            watermark=now - 1000,
            activity={"orders": Activity(1, start * 1000, now, now)},
            end=None,
            recent={},
            recent_all=zeros(start, 1, 180),
            recent_refunds={},
            history=History(empty_series(start), empty_series(start)),
            stock={},
            readings=readings,
            seconds=seconds,
        )
