"""`coupon_abuse`: an account or device claims or redeems improbably many coupons, or a batch goes as if leaked."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import Field

from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Verdict, Verdicts
from services.alerts.detectors.concentration import ConcentrationParameters, searches, suspicious
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.suspects import Batches, BatchSearch
from services.alerts.scene import CampaignScene
from services.alerts.selection import Selection
from services.alerts.statistics import log_upper_tail

_HOUR_MS = 3_600_000
_OTHERS_PRIOR = 3
_UNITS = {"claims": "coupons claimed", "redemptions": "coupons redeemed"}


class CouponAbuseParameters(ConcentrationParameters):
    """Claims and redemptions, each by account and device; and by batch, against the batch's own hour."""

    min_events: int = Field(10, ge=3, description="coupons of one account or device in the window at the least")
    slow_min_events: int = Field(15, ge=3, description="the same in the slow window")
    shared_min_events: int = Field(8, ge=3, description="the same for a device with many accounts, in either window")
    batch_window_seconds: int = Field(60, ge=30, le=300)
    batch_min_events: int = Field(20, ge=3, description="coupons of a batch in its window at the least")
    batch_ratio: float = Field(3.0, gt=1, description="times what is normal for the batch at the least")
    batch_min_history_seconds: int = Field(600, ge=60, description="history that coupons of the campaign must have")


class CouponAbuse(CampaignDetector[CouponAbuseParameters]):
    parameters_type = CouponAbuseParameters
    facts = frozenset({"who", "what", "count", "others", "amount", "window_minutes", "usual"})

    def __init__(self, parameters: CouponAbuseParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        window = parameters.batch_window_seconds * 1000
        self._searches = {deed: searches(parameters, [deed]) for deed in _UNITS}
        self._batches = {
            "claims": BatchSearch("claims", window),
            "redemptions": BatchSearch("redemptions", window),
        }

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        return (*(search for one in self._searches.values() for search in one), *self._batches.values())

    def judge(self, scene: CampaignScene) -> Verdicts:
        verdicts: dict[tuple[str, str], Verdict] = {}
        known = False
        for deed, unit in _UNITS.items():
            asked = self._searches[deed]
            known = known or any(search in scene.suspects for search in asked)
            found = suspicious(self.parameters, asked, scene.suspects, scene.now, unit)
            batches = scene.batches.get(self._batches[deed])
            if batches is not None and not scene.writing_history:
                found += self._leaks(batches, deed, scene.now)
            for verdict in found:
                # Claimed and redeemed by the same: one alert, of what came first.
                verdicts.setdefault(next(iter(verdict.labels.items())), verdict)
        return list(verdicts.values()) if known else None

    def _leaks(self, batches: Batches, deed: str, now: int) -> Iterable[Verdict]:
        p = self.parameters
        window = p.batch_window_seconds * 1000
        if batches.before_ms < p.batch_min_history_seconds * 1000 or now - batches.end_ms > window:
            return
        share = window / min(_HOUR_MS, batches.before_ms)
        recent = sum(batch.different for batch in batches.rows.values())
        before = sum(batch.before for batch in batches.rows.values())
        limit = math.log(p.max_chance) - math.log(2 * max(1, len(batches.rows)))
        for name, batch in batches.rows.items():
            # When all batches go faster (a sale began), that is not this batch's doing; and a batch that is new, or
            # the only one, has nothing to be held against.
            if not batch.before or before == batch.before or batch.before_ms < p.batch_min_history_seconds * 1000:
                continue
            # Of its own time: a batch that began half an hour ago had half an hour.
            own = window / min(_HOUR_MS, batch.before_ms)
            # A few more than came: what few others do says little of how busy it is.
            others = recent - batch.different + _OTHERS_PRIOR
            surge = max(1.0, others / max((before - batch.before) * share, 0.5))
            expected = batch.before * own * surge
            tail = log_upper_tail(batch.different, expected)
            breach = batch.different >= max(p.batch_min_events, p.batch_ratio * expected) and tail < limit
            if not breach and (tail >= math.log(0.01) or batch.different < 0.5 * p.batch_ratio * expected):
                continue
            yield Verdict(
                Sighting.BREACH if breach else Sighting.HOLDS,
                value=batch.different,
                threshold=max(p.batch_min_events, math.ceil(p.batch_ratio * expected)),
                labels={"batch_id": name},
                onset=batch.first,
                facts={
                    "who": f"batch {name}",
                    "what": _UNITS[deed],
                    "count": batch.recent,
                    "others": batch.people,
                    "amount": str(batch.amount),
                    "window_minutes": round(window / 60_000, 1),
                    "usual": round(expected, 1),
                },
                evidence={
                    "unit": _UNITS[deed],
                    "from": (batches.end_ms - window) // 1000,
                    "to": batches.end_ms // 1000,
                    "accounts": batch.people,
                    "devices": batch.devices,
                    "amount": str(batch.amount),
                    "reference": round(expected, 2),
                    "coupons_in_history": batch.before,
                    "history_seconds": min(_HOUR_MS, batches.before_ms) // 1000,
                    "batches": len(batches.rows),
                    "log10_chance": round(max(-300.0, tail / math.log(10)), 1),
                },
                impact=Impact(
                    (batch.amount * 60_000 / window).quantize(batch.amount), "face value redeemed", "已核销的券面值"
                )
                if deed == "redemptions"
                else None,
            )
