"""Fills what JSON cannot say on an event that msgspec has just decoded, and what msgspec cannot check.

Each function answers whether the event is surely acceptable and now complete. False, `Unsure` and `ValueError` all
mean that the reference must judge; nothing is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.common.decode.amounts import CENTS_LIMIT, REPORTING, AmountMemory, Rate, Unsure
from services.common.decode.events import (
    CUSTOMER_TYPES,
    CouponEvent,
    Event,
    InventoryEvent,
    Line,
    OrderEvent,
    OrderItem,
    SpendEvent,
)
from services.common.decode.memory import Memory


def _common(event: Event, memory: Memory) -> bool:
    if event.campaign_id not in memory.campaigns.texts and not memory.campaigns.learn(event.campaign_id):
        return False
    if not event.channel:
        event.channel = "unknown"
    region = event.region
    if not region:
        event.region = "unknown"
    elif region not in memory.regions.texts and not memory.regions.learn(region):
        return False
    event.event_time_ms = memory.times.parse(event.sent_time)
    return True


def order(event: OrderEvent, memory: Memory) -> bool:
    """Completes an order event: its amounts in the reporting currency, its lines."""
    rate = memory.rates.get(event.currency)
    if rate is None:
        return False
    cents = memory.amounts.cents
    event.original_value_cents = original = cents(event.sent_value)
    event.value_cents = rate.convert(original)
    event.discount_cents = 0 if event.sent_discount is None else rate.convert(cents(event.sent_discount))
    event.customer_type = CUSTOMER_TYPES[event.sent_new_customer]
    event.items = _lines(event.sent_items, rate, memory.amounts) if event.sent_items else []
    if not event.utm_source:
        event.utm_source = "unknown"
    optional: Any = event
    if optional.coupon_id is None:
        event.coupon_id = ""
    if optional.store_id is None:
        event.store_id = ""
    if optional.device_id is None:
        event.device_id = ""
    if optional.reason is None:
        event.reason = ""
    return _common(event, memory)


def _lines(items: Sequence[OrderItem], rate: Rate, amounts: AmountMemory) -> list[Line]:
    lines = []
    known = amounts.texts
    for item in items:
        quantity = item.quantity
        price = item.price
        unit = known.get(price) if type(price) is str else None
        amount = quantity * (amounts.cents(price) if unit is None else unit)
        if amount >= CENTS_LIMIT:
            raise Unsure
        if not rate.is_one:
            amount = rate.convert(amount)
        lines.append((item.item_id or "unknown", item.item_category or "unknown", quantity, amount))
    return lines


def coupon(event: CouponEvent, memory: Memory) -> bool:
    """Completes a coupon event; a face value without currency is in the reporting currency."""
    if event.event_name == "coupon_redeemed" and not (event.currency and event.sent_face_value is not None):
        return False
    if event.currency:
        rate = memory.rates.get(event.currency)
        if rate is None:
            return False
    else:
        event.currency = ""
        rate = REPORTING
    sent = event.sent_face_value
    event.face_value_cents = 0 if sent is None else rate.convert(memory.amounts.cents(sent))
    optional: Any = event
    if optional.order_id is None:
        event.order_id = ""
    if optional.device_id is None:
        event.device_id = ""
    return _common(event, memory)


def inventory(event: InventoryEvent, memory: Memory) -> bool:
    """Completes a stock level."""
    optional: Any = event
    if optional.safety_stock is None:
        event.safety_stock = -1
    if not event.warehouse_id:
        event.warehouse_id = "default"
    if not event.item_category:
        event.item_category = "unknown"
    return _common(event, memory)


def spend(event: SpendEvent, memory: Memory) -> bool:
    """Completes a spend event."""
    rate = memory.rates.get(event.currency)
    if rate is None:
        return False
    event.cost_cents = rate.convert(memory.amounts.cents(event.sent_cost))
    if not event.impressions:
        event.impressions = 0
    if not event.clicks:
        event.clicks = 0
    if not event.utm_source:
        event.utm_source = "unknown"
    return _common(event, memory)


COMPLETE: Final[Mapping[str, Callable[[Any, Memory], bool]]] = {
    "orders": order,
    "coupons": coupon,
    "inventory": inventory,
    "spend": spend,
}
"""The function of each kind but traffic, whose way is written out in `traffic`."""
