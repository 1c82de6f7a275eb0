"""The life of a coupon."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import Field

from schemas.events.base import Currency, RequiredId, UserEvent
from schemas.events.numbers import Amount

CouponName = Literal["coupon_issued", "coupon_claimed", "coupon_expired"]


class CouponEvent(UserEvent):
    """One step in the life of a coupon before or without its use. Record key: `coupon_id`."""

    event_name: CouponName
    coupon_id: RequiredId
    batch_id: RequiredId
    face_value: Amount | None = Field(None, description="What the coupon is worth.")
    currency: Currency | None = Field(None, description="ISO 4217; absent means the reporting currency.")
    order_id: str | None = None
    device_id: str | None = None

    @property
    def currency_code(self) -> str | None:
        return self.currency

    def amounts(self) -> Iterator[tuple[str, Decimal]]:
        if self.face_value is not None:
            yield "face_value", self.face_value


class CouponRedeemed(UserEvent):
    """A coupon was used: what it costs must be known. Record key: `coupon_id`."""

    event_name: Literal["coupon_redeemed"]
    coupon_id: RequiredId
    batch_id: RequiredId
    face_value: Amount = Field(description="What the coupon is worth.")
    currency: Currency = Field(description="ISO 4217.")
    order_id: str | None = None
    device_id: str | None = None

    @property
    def currency_code(self) -> str | None:
        return self.currency

    def amounts(self) -> Iterator[tuple[str, Decimal]]:
        yield "face_value", self.face_value
