"""Rules on names, ids and texts, one case at a time; both judges must know them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schemas.judges import accepted, refused
from tests.schemas.verdicts import (
    KINDS,
    NAMES,
)


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
