"""`stock_out` and `stock_low`: an item has nothing left, or less than its safety stock, over all warehouses."""

from __future__ import annotations

from pydantic import Field

from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.scene import CampaignScene, StockLevel

_LIVE_MS = 10 * 60_000


class StockOutParameters(Parameters):
    """None: zero is zero."""


class StockLowParameters(Parameters):
    """The limit is the item's own `safety_stock`, times `factor`."""

    factor: float = Field(1.0, gt=0, description="times the safety stock at or below which stock is low")
    resolve_factor: float = Field(1.1, gt=0, description="times the safety stock above which it is so no more")


class StockOut(CampaignDetector[StockOutParameters]):
    parameters_type = StockOutParameters
    facts = frozenset({"available", "safety_stock"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        return [
            _verdict(scene, item, level, Sighting.BREACH, 0)
            for item, level in scene.stock.items()
            if level.available == 0
        ]


class StockLow(CampaignDetector[StockLowParameters]):
    parameters_type = StockLowParameters
    facts = frozenset({"available", "safety_stock"})

    def judge(self, scene: CampaignScene) -> Verdicts:
        verdicts = []
        for item, level in scene.stock.items():
            if level.available == 0 or level.safety_stock is None or level.safety_stock <= 0:
                continue
            limit = self.parameters.factor * level.safety_stock
            if level.available <= limit:
                verdicts.append(_verdict(scene, item, level, Sighting.BREACH, limit))
            elif level.available <= self.parameters.resolve_factor * level.safety_stock:
                verdicts.append(_verdict(scene, item, level, Sighting.HOLDS, limit))
        return verdicts


def _verdict(scene: CampaignScene, item: str, level: StockLevel, sighting: Sighting, limit: float) -> Verdict:
    # The stock that an import left behind is nobody's trouble.
    if not level.confirmed or not scene.live(_LIVE_MS):
        sighting = Sighting.HOLDS
    return Verdict(
        sighting,
        value=level.available,
        threshold=limit,
        labels={"item_id": item},
        facts={
            "available": level.available,
            "safety_stock": "unknown" if level.safety_stock is None else level.safety_stock,
        },
        evidence={
            "unit": "pieces",
            "safety_stock": level.safety_stock,
            "warehouses": dict(sorted(level.warehouses.items())[:50]),
        },
    )
