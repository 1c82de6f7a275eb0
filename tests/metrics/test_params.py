"""Query parameters: a bound that is read wrongly is another period."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.common.clock import to_ms
from services.common.errors import InvalidRequest
from services.metrics.params import parse_dimension, parse_limit, parse_metrics, parse_moment, parse_order

MIDNIGHT = to_ms(datetime(2026, 11, 10, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-11T00:00:00+08:00",
        # An unescaped plus is a space by the time it arrives.
        "2026-11-11T00:00:00 08:00",
        "2026-11-10T16:00:00Z",
        "2026-11-10T16:00:59.999Z",
        "2026-11-10t16:00:00z",
        "2026-11-10T08:00:00-08:00",
    ],
)
def test_moments_are_floored_to_the_minute(text: str) -> None:
    assert parse_moment("from", text) == MIDNIGHT


@pytest.mark.parametrize("text", ["", "now", "2026-11-11", "2026-11-11T00:00:00", "2026-13-01T00:00:00Z", "1790000000"])
def test_other_moments_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_moment("from", text)
    assert refusal.value.field == "from"


def test_metrics_keep_their_order_and_stand_once() -> None:
    assert parse_metrics("uv, gmv,uv", ()) == ("uv", "gmv")
    with pytest.raises(InvalidRequest, match="nope"):
        parse_metrics("gmv,nope", ())
    with pytest.raises(InvalidRequest):
        parse_metrics(",", ())


@pytest.mark.parametrize("text", ["0", "-1", "10001", "1.5", "x", "", "１"])
def test_limits_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_limit(text, 20)
    assert refusal.value.field == "limit"


def test_limit_goes_to_a_thousand_and_beyond() -> None:
    assert parse_limit("1000", 20) == 1000
    assert parse_limit(None, 20) == 20


def test_order_is_by_a_column_that_is_there() -> None:
    assert parse_order("-gmv", ("channel", "gmv"), "-gmv") == ("gmv", True)
    assert parse_order("channel", ("channel", "gmv"), "-gmv") == ("channel", False)
    with pytest.raises(InvalidRequest) as refusal:
        parse_order("-uv", ("channel", "gmv"), "-gmv")
    assert refusal.value.field == "order_by"


def test_an_unknown_dimension_is_refused() -> None:
    assert parse_dimension("group_by", "") is None
    with pytest.raises(InvalidRequest):
        parse_dimension("group_by", "city")
