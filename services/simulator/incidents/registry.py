"""The kinds of incidents by name."""

from __future__ import annotations

from services.simulator.incidents.bots import BOTS
from services.simulator.incidents.brushing import BRUSHING
from services.simulator.incidents.coupon_abuse import COUPON_ABUSE
from services.simulator.incidents.decoys import FAMILY, LATE, REFUND_BUMP, VIRAL
from services.simulator.incidents.drop import DROP, LOST
from services.simulator.incidents.kind import Kind
from services.simulator.incidents.malformed import MALFORMED
from services.simulator.incidents.payment_outage import PAYMENT_OUTAGE
from services.simulator.incidents.refund_burst import REFUND_BURST, REFUND_CHANNEL
from services.simulator.incidents.refund_fraud import REFUND_FRAUD
from services.simulator.incidents.silence import SILENCE
from services.simulator.incidents.spend import BUDGET_OVERRUN, ROI_FLOOR
from services.simulator.incidents.spike import SPIKE
from services.simulator.incidents.stock import STOCK_LOW, STOCK_OUT
from services.simulator.incidents.trough import TROUGH

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        SPIKE, STOCK_OUT, REFUND_BURST, SILENCE,
        BOTS, DROP, LOST, TROUGH, PAYMENT_OUTAGE, STOCK_LOW, REFUND_CHANNEL, REFUND_FRAUD, BRUSHING, COUPON_ABUSE,
        BUDGET_OVERRUN, ROI_FLOOR, MALFORMED,
        LATE, VIRAL, REFUND_BUMP, FAMILY,
    )
}  # fmt: skip
