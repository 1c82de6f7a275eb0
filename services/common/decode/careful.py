"""The way of the few: what the fast way is not sure of is judged by the reference and rebuilt from its model."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import schemas.events as reference
from schemas.events.numbers import to_cents
from services.common.decode.events import (
    CUSTOMER_TYPES,
    CouponEvent,
    Event,
    InventoryEvent,
    OrderEvent,
    SpendEvent,
    TrafficEvent,
)


def from_model(model: reference.Event, currencies: Mapping[str, Decimal]) -> Event:
    """The decoded event that says the same as `model`."""
    match model:
        case reference.TrafficEvent():
            return _traffic(model)
        case reference.OrderEvent():
            return _order(model, currencies[model.currency])
        case reference.CouponEvent() | reference.CouponRedeemed():
            return _coupon(model, currencies[model.currency] if model.currency else Decimal(1))
        case reference.StockLevel():
            return _stock(model)
        case reference.AdSpend():
            return _spend(model, currencies[model.currency])
    raise AssertionError(f"no event for {type(model).__name__}")


def _traffic(model: reference.TrafficEvent) -> TrafficEvent:
    return TrafficEvent(
        event_id=model.event_id,
        event_name=model.event_name,
        sent_time="",
        event_time_ms=model.event_time,
        campaign_id=model.campaign_id,
        user_id=model.user_id,
        channel=model.channel or "unknown",
        region=model.region or "unknown",
        session_id=model.session_id or "",
        item_id=model.item_id or "unknown",
        item_category=model.item_category or "unknown",
        utm_source=model.utm_source or "unknown",
        device_category=model.device_category or "unknown",
        page_location=model.page_location or "",
        utm_medium=model.utm_medium or "",
        utm_campaign=model.utm_campaign or "",
        engagement_time_msec=model.engagement_time_msec or 0,
        experiment=model.experiment or "",
        variant=model.variant or "",
    )


def _order(model: reference.OrderEvent, rate: Decimal) -> OrderEvent:
    return OrderEvent(
        event_id=model.event_id,
        event_name=model.event_name,
        sent_time="",
        event_time_ms=model.event_time,
        campaign_id=model.campaign_id,
        user_id=model.user_id,
        order_id=model.order_id,
        currency=model.currency,
        sent_value=None,
        channel=model.channel or "unknown",
        region=model.region or "unknown",
        coupon_id=model.coupon_id or "",
        utm_source=model.utm_source or "unknown",
        store_id=model.store_id or "",
        device_id=model.device_id or "",
        reason=model.reason or "",
        value_cents=to_cents(model.value, rate),
        original_value_cents=to_cents(model.value, Decimal(1)),
        discount_cents=to_cents(model.discount or Decimal(0), rate),
        customer_type=CUSTOMER_TYPES[model.new_customer],
        items=[
            (
                item.item_id or "unknown",
                item.item_category or "unknown",
                item.quantity,
                to_cents(item.quantity * item.price, rate),
            )
            for item in model.items or ()
        ],
    )


def _coupon(model: reference.CouponEvent | reference.CouponRedeemed, rate: Decimal) -> CouponEvent:
    return CouponEvent(
        event_id=model.event_id,
        event_name=model.event_name,
        sent_time="",
        event_time_ms=model.event_time,
        campaign_id=model.campaign_id,
        user_id=model.user_id,
        coupon_id=model.coupon_id,
        batch_id=model.batch_id,
        channel=model.channel or "unknown",
        region=model.region or "unknown",
        currency=model.currency or "",
        order_id=model.order_id or "",
        device_id=model.device_id or "",
        face_value_cents=to_cents(model.face_value or Decimal(0), rate),
    )


def _stock(model: reference.StockLevel) -> InventoryEvent:
    return InventoryEvent(
        event_id=model.event_id,
        event_name=model.event_name,
        sent_time="",
        event_time_ms=model.event_time,
        campaign_id=model.campaign_id,
        item_id=model.item_id,
        available=model.available,
        channel=model.channel or "unknown",
        region=model.region or "unknown",
        warehouse_id=model.warehouse_id or "default",
        safety_stock=-1 if model.safety_stock is None else model.safety_stock,
        item_category=model.item_category or "unknown",
    )


def _spend(model: reference.AdSpend, rate: Decimal) -> SpendEvent:
    return SpendEvent(
        event_id=model.event_id,
        event_name=model.event_name,
        sent_time="",
        event_time_ms=model.event_time,
        campaign_id=model.campaign_id,
        currency=model.currency,
        sent_cost=None,
        channel=model.channel or "unknown",
        region=model.region or "unknown",
        utm_source=model.utm_source or "unknown",
        impressions=model.impressions or 0,
        clicks=model.clicks or 0,
        cost_cents=to_cents(model.cost, rate),
    )
