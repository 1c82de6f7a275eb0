"""The contract's verdict on one record: the reference that any faster decoder is held to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from schemas.events.base import Event
from schemas.events.coupons import CouponEvent, CouponRedeemed
from schemas.events.inventory import StockLevel
from schemas.events.limits import AMOUNT_LIMIT, EARLIEST_MS, MAX_AHEAD_MS
from schemas.events.numbers import to_cents
from schemas.events.orders import OrderEvent
from schemas.events.parse import parse_object
from schemas.events.spend import AdSpend
from schemas.events.traffic import NAME_PATTERN, TrafficEvent
from services.common.errors import RefusedEvent

MODELS: Final[Mapping[str, Mapping[str, type[Event]]]] = {
    "traffic": {},
    "orders": dict.fromkeys(
        ("order_created", "order_paid", "payment_failed", "order_cancelled", "order_refunded"), OrderEvent
    ),
    "coupons": {
        "coupon_issued": CouponEvent,
        "coupon_claimed": CouponEvent,
        "coupon_redeemed": CouponRedeemed,
        "coupon_expired": CouponEvent,
    },
    "inventory": {"stock_level": StockLevel},
    "spend": {"ad_spend": AdSpend},
}
"""The model of each event name, by kind; a kind without names takes any snake_case one."""

_ANY_NAME: Final = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))


def judge(kind: str, value: bytes | None, *, now_ms: int, currencies: Mapping[str, Decimal]) -> Event:
    """The event in a record's bytes.

    `now_ms` is epoch milliseconds; `currencies` maps each accepted currency to its rate into the reporting currency,
    which itself has rate 1. Raises `RefusedEvent` with the contract's reason; the detail names the field first.
    """
    document = parse_object(value)
    model = _model(kind, document.get("event_name"))
    try:
        event = model.model_validate(document)
    except ValidationError as error:
        raise RefusedEvent("schema_violation", _detail(error)) from None
    _check_money(event, currencies)
    if not EARLIEST_MS <= event.event_time <= now_ms + MAX_AHEAD_MS:
        raise ahead_of_time()
    return event


def without_rate(currency: str) -> RefusedEvent:
    """The refusal of an event in a currency that has no rate."""
    return RefusedEvent("unsupported_currency", f"currency: no rate is configured for {currency}")


def ahead_of_time() -> RefusedEvent:
    """The refusal of an event of too long ago or too far ahead."""
    return RefusedEvent("event_time_out_of_range", "event_time: must be after 1999 and at most 10 minutes ahead of now")


def _model(kind: str, name: object) -> type[Event]:
    if not isinstance(name, str):
        raise RefusedEvent("schema_violation", "event_name: must be a string")
    models = MODELS[kind]
    if models:
        if name in models:
            return models[name]
    elif _ANY_NAME.fullmatch(name):
        return TrafficEvent
    raise RefusedEvent("unknown_event_name", f"event_name: no such event in {kind}")


def _detail(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ""
    for part in first["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    message = first["msg"]
    return f"{path}: {message[0].lower()}{message[1:]}"


def _check_money(event: Event, currencies: Mapping[str, Decimal]) -> None:
    currency = event.currency_code
    if currency is None:
        return
    rate = currencies.get(currency)
    if rate is None:
        raise without_rate(currency)
    for path, amount in event.amounts():
        if to_cents(amount, rate) >= AMOUNT_LIMIT * 100:
            raise RefusedEvent("schema_violation", f"{path}: must be below {AMOUNT_LIMIT} in the reporting currency")
