"""One good event of each name: for the documents that producers read, and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_COMMON: Final = {
    "event_time": "2026-11-11T20:00:00.123+08:00",
    "campaign_id": "double11-2026",
    "channel": "app",
    "region": "CN-31",
}
_USER: Final = {**_COMMON, "user_id": "u-1024"}


def _traffic(number: int, name: str, **fields: object) -> dict[str, Any]:
    return {
        "event_id": f"traffic-{number}",
        "event_name": name,
        **_USER,
        "session_id": "s-77",
        "utm_source": "douyin",
        "utm_medium": "cpc",
        "utm_campaign": "warmup",
        "device_category": "mobile",
        **fields,
    }


def _order(number: int, name: str, value: str, **fields: object) -> dict[str, Any]:
    return {
        "event_id": f"order-{number}",
        "event_name": name,
        **_USER,
        "order_id": "o-20261111-1",
        "value": value,
        "currency": "CNY",
        **fields,
    }


def _coupon(number: int, name: str, **fields: object) -> dict[str, Any]:
    return {
        "event_id": f"coupon-{number}",
        "event_name": name,
        **_USER,
        "coupon_id": "c-501",
        "batch_id": "b-9",
        **fields,
    }


_ITEM: Final = {"item_id": "sku-1", "item_category": "phones"}
_ITEMS: Final = [
    {**_ITEM, "quantity": 1, "price": "2999.00"},
    {"item_id": "sku-2", "item_category": "cases", "quantity": 2, "price": "49.50"},
]

EXAMPLES: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "traffic": {
        event["event_name"]: event
        for event in (
            _traffic(1, "page_view", page_location="https://shop.example/", engagement_time_msec=5200),
            _traffic(2, "view_item", **_ITEM, experiment="hero", variant="b"),
            _traffic(3, "add_to_cart", **_ITEM),
            _traffic(4, "begin_checkout", **_ITEM),
            _traffic(5, "view_promotion"),
            _traffic(6, "select_promotion"),
            _traffic(7, "live_room_enter"),
        )
    },
    "orders": {
        event["event_name"]: event
        for event in (
            _order(
                1, "order_created", "3078.00", items=_ITEMS, coupon_id="c-501", discount="20.00", utm_source="douyin"
            ),
            _order(2, "order_paid", "3078.00", items=_ITEMS, coupon_id="c-501", discount="20.00", new_customer=True),
            _order(3, "payment_failed", "3078.00", device_id="d-3", reason="insufficient_funds"),
            _order(4, "order_cancelled", "3078.00", reason="changed_mind"),
            _order(
                5, "order_refunded", "49.50", items=[{**_ITEMS[1], "quantity": 1}], store_id="store-8", reason="broken"
            ),
        )
    },
    "coupons": {
        event["event_name"]: event
        for event in (
            _coupon(1, "coupon_issued", face_value="20.00", currency="CNY"),
            _coupon(2, "coupon_claimed", device_id="d-3"),
            _coupon(3, "coupon_redeemed", face_value="20.00", currency="CNY", order_id="o-20261111-1"),
            _coupon(4, "coupon_expired"),
        )
    },
    "inventory": {
        "stock_level": {
            "event_id": "stock-1",
            "event_name": "stock_level",
            **_COMMON,
            "item_id": "sku-1",
            "item_category": "phones",
            "available": 420,
            "safety_stock": 50,
            "warehouse_id": "shanghai-1",
        }
    },
    "spend": {
        "ad_spend": {
            "event_id": "spend-1",
            "event_name": "ad_spend",
            **_COMMON,
            "cost": "1250.00",
            "currency": "CNY",
            "utm_source": "douyin",
            "impressions": 90_000,
            "clicks": 1_800,
        }
    },
}
"""By kind, then by event name."""
