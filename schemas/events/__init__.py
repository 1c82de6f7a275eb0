"""The events of the contract as models, and the reference verdict on a record."""

from schemas.events.base import Event, UserEvent
from schemas.events.coupons import CouponEvent, CouponRedeemed
from schemas.events.inventory import StockLevel
from schemas.events.judge import judge
from schemas.events.orders import OrderEvent, OrderItem
from schemas.events.spend import AdSpend
from schemas.events.traffic import TrafficEvent

__all__ = [
    "AdSpend",
    "CouponEvent",
    "CouponRedeemed",
    "Event",
    "OrderEvent",
    "OrderItem",
    "StockLevel",
    "TrafficEvent",
    "UserEvent",
    "judge",
]
