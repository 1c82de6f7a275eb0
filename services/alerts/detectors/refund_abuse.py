"""`refund_abuse`: one account, or the accounts on one device, get improbably many refunds."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from services.alerts.detectors.base import CampaignDetector, Verdicts
from services.alerts.detectors.concentration import ConcentrationParameters, searches, suspicious
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.scene import CampaignScene
from services.alerts.selection import Selection


class RefundAbuseParameters(ConcentrationParameters):
    """Refunds."""

    min_events: int = Field(5, ge=3, description="refunds of one account or device in the window at the least")
    slow_min_events: int = Field(5, ge=3, description="the same in the slow window")
    shared_min_events: int = Field(5, ge=3, description="the same for a device with many accounts, in either window")
    min_people: int = Field(5, ge=1, description="others with any refund in a window, without whom nobody stands out")


class RefundAbuse(CampaignDetector[RefundAbuseParameters]):
    parameters_type = RefundAbuseParameters
    facts = frozenset({"suspect", "count", "kind", "others", "amount", "window_minutes", "usual", "paid"})

    def __init__(self, parameters: RefundAbuseParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        self._searches = searches(parameters, ["refunds"])

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        return self._searches

    def judge(self, scene: CampaignScene) -> Verdicts:
        if not any(search in scene.suspects for search in self._searches):
            return None
        return suspicious(self.parameters, self._searches, scene.suspects, scene.now, "refunds")
