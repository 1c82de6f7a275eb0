"""Records that the contract refuses, each for exactly one reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from tests.conformance.records import KEY_FIELD, MAX_BYTES, Record, record

_ABSENT: Final = object()

_ANY_EVENT: Final[tuple[tuple[str, Any], ...]] = (
    ("event_id", _ABSENT),
    ("event_id", None),
    ("event_id", ""),
    ("event_id", 17),
    ("event_id", "i" * 65),
    ("event_name", _ABSENT),
    ("event_name", None),
    ("event_name", 5),
    ("event_time", _ABSENT),
    ("event_time", 1762790400),
    ("event_time", "2025-11-11T10:00:00"),
    ("event_time", "2025-11-11"),
    ("event_time", "2025-02-30T10:00:00Z"),
    ("event_time", "2025-11-11T24:30:00Z"),
    ("event_time", "2025-11-11T10:00:00+0800"),
    ("event_time", "yesterday"),
    ("campaign_id", _ABSENT),
    ("campaign_id", ""),
    ("campaign_id", "a b"),
    ("campaign_id", "a/b"),
    ("campaign_id", "双十一"),
    ("campaign_id", "festival\n"),
    ("campaign_id", "c" * 65),
    ("campaign_id", 11),
    ("channel", ""),
    ("channel", "c" * 33),
    ("channel", 7),
    ("channel", ["app"]),
    ("region", "Shanghai"),
    ("region", "CN-31\n"),
    ("region", 31),
)
"""Field and value, for any kind of event."""

_USER: Final[tuple[tuple[str, Any], ...]] = (
    ("user_id", _ABSENT),
    ("user_id", None),
    ("user_id", ""),
    ("user_id", 12),
    ("user_id", "u" * 129),
)

_AMOUNTS: Final[tuple[Any, ...]] = (
    -1, -0.01, "-5", "1.234", 1.234, "abc", "", True, "NaN", "Infinity", "1,50", [], {}, None, _ABSENT,
)  # fmt: skip

_ITEM: Final = {"item_id": "sku-1", "quantity": 1, "price": "5.00"}

_BY_KIND: Final[dict[str, tuple[tuple[str, Any], ...]]] = {
    "traffic": (
        *_USER,
        ("engagement_time_msec", -1),
        ("engagement_time_msec", 1.5),
        ("engagement_time_msec", "12"),
        ("item_id", 9),
        ("session_id", {}),
    ),
    "orders": (
        *_USER,
        ("order_id", _ABSENT),
        ("order_id", 4),
        *(("value", amount) for amount in _AMOUNTS),
        ("currency", _ABSENT),
        ("currency", 156),
        ("items", {}),
        ("items", "sku-1"),
        ("items", [5]),
        ("items", [_ITEM, {**_ITEM, "quantity": 0}]),
        ("items", [{**_ITEM, "quantity": "2"}]),
        ("items", [{**_ITEM, "quantity": None}]),
        ("items", [{**_ITEM, "price": -2}]),
        ("items", [{**_ITEM, "price": "2.345"}]),
        ("items", [{"quantity": 1, "price": 1}]),
        ("items", [{"item_id": "sku-1", "price": 1}]),
        ("items", [{"item_id": "sku-1", "quantity": 1}]),
        ("new_customer", "yes"),
        ("new_customer", 1),
        ("discount", "-1"),
        ("discount", "1.005"),
    ),
    "coupons": (
        *_USER,
        ("coupon_id", _ABSENT),
        ("batch_id", _ABSENT),
        ("batch_id", None),
        ("currency", _ABSENT),
        *(("face_value", amount) for amount in _AMOUNTS),
    ),
    "inventory": (
        ("item_id", _ABSENT),
        ("available", _ABSENT),
        ("available", None),
        ("available", -1),
        ("available", "10"),
        ("available", 2.5),
        ("available", True),
    ),
    "spend": (
        *(("cost", amount) for amount in _AMOUNTS),
        ("currency", _ABSENT),
        ("impressions", "many"),
    ),
}

_NO_SUCH_NAME: Final = {
    "traffic": ("PageView", "page-view", "page view", "page_view ", "page_view\n", "浏览", "v" * 65),
    "orders": ("order_shipped", "page_view", "ORDER_PAID", "order_paid\n"),
    "coupons": ("coupon_burned", "order_paid"),
    "inventory": ("stock_moved", "stock_levels"),
    "spend": ("ad_click", "spend"),
}

_NO_JSON: Final[tuple[bytes | None, ...]] = (
    None,
    b"",
    b" ",
    b"{",
    b"not json",
    b'{"event_id": "x",}',
    b"{'event_id': 'x'}",
    b'{"event_id": "x"} trailing',
    b'{"event_id": "\xff\xfe"}',
    b"\x00\x01\x02\xc3\x28",
    b"[]",
    b'[{"event_id": "x"}]',
    b'"text"',
    b"42",
    b"null",
    b"true",
    b"[" * 100_000,
    b"[" * 5_000 + b"]" * 5_000,
)

_FAR_TIMES: Final = (
    "1999-12-31T23:59:59.999Z",
    "2000-01-01T07:59:59+08:00",
    "0001-01-01T00:00:00+08:00",
    "9999-12-31T23:59:59-05:30",
    "9999-12-31T23:59:59.9999999Z",
)


def good_event(rng: Random, kind: str, campaign: str) -> dict[str, Any]:
    """An event with every required field; its id is new."""
    event: dict[str, Any] = {
        "event_id": f"bad-{rng.getrandbits(60):x}",
        "event_time": "2025-11-11T09:30:00+08:00",
        "campaign_id": campaign,
        "channel": "app",
    }
    if kind in ("traffic", "orders", "coupons"):
        event["user_id"] = f"user-{rng.randrange(50)}"
    match kind:
        case "traffic":
            event |= {"event_name": "page_view"}
        case "orders":
            event |= {"event_name": "order_paid", "order_id": "o-bad", "value": "9.90", "currency": "CNY"}
        case "coupons":
            event |= {"event_name": "coupon_redeemed", "coupon_id": "c-bad", "batch_id": "b"}
            event |= {"face_value": "5", "currency": "CNY"}
        case "inventory":
            event |= {"event_name": "stock_level", "item_id": "sku-1", "available": 3}
        case _:
            event |= {"event_name": "ad_spend", "cost": 10, "currency": "CNY"}
    return event


def refusals(rng: Random, campaign: str, now: datetime) -> Iterator[Record]:
    """Every way to be refused, once for each kind of event to which it applies."""
    for kind in KEY_FIELD:
        yield from _violations(rng, kind, campaign)
        for name in _NO_SUCH_NAME[kind]:
            yield record(kind, {**good_event(rng, kind, campaign), "event_name": name}, "unknown_event_name")
        ahead = (now + timedelta(minutes=12)).astimezone(UTC).isoformat()
        for time in (*_FAR_TIMES, ahead):
            yield record(kind, {**good_event(rng, kind, campaign), "event_time": time}, "event_time_out_of_range")
        for number, value in enumerate(_NO_JSON):
            yield Record(kind, (b"k\xc3\xa9y", None, b"\xff\xfe raw")[number % 3], value, "invalid_json")
        broken = json.dumps(good_event(rng, kind, campaign)).encode().replace(b'"app"', b'"a\xffp"')
        yield Record(kind, b"some key", broken, "invalid_json")
        yield sized(record(kind, good_event(rng, kind, campaign), "too_large"), MAX_BYTES + 1)
        yield Record(kind, b"big", b"x" * (MAX_BYTES + 1), "too_large")
    for kind in ("orders", "coupons", "spend"):
        for currency in ("EUR", "JPY"):
            yield record(kind, {**good_event(rng, kind, campaign), "currency": currency}, "unsupported_currency")


def _violations(rng: Random, kind: str, campaign: str) -> Iterator[Record]:
    for name, value in (*_ANY_EVENT, *_BY_KIND[kind]):
        event = good_event(rng, kind, campaign)
        key = str(event[KEY_FIELD[kind]])
        event.pop(name, None)
        if value is not _ABSENT:
            event[name] = value
        yield record(kind, event, "schema_violation", key=key)


def sized(small: Record, size: int) -> Record:
    """The same event in exactly so many bytes, by a field that nobody knows."""
    assert small.value is not None
    head = small.value[:-1] + b', "padding": "'
    return Record(small.kind, small.key, head + b"p" * (size - len(head) - 2) + b'"}', small.reason)
