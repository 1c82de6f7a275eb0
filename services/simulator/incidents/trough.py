"""`trough`: people come to a channel and put things in the cart, but the checkout takes no order."""

from __future__ import annotations

from services.simulator.incidents.channel_trouble import channel_trouble
from services.simulator.incidents.kind import Kind

_SHARE = 0.97

TROUGH = Kind(
    "trough",
    "conversion_drop",
    900,
    channel_trouble(lambda conditions: conditions.checkout, _SHARE, "orders_lost"),
    frozenset({"channel", "share"}),
    consequences=("gmv_behind_target", "roi_below_floor"),
    needs_crowd=True,
)
