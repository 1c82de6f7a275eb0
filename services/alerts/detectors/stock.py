"""`stock_out` and `stock_low`: an item has nothing left over all warehouses, or less than its safety stock, or no more
than it sells within minutes."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene, Sold, StockLevel
from services.common.statistics import poisson_interval

_LIVE_MS = 10 * 60_000


class StockOutParameters(Parameters):
    """None: zero is zero."""


class StockLowParameters(Parameters):
    """The limit is the item's own `safety_stock`, times `factor`, or what it sells within `horizon_minutes`.

    A rate of a few sales is uncertain: only what it surely is at the least counts. A level that does not fall while
    the item sells is not the stock that is sold from, and says nothing of when it will be gone.
    """

    factor: float = Field(1.0, gt=0, description="times the safety stock at or below which stock is low")
    resolve_factor: float = Field(1.1, gt=0, description="times the safety stock above which it is so no more")
    horizon_minutes: float = Field(20.0, ge=0, description="time to stock-out at or below which stock is low")
    resolve_minutes: float = Field(30.0, ge=0, description="time to stock-out above which it is so no more")
    confidence: float = Field(0.98, gt=0, lt=1, description="of the interval of the sell rate")


class StockOut(CampaignDetector[StockOutParameters]):
    parameters_type = StockOutParameters
    facts = frozenset({"available", "safety_stock"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        return [
            _verdict(scene, item, level, Sighting.BREACH, 0, lost=True)
            for item, level in scene.stock.items()
            if level.available == 0
        ]


class StockLow(CampaignDetector[StockLowParameters]):
    parameters_type = StockLowParameters
    facts = frozenset({"available", "safety_stock", "minutes", "rate", "reason", "reason_zh"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        p = self.parameters
        verdicts = []
        for item, level in scene.stock.items():
            if level.available == 0:
                continue
            safety = level.safety_stock or 0
            sold = scene.sold.get(item)
            rate = 0.0 if sold is None or not level.falling else sold.units * 60 / max(1, sold.seconds)
            # Most items have plenty by either measure, and need no statistics.
            if level.available > max(p.resolve_factor * safety, p.resolve_minutes * rate):
                continue
            surely = 0.0
            if rate and sold is not None and level.available <= p.horizon_minutes * rate and not scene.writing_history:
                surely = poisson_interval(sold.units, p.confidence).low * 60 / max(1, sold.seconds)
            breach = level.available <= max(p.factor * safety, p.horizon_minutes * surely)
            limit = max(p.factor * safety, p.horizon_minutes * rate)
            sighting = Sighting.BREACH if breach else Sighting.HOLDS
            verdicts.append(_verdict(scene, item, level, sighting, limit, lost=False))
        return verdicts


def _verdict(
    scene: CampaignScene, item: str, level: StockLevel, sighting: Sighting, limit: float, *, lost: bool
) -> Verdict:
    # The stock that an import left behind is nobody's trouble.
    if not level.confirmed or not scene.live(_LIVE_MS):
        sighting = Sighting.HOLDS
    sold = scene.sold.get(item)
    rate = 0.0 if sold is None else sold.units * 60 / max(1, sold.seconds)
    minutes = level.available / rate if rate else None
    safety = level.safety_stock
    reason, reason_zh = [], []
    if safety is not None:
        reason.append(f"its safety stock is {safety}")
        reason_zh.append(f"安全库存为 {safety}")
    if minutes is not None:
        reason.append(f"at {rate:.1f} a minute it lasts {minutes:.0f} min")
        reason_zh.append(f"按每分钟售出 {rate:.1f} 件，约 {minutes:.0f} 分钟后售罄")
    return Verdict(
        sighting,
        value=level.available,
        threshold=round(limit, 1),
        labels={"item_id": item},
        facts={
            "available": level.available,
            "safety_stock": "unknown" if safety is None else safety,
            "minutes": "unknown" if minutes is None else round(minutes),
            "rate": round(rate, 2),
            "reason": " and ".join(reason),
            "reason_zh": "，".join(reason_zh),
        },
        evidence={
            "unit": "pieces",
            "safety_stock": safety,
            "sell_rate_per_minute": round(rate, 3),
            "minutes_left": None if minutes is None else round(minutes, 1),
            "warehouses": dict(sorted(level.warehouses.items())[:50]),
        },
        impact=_impact(sold) if lost and sold is not None else None,
    )


def _impact(sold: Sold) -> Impact:
    loss = Decimal(str(round(sold.amount * 60 / max(1, sold.seconds), 2)))
    return Impact(loss, "what the item sold a minute in the last quarter of an hour", "该商品最近一刻钟每分钟的销售额")
