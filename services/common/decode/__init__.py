"""The hot path's decoder: the bytes of a record in, an event ready for column building out."""

from services.common.decode.decoder import Decoder
from services.common.decode.events import (
    CouponEvent,
    Event,
    InventoryEvent,
    OrderEvent,
    SpendEvent,
    TrafficEvent,
)

__all__ = ["CouponEvent", "Decoder", "Event", "InventoryEvent", "OrderEvent", "SpendEvent", "TrafficEvent"]
