"""The detectors by name; a rule names the one it uses."""

from __future__ import annotations

from typing import Any

from services.alerts.detectors.base import CampaignDetector, PipelineDetector
from services.alerts.detectors.baseline import Baseline
from services.alerts.detectors.burn import Burn
from services.alerts.detectors.conversion_drop import ConversionDrop
from services.alerts.detectors.coupon_abuse import CouponAbuse
from services.alerts.detectors.data_silence import DataSilence
from services.alerts.detectors.dead_letters import DeadLetters
from services.alerts.detectors.delivery_failure import DeliveryFailure
from services.alerts.detectors.ingest_lag import IngestLag
from services.alerts.detectors.order_brushing import OrderBrushing
from services.alerts.detectors.pace import Pace
from services.alerts.detectors.payment_failure import PaymentFailure
from services.alerts.detectors.refund_abuse import RefundAbuse
from services.alerts.detectors.refund_anomaly import RefundAnomaly
from services.alerts.detectors.roi_floor import RoiFloor
from services.alerts.detectors.seasonal import Seasonal
from services.alerts.detectors.stock import StockLow, StockOut
from services.alerts.detectors.threshold import Threshold
from services.alerts.detectors.traffic_drop import TrafficDrop
from services.alerts.detectors.traffic_spike import TrafficSpike

AnyDetector = CampaignDetector[Any] | PipelineDetector[Any]

DETECTORS: dict[str, type[CampaignDetector[Any]] | type[PipelineDetector[Any]]] = {
    "traffic_spike": TrafficSpike,
    "traffic_drop": TrafficDrop,
    "stock_low": StockLow,
    "stock_out": StockOut,
    "refund_anomaly": RefundAnomaly,
    "data_silence": DataSilence,
    "dead_letters": DeadLetters,
    "ingest_lag": IngestLag,
    "delivery_failure": DeliveryFailure,
    "threshold": Threshold,
    "conversion_drop": ConversionDrop,
    "pace": Pace,
    "burn": Burn,
    "roi_floor": RoiFloor,
    "payment_failure": PaymentFailure,
    "order_brushing": OrderBrushing,
    "refund_abuse": RefundAbuse,
    "coupon_abuse": CouponAbuse,
    "baseline": Baseline,
    "seasonal": Seasonal,
}

__all__ = ["DETECTORS", "AnyDetector", "CampaignDetector", "PipelineDetector"]
