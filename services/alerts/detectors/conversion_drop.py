"""`conversion_drop`: people come to a channel as before, and far fewer of them buy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import Field

from services.alerts.alert import Impact
from services.alerts.conversion import Conversion, Tally, chance_of_so_few
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.history import STEP_SECONDS
from services.alerts.levels import Moment
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve
from services.alerts.scene import CampaignScene

_PRICES = Ask(("aov",), window_ms=3_600_000, by="channel")
_GUARD_SECONDS = 120
_TELLING = 20.0
"""Orders that a window should hold for them to say that nothing is wrong any more."""


class ConversionDropParameters(Parameters):
    """Paid orders are held against the traffic that came: in a quick window where orders are many, in longer ones
    where they are few."""

    windows_seconds: tuple[int, ...] = Field((60, 90, 150, 300, 600), min_length=1, max_length=6)
    ratio: float = Field(0.5, gt=0, lt=1, description="share of the normal orders that begins an alert")
    resolve_ratio: float = Field(0.7, gt=0, lt=1, description="share of the normal orders above which it ends")
    max_chance: float = Field(1e-6, gt=0, lt=1, description="probability of so few orders when all is normal")
    min_orders: int = Field(30, ge=1, description="paid orders that the history must hold")
    min_history_seconds: int = Field(600, ge=60, description="history that a channel must have")
    order_lag_seconds: int = Field(60, ge=0, le=600, description="time from a visit to its paid order")


@dataclass(frozen=True, slots=True)
class _Window:
    """What came and was bought in `seconds`, and the orders that would have been normal, at the least."""

    start: int
    seconds: int
    orders: int
    expected: float
    normal: Conversion


class ConversionDrop(CampaignDetector[ConversionDropParameters]):
    """Orders are missing only where traffic is not: robots, which buy nothing, lower the rate and lose nobody an
    order, so more traffic than usual counts as the usual.

    After a change of the plan people may look more and buy less, in one channel or in all. Then orders are held
    against those since the change, as soon as they say enough, and for the first minutes also against those before
    it, as all other channels have moved.
    """

    parameters_type = ConversionDropParameters
    complete_within_ms = 10_000
    facts = frozenset({"percent", "orders", "expected", "window_minutes", "rate", "normal_rate"})

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        return (_PRICES,)

    def judge(self, scene: CampaignScene) -> Verdicts:
        if scene.writing_history or not scene.live(20_000):
            return None
        look = _Look(scene, self.parameters)
        verdicts = []
        for channel in look.channels:
            verdict = self._judge(scene, look, channel)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _judge(self, scene: CampaignScene, look: _Look, channel: str) -> Verdict | None:
        p = self.parameters
        telling: _Window | None = None
        low = True
        for window in look.windows(channel):
            # What a long window still holds is over when a shorter one has come back.
            few = window.orders < p.ratio * window.expected
            low &= few or window.expected < _TELLING
            if low and few and chance_of_so_few(window.orders, window.expected, window.normal) < p.max_chance:
                return self._verdict(scene, look, channel, window, Sighting.BREACH)
            if telling is None and window.expected >= _TELLING:
                telling = window
        if telling is None or telling.orders >= p.resolve_ratio * telling.expected:
            return None
        return self._verdict(scene, look, channel, telling, Sighting.HOLDS)

    def _verdict(self, scene: CampaignScene, look: _Look, channel: str, window: _Window, sighting: Sighting) -> Verdict:
        missing = (window.expected - window.orders) * 60 / window.seconds
        visits = look.traffic(channel, window.start)
        minutes = window.seconds / 60
        return Verdict(
            sighting,
            value=round(100 * window.orders / max(visits, 1), 3),
            threshold=round(100 * window.normal.rate * self.parameters.ratio, 3),
            labels={"channel": channel},
            onset=look.onset(channel, window) * 1000,
            facts={
                "percent": round(100 * window.orders / window.expected),
                "orders": window.orders,
                "expected": round(window.expected),
                "window_minutes": round(minutes) if minutes >= 2 else round(minutes, 1),
                "rate": round(100 * window.orders / max(visits, 1), 2),
                "normal_rate": round(100 * window.normal.rate, 2),
            },
            evidence={
                "unit": "paid orders per minute",
                "normal_rate": round(window.expected * 60 / window.seconds, 3),
                "dispersion": round(window.normal.dispersion, 2),
                "history_orders": window.normal.orders,
                "window_seconds": window.seconds,
                "window_orders": window.orders,
                "window_traffic": visits,
                "points": look.points(channel),
            },
            impact=_impact(scene, channel, missing),
        )


def _impact(scene: CampaignScene, channel: str, missing: float) -> Impact | None:
    reading = scene.readings.get(_PRICES)
    row = None if reading is None else reading.rows.get(channel)
    price = None if row is None else row["aov"]
    if price is None or missing <= 0:
        return None
    loss = (Decimal(str(price)) * Decimal(str(missing))).quantize(Decimal("0.01"))
    return Impact(
        loss,
        f"{missing:.1f} orders a minute that do not come, at {price:.2f} each",
        f"每分钟少 {missing:.1f} 单，每单 {price:.2f}",
    )


class _Look:
    """One scene as conversion sees it. Times are in seconds."""

    def __init__(self, scene: CampaignScene, parameters: ConversionDropParameters) -> None:
        self._p = parameters
        self._scene = scene
        # Nothing beyond the watermark is known to be complete.
        self._edge = min(scene.watermark, scene.last_event) // 1000
        history = scene.history
        changed = Moment.of(scene.plan, scene.now // 1000).changed
        begun = history.whole.start
        self._since: int | None = None
        if changed is not None and changed + parameters.order_lag_seconds > begun:
            self._since = changed + parameters.order_lag_seconds
        self._young = self._since is not None and self._edge - self._since < parameters.min_history_seconds + 120
        if self._since is None:
            self._before: Mapping[str, Conversion] = history.conversion_over(begun, history.whole.end)
            self._after: Mapping[str, Conversion] = {}
        else:
            assert changed is not None
            self._before = history.conversion_over(begun, changed)
            self._after = {} if self._young else history.conversion_over(self._since, history.whole.end)
        self._visits = {
            channel: Tally(history.channels.get(channel), series) for channel, series in scene.recent.items()
        }
        self._orders = {
            channel: Tally(history.paid.get(channel), scene.recent_paid.get(channel)) for channel in scene.recent
        }

    @property
    def channels(self) -> Iterator[str]:
        known = self._before if self._young or self._since is None else self._after
        return (
            channel
            for channel, normal in known.items()
            if channel in self._visits
            and normal.orders >= self._p.min_orders
            and normal.seconds >= min(self._p.min_history_seconds, 300 if self._young else 3600)
        )

    def traffic(self, channel: str, start: int) -> int:
        """The channel's traffic since `start`."""
        return self._visits[channel].count(start, self._edge)

    def windows(self, channel: str) -> Iterator[_Window]:
        """What the channel did in each window that lies behind the last change of the plan, the shortest first."""
        for seconds in sorted(self._p.windows_seconds):
            start = self._edge - seconds
            if start < self._scene.recent_all.start:
                start = -(-start // STEP_SECONDS) * STEP_SECONDS
            if self._since is not None and start < self._since:
                return
            visits, orders = self.traffic(channel, start), self._orders[channel].count(start, self._edge)
            windows = [
                _Window(start, self._edge - start, orders, expected, normal)
                for normal, expected in self._normals(channel, start, visits)
            ]
            if windows:
                # Whatever explains the most of what is missing.
                yield min(windows, key=lambda window: window.expected)

    def _normals(self, channel: str, start: int, visits: int) -> Iterator[tuple[Conversion, float]]:
        seconds = self._edge - start
        if not self._young:
            normal = (self._before if self._since is None else self._after).get(channel)
            if normal is not None:
                yield normal, normal.rate * min(visits, normal.traffic_rate * seconds)
            return
        normal, since = self._before.get(channel), self._lately(channel, start)
        if normal is None or since is None:
            return
        moved_orders, moved_visits = self._moved(channel, start)
        usual = min(visits, normal.traffic_rate * seconds * max(1.0, moved_visits))
        yield normal, normal.rate * min(1.0, moved_orders / moved_visits) * usual if moved_visits else 0.0
        yield since, since.rate * min(visits, since.traffic_rate * seconds)

    def _lately(self, channel: str, until: int) -> Conversion | None:
        """What was normal from the change until a while before the window."""
        assert self._since is not None
        start, end = self._since, until - _GUARD_SECONDS
        visits = self._visits[channel].count(start, end) if end - start >= 60 else 0
        orders = self._orders[channel].count(start, end) if visits else 0
        normal = self._before[channel]
        return Conversion(orders / visits, normal.dispersion, orders, visits, end - start) if orders else None

    def _moved(self, channel: str, start: int) -> tuple[float, float]:
        """How many times their normal orders, and their normal traffic, all other channels together have."""
        seconds = self._edge - start
        orders = visits = 0
        usual_orders = usual_visits = 0.0
        for other, normal in self._before.items():
            if other != channel and other in self._visits:
                orders += self._orders[other].count(start, self._edge)
                visits += self.traffic(other, start)
                usual_orders += normal.rate * normal.traffic_rate * seconds
                usual_visits += normal.traffic_rate * seconds
        return (
            orders / usual_orders if usual_orders else 1.0,
            visits / usual_visits if usual_visits else 1.0,
        )

    def onset(self, channel: str, window: _Window) -> int:
        """The second from which on the missing orders are best explained by fewer having been made."""
        steps = [
            self._orders[channel].count(at, at + STEP_SECONDS)
            for at in range(self._first, self._edge - STEP_SECONDS + 1, STEP_SECONDS)
        ]
        normal = window.expected * STEP_SECONDS / window.seconds
        best, gained, total = len(steps), 0.0, 0.0
        for back, count in enumerate(reversed(steps), start=1):
            total += count
            level = max(total / back, 1e-9)
            gain = total * math.log(level / normal) - (level - normal) * back if level < normal else 0.0
            if gain > gained:
                best, gained = len(steps) - back, gain
        return self._first + best * STEP_SECONDS

    def points(self, channel: str) -> list[list[int]]:
        """Paid orders by minute of the last quarter of an hour."""
        start = -(-self._first // 60) * 60
        return [[at, self._orders[channel].count(at, at + 60)] for at in range(start, self._edge - 59, 60)]

    @property
    def _first(self) -> int:
        return -(-(self._edge - 900) // STEP_SECONDS) * STEP_SECONDS
