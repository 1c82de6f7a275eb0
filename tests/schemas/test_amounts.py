"""Rules on amounts, lines, counts, currencies and sizes, one case at a time; both judges must know them."""

from __future__ import annotations

import pytest

from services.common.errors import RefusedEvent
from tests.schemas.judges import accepted, refusal_of, refused, verdict, with_token
from tests.schemas.verdicts import (
    KINDS,
    encode,
    example,
)

AMOUNTS = [
    ("0", 0),
    ("-0", 0),
    ("-0.0", 0),
    ("0e99999999999999999999", 0),
    ("12", 1200),
    ("12.5", 1250),
    ("12.50", 1250),
    ("12.500000000000000000000000000000000000000", 1250),
    ("0.01", 1),
    ("1e2", 10_000),
    ("1E+2", 10_000),
    ("125e-1", 1250),
    ("12500e-4", 125),
    ("9999999999999.99", 999_999_999_999_999),
    ("9007199254740.93", 900_719_925_474_093),
    ('"0"', 0),
    ('"007.5"', 750),
    ('"12.50"', 1250),
    ('"12.5"', 1250),
    ('"12"', 1200),
    ('"12.5000"', 1250),
    ('"9999999999999.99"', 999_999_999_999_999),
    (f'"{"0" * 5000}1.20"', 120),
    ('"\\u0031"', 100),
]
NO_AMOUNTS = [
    "-1",
    "-0.01",
    "1.234",
    "0.001",
    "1e-3",
    "1e13",
    "10000000000000",
    "9999999999999.999",
    "1e400",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "9" * 5000,
    '""',
    '"-1"',
    '"-0"',
    '"+1"',
    '".50"',
    '".5"',
    '"5."',
    '"1.234"',
    '"1e2"',
    '" 1"',
    '"1 "',
    '"1\\n"',
    '"1,000"',
    '"1_000"',
    '"NaN"',
    '"Infinity"',
    '"١"',
    '"10000000000000"',
    "true",
    "[1]",
    "{}",
]


@pytest.mark.parametrize(
    ("kind", "name", "field", "attribute"),
    [
        ("orders", None, "value", "original_value_cents"),
        ("orders", None, "value", "value_cents"),
        ("orders", None, "discount", "discount_cents"),
        ("coupons", None, "face_value", "face_value_cents"),
        ("coupons", "coupon_redeemed", "face_value", "face_value_cents"),
        ("spend", None, "cost", "cost_cents"),
    ],
)
def test_amounts(kind: str, name: str | None, field: str, attribute: str) -> None:
    for token, expected in AMOUNTS:
        result = verdict(kind, with_token(kind, name, field, token))
        assert not isinstance(result, RefusedEvent), (token, result)
        assert result[attribute] == expected, token
    for token in NO_AMOUNTS:
        result = verdict(kind, with_token(kind, name, field, token))
        assert isinstance(result, RefusedEvent), token
        assert (result.reason, result.detail.split(":")[0]) == ("schema_violation", field), token


@pytest.mark.parametrize(
    ("currency", "value", "cents"),
    [
        ("USD", "10.00", 7100),
        ("USD", "0.05", 36),  # 35.5 cents: half goes up
        ("JPY", "1.00", 5),  # 4.7
        ("JPY", "0.10", 0),  # 0.47
        ("KWD", "0.01", 23),
        ("KWD", "1000000.01", 2_345_678_923),
        ("BTC", "9999999.00", 699_999_930_000_000),
    ],
)
def test_amounts_are_converted_and_rounded_half_up(currency: str, value: str, cents: int) -> None:
    order = accepted("orders", currency=currency, value=value, discount=value)
    assert order["value_cents"] == order["discount_cents"] == cents
    assert order["original_value_cents"] == int(value.replace(".", ""))
    assert accepted("coupons", currency=currency, face_value=value)["face_value_cents"] == cents
    assert accepted("spend", currency=currency, cost=value)["cost_cents"] == cents


def test_an_amount_must_fit_after_conversion_too() -> None:
    # Otherwise one record could overflow a column and stop ingest for good.
    assert refused("orders", currency="BTC", value="99999999.00") == ("schema_violation", "value")
    assert refused("spend", currency="BTC", cost="99999999.00") == ("schema_violation", "cost")
    line = [{"item_id": "a", "quantity": 100, "price": "999999.00"}]
    assert refused("orders", currency="BTC", value=1, items=line) == ("schema_violation", "items[0].price")


def test_lines_are_converted_once_and_rounded_once() -> None:
    items = [
        {"item_id": "a", "item_category": "x", "quantity": 3, "price": "0.05"},  # 106.5 cents; rounded per piece: 108
        {"item_id": "", "item_category": "", "quantity": 1, "price": 2},
        {"item_id": "c", "item_category": None, "quantity": 2.0, "price": "1.5", "colour": "red"},
    ]
    assert accepted("orders", currency="USD", items=items)["items"] == [
        ("a", "x", 3, 107),
        ("unknown", "unknown", 1, 1420),
        ("c", "unknown", 2, 2130),
    ]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": 1, "price": 1}, "items[1].item_id"),
        ({"item_id": None, "quantity": 1, "price": 1}, "items[1].item_id"),
        ({"item_id": 5, "quantity": 1, "price": 1}, "items[1].item_id"),
        ({"item_id": "a", "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": 0, "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": -1, "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": 1.5, "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": "1", "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": True, "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": 1_000_001, "price": 1}, "items[1].quantity"),
        ({"item_id": "a", "quantity": 1}, "items[1].price"),
        ({"item_id": "a", "quantity": 1, "price": None}, "items[1].price"),
        ({"item_id": "a", "quantity": 1, "price": -1}, "items[1].price"),
        ({"item_id": "a", "quantity": 1_000_000, "price": 10_000_000}, "items[1].price"),
        ({"item_id": "a", "item_category": 5, "quantity": 1, "price": 1}, "items[1].item_category"),
        ([], "items[1]"),
        ("a", "items[1]"),
        (None, "items[1]"),
    ],
)
def test_lines_of_another_form_are_refused(line: object, field: str) -> None:
    good = {"item_id": "a", "quantity": 1, "price": 1}
    assert refused("orders", items=[good, line, good]) == ("schema_violation", field)


def test_the_limits_of_a_line() -> None:
    line = {"item_id": "a", "quantity": 1_000_000, "price": "9999999.99"}
    assert accepted("orders", items=[line])["items"] == [("a", "unknown", 1_000_000, 999_999_999_000_000)]
    assert accepted("orders", items=[])["items"] == []
    others: list[object] = [{}, "a", 5, False]
    for junk in others:
        assert refused("orders", items=junk) == ("schema_violation", "items")


def test_new_customer_is_a_boolean() -> None:
    assert accepted("orders", new_customer=True)["customer_type"] == "new"
    assert accepted("orders", new_customer=False)["customer_type"] == "returning"
    others: list[object] = [0, 1, "true", "new", []]
    for junk in others:
        assert refused("orders", new_customer=junk) == ("schema_violation", "new_customer")


COUNTS = [
    ("0", 0),
    ("-0", 0),
    ("-0.0", 0),
    ("5", 5),
    ("5.0", 5),
    ("1e2", 100),
    ("50e-1", 5),
    ("9007199254740992", 2**53),
    ("9007199254740992.0", 2**53),
    ("0e99999999999999999999", 0),
]
NO_COUNTS = [
    "-1",
    "-0.5",
    "1.5",
    "5.00000000000000000000000000000001",
    "4503599627370497.5",
    "9007199254740991.5",
    "9007199254740993",
    "9007199254740993.0",
    "1e400",
    "1e99999999999999999999",
    "1e-99999999999999999999",
    "9" * 5000,
    "true",
    "false",
    '"5"',
    '""',
    "[]",
    "{}",
]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("traffic", "engagement_time_msec"),
        ("inventory", "available"),
        ("inventory", "safety_stock"),
        ("spend", "impressions"),
        ("spend", "clicks"),
    ],
)
def test_counts(kind: str, field: str) -> None:
    for token, expected in COUNTS:
        result = verdict(kind, with_token(kind, None, field, token))
        assert not isinstance(result, RefusedEvent), (token, result)
        assert (result[field], type(result[field])) == (expected, int), token
    for token in NO_COUNTS:
        result = verdict(kind, with_token(kind, None, field, token))
        assert isinstance(result, RefusedEvent), token
        assert (result.reason, result.detail.split(":")[0]) == ("schema_violation", field), token


@pytest.mark.parametrize(
    ("kind", "name"), [("orders", None), ("coupons", None), ("coupons", "coupon_redeemed"), ("spend", None)]
)
def test_currencies(kind: str, name: str | None) -> None:
    for code in ("EUR", "XXX"):
        assert refused(kind, name, currency=code) == ("unsupported_currency", "currency")
    for junk in ("", "CN", "cny", "CNYY", "CNY\n", " CNY", 156, ["CNY"]):
        assert refused(kind, name, currency=junk) == ("schema_violation", "currency"), junk


def test_a_currency_is_an_unknown_field_where_nothing_is_paid() -> None:
    # GA4 sends `currency` and `value` with add_to_cart.
    accepted("traffic", "add_to_cart", currency="nonsense", value=-1)
    accepted("inventory", currency=5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_checks(kind: str) -> None:
    event = example(kind, currency="EUR", campaign_id="not valid", event_time="2999-01-01T00:00:00Z", event_name="No!")
    huge = {**event, "padding": "x" * 300_000}
    assert refusal_of(kind, encode(huge)[:-1]) == "too_large"
    assert refusal_of(kind, encode(event)[:-1]) == "invalid_json"
    assert refusal_of(kind, encode(event | {"event_name": 5})) == "schema_violation"
    assert refusal_of(kind, encode(event)) == "unknown_event_name"
    event["event_name"] = example(kind)["event_name"]
    assert refusal_of(kind, encode(event)) == "schema_violation"
    event["campaign_id"] = "valid"
    paid = kind in ("orders", "coupons", "spend")
    assert refusal_of(kind, encode(event)) == ("unsupported_currency" if paid else "event_time_out_of_range")
    event["currency"] = "CNY"
    assert refusal_of(kind, encode(event)) == "event_time_out_of_range"


def test_size() -> None:
    bare = len(encode(example("traffic", padding="")))
    accepted("traffic", padding="x" * (262_144 - bare))
    value = encode(example("traffic", padding="x" * (262_145 - bare)))
    assert len(value) == 262_145
    assert refusal_of("traffic", value) == "too_large"
    assert refusal_of("traffic", b"\xff" * 262_145) == "too_large"
