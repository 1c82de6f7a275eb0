"""The life of an order."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from schemas.events.base import Currency, RequiredId, UserEvent
from schemas.events.limits import AMOUNT_LIMIT
from schemas.events.numbers import Amount, Quantity, refuse

OrderName = Literal["order_created", "order_paid", "payment_failed", "order_cancelled", "order_refunded"]


def _line_within_limit(price: Decimal, info: ValidationInfo) -> Decimal:
    quantity = info.data.get("quantity")
    if quantity is not None and quantity * price >= AMOUNT_LIMIT:
        raise refuse(f"quantity times price must be below {AMOUNT_LIMIT}")
    return price


class OrderItem(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    item_id: str
    item_category: str | None = None
    quantity: Quantity
    # After `quantity`, which the limit on the line's amount reads.
    price: Annotated[Amount, AfterValidator(_line_within_limit)] = Field(description="Price of one piece.")


class OrderEvent(UserEvent):
    """One step in the life of an order. Record key: `order_id`."""

    event_name: OrderName
    order_id: RequiredId
    value: Amount = Field(description="The order's amount; for order_refunded the amount of this refund.")
    currency: Currency = Field(description="ISO 4217, of every amount in the event.", examples=["CNY"])
    items: list[OrderItem] | None = None
    coupon_id: str | None = None
    discount: Amount | None = None
    new_customer: bool | None = Field(None, description="Whether this is the customer's first order.")
    utm_source: str | None = None
    store_id: str | None = None
    device_id: str | None = None
    reason: str | None = None

    @property
    def currency_code(self) -> str | None:
        return self.currency

    def amounts(self) -> Iterator[tuple[str, Decimal]]:
        yield "value", self.value
        if self.discount is not None:
            yield "discount", self.discount
        for index, item in enumerate(self.items or ()):
            yield f"items[{index}].price", item.quantity * item.price
