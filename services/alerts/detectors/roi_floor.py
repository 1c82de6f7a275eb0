"""`roi_floor`: the ads of a channel bring in less than they must, as surely as its orders can say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import special

from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve
from services.alerts.scene import CampaignScene
from services.common.clock import MINUTE_MS

_MEASURES = ("paid_gmv", "refund_amount", "orders_paid", "ad_cost", "coupon_cost")
_STEADY = 0.8
_TELLING = 10
"""Orders that a window should hold for its ratio to say that all is well again."""

_TELLING_PRICE = 20

Minutes = npt.NDArray[np.float64]


class RoiFloorParameters(Parameters):
    """Sales of a window are held against the spend of that window or of the one `lag_minutes` before it, whichever is
    less: orders trail the clicks that bring them."""

    metric: Literal["roas", "roi"] = "roas"
    floor: float = Field(1.0, description="the return below which an alert begins")
    resolve_floor: float = Field(1.2, description="the return from which it ends")
    windows_minutes: tuple[int, ...] = Field((5, 10, 15, 20, 30), min_length=1, max_length=8)
    lag_minutes: int = Field(3, ge=0, le=30, description="time from a click to its paid order")
    min_cost: float = Field(50.0, ge=0, description="spend that a window must hold")
    confidence: float = Field(0.999, gt=0.5, lt=1, description="that the sales are not just few by chance")
    only_budgeted: bool = Field(True, description="judge only channels with a budget")


@dataclass(frozen=True, slots=True)
class _Window:
    minutes: int
    orders: int
    sales: float
    cost: float
    value: float
    """The return as it is."""
    at_best: float
    """The highest that chance leaves open."""


class RoiFloor(CampaignDetector[RoiFloorParameters]):
    """Judged at the watermark: sales that are on their way are not missing. Spend that is reported in lumps is judged
    in the longest window only."""

    parameters_type = RoiFloorParameters
    facts = frozenset({"roi", "cost", "sales", "orders", "window_minutes"})

    def asks(self, now: int, plan: Plan | None) -> Iterable[Ask | Curve]:
        return (self._curve(),)

    def judge(self, scene: CampaignScene) -> Verdicts:
        curve = scene.curves.get(self._curve())
        if curve is None or scene.writing_history or not scene.live(60_000):
            return None
        verdicts = []
        for channel, row in curve.rows.items():
            minutes = {name: np.array([float(value or 0) for value in row[name]]) for name in _MEASURES}
            # Without any order the channel's sales are not told by channel, or are not its ads' to bring.
            if not minutes["ad_cost"].any() or not minutes["orders_paid"].any():
                continue
            if self.parameters.only_budgeted and (scene.plan is None or channel not in scene.plan.budgets):
                continue
            verdict = self._judge(scene, channel, minutes, curve.start_ms // 1000)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _judge(self, scene: CampaignScene, channel: str, minutes: Mapping[str, Minutes], start: int) -> Verdict | None:
        p = self.parameters
        steady = np.count_nonzero(minutes["ad_cost"]) >= _STEADY * len(minutes["ad_cost"])
        margin = 1.0 if scene.plan is None else float(scene.plan.gross_margin)
        sizes = sorted(p.windows_minutes) if steady else [max(p.windows_minutes)]
        telling: _Window | None = None
        for size in sizes:
            window = self._window(minutes, size, margin)
            if window is None:
                continue
            if telling is None and (window.orders >= _TELLING or size == sizes[-1]):
                telling = window
            # What a long window still holds is over when a shorter one has come back.
            if telling is not None and telling.value >= p.resolve_floor:
                return None
            if window.at_best < p.floor:
                return self._verdict(channel, window, Sighting.BREACH, minutes, start, margin)
        if telling is None:
            return None
        return self._verdict(channel, telling, Sighting.HOLDS, minutes, start, margin)

    def _window(self, minutes: Mapping[str, Minutes], size: int, margin: float) -> _Window | None:
        p = self.parameters
        spend = minutes["ad_cost"]
        earlier = spend[len(spend) - size - p.lag_minutes : len(spend) - p.lag_minutes]
        ads = min(float(spend[-size:].sum()), float(earlier.sum()))
        if ads < max(p.min_cost, 1e-9):
            return None
        paid = {name: float(amounts[-size:].sum()) for name, amounts in minutes.items()}
        orders = int(paid["orders_paid"])
        # A sum of orders whose values differ about as much as they are worth has twice the variance of their number
        # (for exponential values exactly so): it says as much as half as many orders of twice the price.
        price = 2 * float(minutes["paid_gmv"].sum() / minutes["orders_paid"].sum())
        most = price * float(special.gammaincinv(paid["paid_gmv"] / price + 1, p.confidence)) if price else 0.0
        if orders >= _TELLING_PRICE:
            # So many orders tell their own price, however far it is from the usual one.
            own = 2 * float(special.gammaincinv(orders / 2 + 1, p.confidence)) / orders
            most = min(most, own * paid["paid_gmv"])
        if p.metric == "roas":
            return _Window(size, orders, paid["paid_gmv"], ads, paid["paid_gmv"] / ads, most / ads)
        cost = ads + paid["coupon_cost"]
        net = paid["paid_gmv"] - paid["refund_amount"]
        at_best = most - paid["refund_amount"]
        return _Window(size, orders, net, cost, (net * margin - cost) / cost, (at_best * margin - cost) / cost)

    def _verdict(
        self,
        channel: str,
        window: _Window,
        sighting: Sighting,
        minutes: Mapping[str, Minutes],
        start: int,
        margin: float,
    ) -> Verdict:
        loss = max(0.0, window.cost - window.sales * margin) / window.minutes
        returns = minutes["paid_gmv"] / np.maximum(minutes["ad_cost"], 0.01)
        return Verdict(
            sighting,
            value=round(window.value, 4),
            threshold=self.parameters.floor,
            labels={"channel": channel},
            facts={
                "roi": round(window.value, 2),
                "cost": f"{window.cost:,.0f}",
                "sales": f"{window.sales:,.0f}",
                "orders": window.orders,
                "window_minutes": window.minutes,
            },
            evidence={
                "unit": "sales over ad spend by minute",
                "reference": self.parameters.floor,
                "cost": round(window.cost, 2),
                "sales": round(window.sales, 2),
                "orders": window.orders,
                "at_best": round(window.at_best, 3),
                "window_minutes": window.minutes,
                "points": [[start + 60 * n, round(float(value), 3)] for n, value in enumerate(returns)],
            },
            impact=Impact(
                Decimal(str(round(loss, 2))),
                "spend that the margin of what it sells does not cover",
                "所售商品的毛利覆盖不了的花费",
            ),
        )

    def _curve(self) -> Curve:
        length = max(self.parameters.windows_minutes) + self.parameters.lag_minutes
        return Curve(_MEASURES, MINUTE_MS, min(60, length) * MINUTE_MS, by="channel")
