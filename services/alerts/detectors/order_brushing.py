"""`order_brushing`: one account, or the accounts on one device, pay improbably many orders."""

from __future__ import annotations

from collections.abc import Iterable

from services.alerts.detectors.base import CampaignDetector, Verdicts
from services.alerts.detectors.concentration import ConcentrationParameters, searches, suspicious
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.scene import CampaignScene
from services.alerts.selection import Selection


class OrderBrushingParameters(ConcentrationParameters):
    """Paid orders. `slow_min_events` within an hour is what the money ladder calls suspected; the alert asks for
    more than that: that it is improbable, too."""


class OrderBrushing(CampaignDetector[OrderBrushingParameters]):
    parameters_type = OrderBrushingParameters
    facts = frozenset({"suspect", "count", "kind", "others", "amount", "window_minutes", "usual"})

    def __init__(self, parameters: OrderBrushingParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        self._searches = searches(parameters, ["orders"])

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        return self._searches

    def judge(self, scene: CampaignScene) -> Verdicts:
        if not any(search in scene.suspects for search in self._searches):
            return None
        return suspicious(self.parameters, self._searches, scene.suspects, scene.now, "orders")
