"""`payment_outage`: most payments of a channel fail; people try again, some minutes later, some never."""

from __future__ import annotations

from services.simulator.incidents.channel_trouble import channel_trouble
from services.simulator.incidents.kind import Kind

_SHARE = 0.92

PAYMENT_OUTAGE = Kind(
    "payment_outage",
    "payment_failure",
    300,
    channel_trouble(lambda conditions: conditions.payments, _SHARE, "payments_failed"),
    frozenset({"channel", "share"}),
    consequences=("conversion_drop", "gmv_behind_target", "roi_below_floor"),
    needs_crowd=True,
)
