"""Every rule of the contract on events, one case at a time; both judges must know it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.common.decode import Decoder
from services.common.errors import RefusedEvent
from tests.schemas.verdicts import (
    CURRENCIES,
    KINDS,
    NAMES,
    NOW_MS,
    Visible,
    by_decoder,
    by_reference,
    encode,
    example,
    fast_alone,
    visible,
)

DECODERS = {kind: Decoder(kind, CURRENCIES) for kind in KINDS}


def verdict(kind: str, value: bytes | None, now_ms: int = NOW_MS) -> Visible | RefusedEvent:
    """The verdict that both give; fails when they differ."""
    expected = by_reference(kind, value, now_ms)
    got = by_decoder(DECODERS[kind], value, now_ms)
    if isinstance(expected, RefusedEvent):
        assert isinstance(got, RefusedEvent)
        assert (got.reason, got.detail) == (expected.reason, expected.detail)
        alone = fast_alone(kind)(value, now_ms)
        assert alone is None, "the fast way accepts what is refused"
    else:
        assert got == expected
        alone = fast_alone(kind)(value, now_ms)
        assert alone is None or visible(alone) == expected
    return expected


def accepted(kind: str, name: str | None = None, /, **changes: object) -> Visible:
    result = verdict(kind, encode(example(kind, name, **changes)))
    assert not isinstance(result, RefusedEvent), result
    return result


def refused(kind: str, name: str | None = None, /, **changes: object) -> tuple[str, str]:
    """Reason and the field at fault."""
    result = verdict(kind, encode(example(kind, name, **changes)))
    assert isinstance(result, RefusedEvent), result
    return result.reason, result.detail.split(":")[0]


def with_token(kind: str, name: str | None, field: str, token: str) -> bytes:
    """An example with one field's JSON written as given."""
    event = example(kind, name, **{field: ...})
    return encode(event)[:-1] + f",{json.dumps(field)}:{token}}}".encode()


def refusal_of(kind: str, value: bytes | None) -> str:
    result = verdict(kind, value)
    assert isinstance(result, RefusedEvent), result
    return result.reason


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_examples_are_accepted(kind: str, name: str) -> None:
    assert accepted(kind, name)["event_name"] == name


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        *[(kind, None, field) for kind in KINDS for field in ("event_id", "event_name", "event_time", "campaign_id")],
        *[(kind, None, "user_id") for kind in ("traffic", "orders", "coupons")],
        *[("orders", None, field) for field in ("order_id", "value", "currency")],
        *[("coupons", None, field) for field in ("coupon_id", "batch_id")],
        *[("coupons", "coupon_redeemed", field) for field in ("face_value", "currency")],
        *[("inventory", None, field) for field in ("item_id", "available")],
        *[("spend", None, field) for field in ("cost", "currency")],
    ],
)
def test_required_fields_may_be_neither_absent_nor_null(kind: str, name: str | None, field: str) -> None:
    assert refused(kind, name, **{field: ...}) == ("schema_violation", field)
    assert refused(kind, name, **{field: None}) == ("schema_violation", field)


OPTIONAL: dict[str, dict[str, tuple[str, Any]]] = {
    "traffic": {
        **{name: (name, "unknown") for name in ("channel", "region", "item_id", "item_category", "utm_source")},
        "device_category": ("device_category", "unknown"),
        **{name: (name, "") for name in ("session_id", "page_location", "utm_medium", "utm_campaign")},
        **{name: (name, "") for name in ("experiment", "variant")},
        "engagement_time_msec": ("engagement_time_msec", 0),
    },
    "orders": {
        **{name: (name, "unknown") for name in ("channel", "region", "utm_source")},
        **{name: (name, "") for name in ("coupon_id", "store_id", "device_id", "reason")},
        "discount": ("discount_cents", 0),
        "new_customer": ("customer_type", "unknown"),
        "items": ("items", []),
    },
    "coupons": {
        **{name: (name, "unknown") for name in ("channel", "region")},
        **{name: (name, "") for name in ("order_id", "device_id", "currency")},
        "face_value": ("face_value_cents", 0),
    },
    "inventory": {
        **{name: (name, "unknown") for name in ("channel", "region", "item_category")},
        "warehouse_id": ("warehouse_id", "default"),
        "safety_stock": ("safety_stock", -1),
    },
    "spend": {
        **{name: (name, "unknown") for name in ("channel", "region", "utm_source")},
        **{name: (name, 0) for name in ("impressions", "clicks")},
    },
}


@pytest.mark.parametrize(
    ("kind", "field", "attribute", "default"),
    [(kind, field, *rest) for kind, fields in OPTIONAL.items() for field, rest in fields.items()],
)
def test_optional_fields_absent_or_null_take_their_default(
    kind: str, field: str, attribute: str, default: object
) -> None:
    assert accepted(kind, **{field: ...})[attribute] == default
    assert accepted(kind, **{field: None})[attribute] == default


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *[("traffic", field) for field in ("item_id", "item_category", "utm_source", "device_category")],
        ("orders", "utm_source"),
        ("inventory", "item_category"),
        ("spend", "utm_source"),
    ],
)
def test_an_empty_dimension_is_unknown(kind: str, field: str) -> None:
    assert accepted(kind, **{field: ""})[field] == "unknown"


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("event_id", ["x", "x" * 64, "双" * 64, "🛒" * 64, " ", "a\nb"], ["", "x" * 65, "🛒" * 65, 1, True, ["x"]]),
        ("user_id", ["x", "🛒" * 128], ["", "x" * 129, 7, {}]),
        ("campaign_id", ["a", "A-z_0.9" + "x" * 57], ["", "x" * 65, "a b", "双11", "a\n", "a/b", 11, "١"]),
        ("channel", ["a", "播" * 32], ["", "x" * 33, 1]),
        (
            "region",
            ["CN-31", "US-CA", "GB-ENG", "AE-A", "unknown"],
            ["", "CN", "CN-", "cn-31", "CN-ABCD", "CN-31\n", "Unknown", "CHN-31", "CN_31", 31, "CN-３1"],
        ),
    ],
)
def test_forms_of_common_fields(field: str, good: list[object], bad: list[object]) -> None:
    for text in good:
        assert accepted("traffic", **{field: text})[field] == text
    for junk in bad:
        assert refused("traffic", **{field: junk}) == ("schema_violation", field), junk


@pytest.mark.parametrize(
    ("kind", "field"),
    [("orders", "order_id"), ("coupons", "coupon_id"), ("coupons", "batch_id"), ("inventory", "item_id")],
)
def test_ids_have_at_least_one_character(kind: str, field: str) -> None:
    assert refused(kind, **{field: ""}) == ("schema_violation", field)
    assert accepted(kind, **{field: "x" * 10_000})[field] == "x" * 10_000


def test_user_id_is_ignored_where_nobody_acts() -> None:
    for kind in ("inventory", "spend"):
        accepted(kind, user_id=5)


def test_traffic_takes_any_snake_case_name() -> None:
    for name in ("a", "scroll", "video_50_percent", "x" * 64, "a__"):
        assert accepted("traffic", event_name=name)["event_name"] == name
    for name in ("", "Page_view", "page view", "x" * 65, "_a", "9a", "page-view", "a\n", "é"):
        assert refused("traffic", event_name=name) == ("unknown_event_name", "event_name"), name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "traffic"])
def test_other_kinds_take_their_own_names_only(kind: str) -> None:
    for name in ("page_view", "", "order_Paid", "order_paid "):
        assert refused(kind, event_name=name) == ("unknown_event_name", "event_name")


@pytest.mark.parametrize("kind", KINDS)
def test_event_name_must_be_a_string(kind: str) -> None:
    for junk in (5, True, ["page_view"], {"a": 1}):
        assert refused(kind, event_name=junk) == ("schema_violation", "event_name")


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("2026-11-11T12:00:00Z", 1_794_398_400_000),
        ("2026-11-11t12:00:00z", 1_794_398_400_000),
        ("2026-11-11T20:00:00+08:00", 1_794_398_400_000),
        ("2026-11-11T06:30:00-05:30", 1_794_398_400_000),
        ("2026-11-11T12:00:00-00:00", 1_794_398_400_000),
        ("2026-11-11T12:00:00.1Z", 1_794_398_400_100),
        ("2026-11-11T12:00:00.12Z", 1_794_398_400_120),
        ("2026-11-11T12:00:00.9999Z", 1_794_398_400_999),
        ("2026-11-11T12:00:00.123456+00:00", 1_794_398_400_123),
        ("2026-11-11T12:00:00." + "9" * 500 + "Z", 1_794_398_400_999),
        ("2026-11-11T11:59:60Z", 1_794_398_400_000),
        ("2026-11-11T11:59:60.5Z", 1_794_398_400_500),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
        ("2000-01-01T08:00:00.000+08:00", 946_684_800_000),
        ("1999-12-31T23:59:60Z", 946_684_800_000),
        ("1999-12-31T01:00:00-23:59", 946_688_340_000),
        ("2026-11-11T12:36:40Z", NOW_MS + 600_000),
        ("2026-11-11T12:36:40.000999Z", NOW_MS + 600_000),
    ],
)
def test_event_times(text: str, expected_ms: int) -> None:
    # Twice, for the second comes out of the decoder's memory.
    for _ in range(2):
        assert accepted("traffic", event_time=text)["event_time_ms"] == expected_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-11",
        "2026-11-11T12:00:00",
        "2026-11-11 12:00:00Z",
        "2026-11-11T12:00Z",
        "2026-11-11T12:00:00+0800",
        "2026-11-11T12:00:00+08",
        "2026-11-11T12:00:00+8:00",
        "2026-11-11T12:00:00,5Z",
        "2026-11-11T12:00:00.Z",
        "2026-11-11T12:00:00.123",
        "2026-11-11T12:00:00.123456",
        "2026-11-11T12:00:00Z\n",
        " 2026-11-11T12:00:00Z",
        "2026-11-11T12:00:00.5 Z",
        "2026-11-11T12:00:00.-5Z",
        "2026-11-11T12:00:00.123ZZ",
        "2026-11-11T12:00:00.1234ZZ",
        "2026-11-11T24:00:00Z",
        "2026-11-11T12:60:00Z",
        "2026-11-11T12:00:61Z",
        "2026-11-11T12:00:00+24:00",
        "2026-11-11T12:00:00+08:60",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "1900-02-29T00:00:00Z",
        "26-11-11T12:00:00Z",
        "+2026-11-11T12:00:00Z",
        "2026-11-11T12:00:00Z[Asia/Shanghai]",
        "2026-W46-3T12:00:00Z",
        "٢٠٢٦-11-11T12:00:00Z",
        "2026-11-11T12:00:00.٥Z",
        "2026-11-11T12:00:00−08:00",
        "1794398400000",
    ],
)
def test_event_times_of_another_form_are_refused(text: str) -> None:
    for _ in range(2):
        assert refused("traffic", event_time=text) == ("schema_violation", "event_time")


def test_event_time_is_a_string() -> None:
    for junk in (1_794_398_400, 1.5, True, ["2026-11-11T12:00:00Z"]):
        assert refused("traffic", event_time=junk) == ("schema_violation", "event_time")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-11T12:36:40.001Z",
        "2026-11-11T20:36:41+08:00",
        "1999-12-31T23:59:59.999Z",
        "2000-01-01T07:59:59+08:00",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "0000-02-29T00:00:00+23:59",
        "9999-12-31T23:59:60-23:59",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_event_times_out_of_range(kind: str, text: str) -> None:
    assert refused(kind, event_time=text) == ("event_time_out_of_range", "event_time")


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


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *[("traffic", name) for name in OPTIONAL["traffic"] if name != "engagement_time_msec"],
        *[("orders", name) for name in ("coupon_id", "utm_source", "store_id", "device_id", "reason")],
        *[("coupons", name) for name in ("order_id", "device_id")],
        *[("inventory", name) for name in ("warehouse_id", "item_category")],
        ("spend", "utm_source"),
    ],
)
def test_texts_are_strings(kind: str, field: str) -> None:
    others: list[object] = [0, 1.5, False, [], {}]
    for junk in others:
        assert refused(kind, **{field: junk}) == ("schema_violation", field)


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
