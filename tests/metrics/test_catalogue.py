"""The catalogue: a formula or a dimension that differs from the contract is a wrong number everywhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.metrics import DIMENSIONS, MEASURES, METRICS, Shape, Value, compute

SAMPLE: dict[str, Value] = {
    "pv": 1000,
    "uv": 400,
    "sessions": 500,
    "orders_created": 80,
    "orders_paid": 60,
    "orders_cancelled": 5,
    "orders_refunded": 6,
    "payments_failed": 4,
    "gmv": Decimal("8000.00"),
    "paid_gmv": Decimal("6000.30"),
    "refund_amount": Decimal("600.10"),
    "buyers": 50,
    "new_buyers": 20,
    "paid_units": 90,
    "coupons_issued": 300,
    "coupons_claimed": 100,
    "coupons_redeemed": 25,
    "coupon_cost": Decimal("250.00"),
    "ad_cost": Decimal("750.00"),
    "impressions": 100_000,
    "clicks": 1500,
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("net_sales", Decimal("5400.20")),
        ("aov", 6000.30 / 60),
        ("conversion_rate", 50 / 400),
        ("payment_rate", 60 / 80),
        ("refund_rate", 6 / 60),
        ("refund_amount_rate", 600.10 / 6000.30),
        ("coupon_redemption_rate", 0.25),
        ("cost", Decimal("1000.00")),
        ("roas", 6000.30 / 750),
        ("roi", (5400.20 * 0.5 - 1000) / 1000),
        ("cac", 1000 / 20),
        ("cpa", 750 / 60),
        ("cpc", 750 / 1500),
        ("ctr", 1500 / 100_000),
    ],
)
def test_formulas(name: str, expected: Value) -> None:
    value = compute(name, SAMPLE, Decimal("0.5"))
    if isinstance(expected, Decimal):
        assert value == expected
    else:
        assert value == pytest.approx(expected, rel=1e-12)


def test_every_ratio_of_nothing_is_null_and_every_count_of_nothing_is_zero() -> None:
    nothing: dict[str, Value] = {n: Decimal(0) if m.shape is Shape.MONEY else 0 for n, m in MEASURES.items()}
    for name, metric in METRICS.items():
        value = compute(name, nothing, Decimal(1))
        assert value is None if metric.ratio is not None else value == 0


def test_a_metric_without_one_of_its_measures_is_null() -> None:
    for name, metric in METRICS.items():
        for measure in metric.measures:
            assert compute(name, SAMPLE | {measure: None}, Decimal(1)) is None, (name, measure)


def test_dimensions_are_those_that_every_kind_of_event_behind_a_metric_carries() -> None:
    assert METRICS["uv"].dimensions == tuple(name for name in DIMENSIONS if name != "customer_type")
    assert METRICS["gmv"].dimensions == tuple(name for name in DIMENSIONS if name != "device_category")
    assert METRICS["coupons_issued"].dimensions == ("channel", "region", "phase")
    assert METRICS["ad_cost"].dimensions == ("channel", "region", "utm_source", "phase")
    assert METRICS["roi"].dimensions == ("channel", "region", "phase")
    assert METRICS["conversion_rate"].dimensions == (
        "channel",
        "region",
        "item_category",
        "item_id",
        "utm_source",
        "phase",
    )
