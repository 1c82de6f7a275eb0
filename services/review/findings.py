"""What was computed from the answers, once for all chapters."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.review.drivers import Drivers, drivers_of
from services.review.incidents import Incident, incidents_of
from services.review.losses import Leak, StockOut, leaks, stock_outs
from services.review.read import Readings


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers and what follows from them."""

    readings: Readings
    drivers: Drivers | None
    leaks: list[Leak]
    stock_outs: list[StockOut]
    incidents: list[Incident]

    @property
    def refunded(self) -> Decimal:
        """Of the period and since."""
        since = self.readings.since
        later = Decimal(0) if since is None else Decimal(since.at("metrics", "refund_amount") or 0)
        return Decimal(self.readings.overview.at("metrics", "refund_amount") or 0) + later


def findings_of(readings: Readings) -> Findings:
    """Pure: the same answers give the same findings."""
    alerts = readings.alerts
    baseline = [] if readings.baseline_funnel is None else readings.baseline_funnel.rows
    paid_gmv = Decimal(readings.overview.at("metrics", "paid_gmv") or 0)
    buyers = int(readings.overview.at("metrics", "buyers") or 0)
    return Findings(
        readings,
        drivers_of(readings),
        leaks(readings.funnel.rows, baseline, paid_gmv, buyers),
        stock_outs(alerts.alerts, readings.sold_before, readings.extent),
        incidents_of(alerts.alerts, alerts.details),
    )
