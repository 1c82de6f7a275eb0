"""Fills what JSON cannot say on an event that msgspec has just decoded, and what msgspec cannot check.

Each function answers whether the event is surely acceptable and now complete. False, `Unsure` and `ValueError` all
mean that the reference must judge; nothing is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Raw

from services.common.decode.amounts import CENTS_LIMIT, REPORTING, Rate, Unsure, cents
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

_ABSENT: Final = (b"", b"null")


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
    event.original_value_cents = original = cents(bytes(event.sent_value))
    event.value_cents = rate.convert(original)
    event.discount_cents = _optional_cents(event.sent_discount, rate)
    event.customer_type = CUSTOMER_TYPES[event.sent_new_customer]
    event.items = [_line(item, rate) for item in event.sent_items or ()]
    if not event.coupon_id:
        event.coupon_id = ""
    if not event.utm_source:
        event.utm_source = "unknown"
    if not event.store_id:
        event.store_id = ""
    if not event.device_id:
        event.device_id = ""
    if not event.reason:
        event.reason = ""
    return _common(event, memory)


def _line(item: OrderItem, rate: Rate) -> Line:
    quantity = item.quantity
    if quantity.__class__ is not int:
        raise Unsure
    amount = quantity * cents(bytes(item.price))
    if amount >= CENTS_LIMIT:
        raise Unsure
    return (item.item_id or "unknown", item.item_category or "unknown", quantity, rate.convert(amount))


def coupon(event: CouponEvent, memory: Memory) -> bool:
    """Completes a coupon event; a face value without currency is in the reporting currency."""
    if event.event_name == "coupon_redeemed" and not (event.currency and bytes(event.sent_face_value) not in _ABSENT):
        return False
    if event.currency:
        rate = memory.rates.get(event.currency)
        if rate is None:
            return False
    else:
        event.currency = ""
        rate = REPORTING
    event.face_value_cents = _optional_cents(event.sent_face_value, rate)
    if not event.order_id:
        event.order_id = ""
    if not event.device_id:
        event.device_id = ""
    return _common(event, memory)


def inventory(event: InventoryEvent, memory: Memory) -> bool:
    """Completes a stock level."""
    if event.available.__class__ is not int:
        return False
    if event.safety_stock.__class__ is not int:
        event.safety_stock = count(event.safety_stock, -1)
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
    event.cost_cents = rate.convert(cents(bytes(event.sent_cost)))
    if event.impressions.__class__ is not int:
        event.impressions = count(event.impressions, 0)
    if event.clicks.__class__ is not int:
        event.clicks = count(event.clicks, 0)
    if not event.utm_source:
        event.utm_source = "unknown"
    return _common(event, memory)


def count(sent: object, absent: int) -> int:
    """What to put in place of a count that msgspec did not decode as an integer."""
    # Only `null` is sure here: a float may stand for a number that it cannot hold.
    if sent is not None:
        raise Unsure
    return absent


def _optional_cents(token: Raw, rate: Rate) -> int:
    text = bytes(token)
    return 0 if text in _ABSENT else rate.convert(cents(text))


COMPLETE: Final[Mapping[str, Callable[[Any, Memory], bool]]] = {
    "orders": order,
    "coupons": coupon,
    "inventory": inventory,
    "spend": spend,
}
"""The function of each kind but traffic, whose way is written out in `traffic`."""
