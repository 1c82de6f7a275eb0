"""Decoded events: what ingest builds its columns from.

One struct a kind, decoded straight from JSON by msgspec; `decoder` then fills what JSON cannot say (epoch
milliseconds, cents) on the same object. Absent text is `''`, or `'unknown'` where it is a dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from schemas.events.coupons import CouponName
from schemas.events.limits import MAX_INTEGER, MAX_QUANTITY
from schemas.events.orders import OrderName

if TYPE_CHECKING:
    # `null` exists only between msgspec and the decoder: the types tell of the finished event.
    Text: TypeAlias = str
    ChannelText: TypeAlias = str
    RegionText: TypeAlias = str
    CurrencyText: TypeAlias = str
    OptionalCount: TypeAlias = int
else:
    Text = str | None
    ChannelText = Annotated[str, Meta(min_length=1, max_length=32)] | None
    RegionText = Annotated[str, Meta(min_length=4, max_length=7)] | None
    CurrencyText = Annotated[str, Meta(min_length=3, max_length=3)] | None
    OptionalCount = Annotated[int, Meta(ge=0, le=MAX_INTEGER)] | None

EventId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
UserId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
RequiredId: TypeAlias = Annotated[str, Meta(min_length=1)]
# msgspec takes no float for an integer, not even 5.0: such an event goes the careful way.
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Quantity: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]

Sent: TypeAlias = Any
"""An amount as sent. Untyped, since this is how msgspec tells the text of a number with a point from a float."""

Line: TypeAlias = tuple[str, str, int, int]
"""`(item_id, item_category, quantity, amount_cents)` of one line of an order, in the reporting currency."""

CUSTOMER_TYPES: Final[Mapping[bool | None, str]] = {True: "new", False: "returning", None: "unknown"}
"""`customer_type` by what the event says of `new_customer`."""

# Fields called `sent_*` hold what stood in the JSON; the decoder turns them into others, and they are empty on an
# event that came the careful way. Fields with a leading space on the wire are no part of it: whatever JSON says
# there is overwritten.


class TrafficEvent(Struct, gc=False):
    """What a visitor did."""

    event_id: EventId
    event_name: str
    sent_time: str = field(name="event_time")
    campaign_id: str
    user_id: UserId
    channel: ChannelText = "unknown"
    region: RegionText = "unknown"
    session_id: Text = ""
    item_id: Text = "unknown"
    item_category: Text = "unknown"
    utm_source: Text = "unknown"
    device_category: Text = "unknown"
    page_location: Text = ""
    utm_medium: Text = ""
    utm_campaign: Text = ""
    engagement_time_msec: OptionalCount = 0
    experiment: Text = ""
    variant: Text = ""
    event_time_ms: int = field(default=0, name=" event_time_ms")


class OrderItem(Struct, gc=False):
    """One line of an order as sent."""

    item_id: str
    quantity: Quantity
    price: Sent
    item_category: Text = "unknown"


class OrderEvent(Struct, gc=False):
    """One step in the life of an order; cents are of the reporting currency unless named `original`."""

    event_id: EventId
    event_name: OrderName
    sent_time: str = field(name="event_time")
    campaign_id: str
    user_id: UserId
    order_id: RequiredId
    currency: str
    sent_value: Sent = field(name="value")
    channel: ChannelText = "unknown"
    region: RegionText = "unknown"
    coupon_id: Text = ""
    utm_source: Text = "unknown"
    store_id: Text = ""
    device_id: Text = ""
    reason: Text = ""
    sent_new_customer: bool | None = field(default=None, name="new_customer")
    sent_discount: Sent = field(default=None, name="discount")
    sent_items: list[OrderItem] | None = field(default=None, name="items")
    event_time_ms: int = field(default=0, name=" event_time_ms")
    value_cents: int = field(default=0, name=" value_cents")
    original_value_cents: int = field(default=0, name=" original_value_cents")
    discount_cents: int = field(default=0, name=" discount_cents")
    customer_type: str = field(default="unknown", name=" customer_type")
    items: list[Line] = field(default_factory=list, name=" items")


class CouponEvent(Struct, gc=False):
    """One step in the life of a coupon."""

    event_id: EventId
    event_name: CouponName | Literal["coupon_redeemed"]
    sent_time: str = field(name="event_time")
    campaign_id: str
    user_id: UserId
    coupon_id: RequiredId
    batch_id: RequiredId
    channel: ChannelText = "unknown"
    region: RegionText = "unknown"
    sent_face_value: Sent = field(default=None, name="face_value")
    currency: CurrencyText = ""
    order_id: Text = ""
    device_id: Text = ""
    event_time_ms: int = field(default=0, name=" event_time_ms")
    face_value_cents: int = field(default=0, name=" face_value_cents")


class InventoryEvent(Struct, gc=False):
    """A stock level; `safety_stock` is -1 where the event names none."""

    event_id: EventId
    event_name: Literal["stock_level"]
    sent_time: str = field(name="event_time")
    campaign_id: str
    item_id: RequiredId
    available: Count
    channel: ChannelText = "unknown"
    region: RegionText = "unknown"
    warehouse_id: Text = "default"
    safety_stock: OptionalCount = -1
    item_category: Text = "unknown"
    event_time_ms: int = field(default=0, name=" event_time_ms")

    user_id: ClassVar[str] = ""


class SpendEvent(Struct, gc=False):
    """Marketing cost in cents of the reporting currency."""

    event_id: EventId
    event_name: Literal["ad_spend"]
    sent_time: str = field(name="event_time")
    campaign_id: str
    sent_cost: Sent = field(name="cost")
    currency: str
    channel: ChannelText = "unknown"
    region: RegionText = "unknown"
    utm_source: Text = "unknown"
    impressions: OptionalCount = 0
    clicks: OptionalCount = 0
    event_time_ms: int = field(default=0, name=" event_time_ms")
    cost_cents: int = field(default=0, name=" cost_cents")

    user_id: ClassVar[str] = ""


Event: TypeAlias = TrafficEvent | OrderEvent | CouponEvent | InventoryEvent | SpendEvent
