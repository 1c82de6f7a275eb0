"""The parts of the report that need no store: numbers as text, periods, peaks, response times, losses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.review.charts.bars import Bar, bars
from services.review.figures import duration_text, signed, written
from services.review.incidents import incidents_of, median_of
from services.review.losses import leaks
from services.review.minutes import MOST, Minute, peaks_of
from services.review.period import Stage, extent_of, moment
from services.review.query import Answer, Query, pointer
from tests.review.reading import read_page

HOUR = 3_600_000
T0 = 1_794_355_200_000  # 2026-11-11T00:00:00Z


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "money", "–"),
        ("0.00", "money", "0.00"),
        ("1234567.891", "money", "1,234,567.89"),
        ("99999999999999999999.99", "money", "99,999,999,999,999,999,999.99"),
        ("-12.50", "money", "−12.50"),
        (-0.00001, "percent", "0.00 %"),
        (0.07125, "percent", "7.13 %"),
        (1234, "count", "1,234"),
        (0.5, "count", "0.50"),
        (2.345, "times", "2.35"),
    ],
)
def test_a_number_is_written_exactly_and_null_is_a_dash(value: Any, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_a_difference_says_its_direction() -> None:
    texts = [signed(Decimal(value), "money") for value in ("3", "-3", "0", "0.001", "-0.001")]
    assert texts == ["+3.00", "−3.00", "0.00", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"), (0, "0 s"), (59_400, "59 s"), (61_000, "1 min 01 s"), (HOUR, "1 h"),
        (HOUR + 300_000, "1 h 05 min"),
        (50 * HOUR, "2 d 2 h"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(ms: int | None, text: str) -> None:
    assert duration_text(ms, "en") == text


CAMPAIGN = {"start": moment(T0), "end": moment(T0 + 4 * HOUR), "timezone": "Asia/Shanghai"}


@given(as_of=st.integers(-5 * HOUR, 9 * HOUR), watermark=st.none() | st.integers(-6 * HOUR, 9 * HOUR))
def test_a_running_campaign_is_told_up_to_what_is_in(as_of: int, watermark: int | None) -> None:
    extent = extent_of(CAMPAIGN, T0 + as_of, None if watermark is None else T0 + watermark)
    span = extent.span
    assert T0 == span.start_ms <= span.end_ms <= T0 + 4 * HOUR
    assert (extent.stage is Stage.ENDED) == (as_of >= 4 * HOUR)
    if extent.stage is Stage.RUNNING:
        assert span.start_ms < span.end_ms <= T0 + as_of
        assert watermark is None or span.end_ms <= T0 + watermark
    if extent.stage is Stage.COMING:
        assert span.minutes == 0
    since = extent.since
    assert (since is not None) == (extent.stage is Stage.ENDED and as_of // 60_000 > 240)
    assert since is None or (since.start_ms == T0 + 4 * HOUR and since.end_ms <= T0 + as_of)


MINUTES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40).map(
    lambda rows: [Minute(T0 + n * 60_000, Decimal(gmv), orders) for n, (gmv, orders) in enumerate(rows)]
)


@given(minutes=MINUTES, cut=st.integers(0, 40))
def test_peaks_are_the_same_however_the_period_was_asked_for(minutes: list[Minute], cut: int) -> None:
    whole = peaks_of(minutes)
    assert whole == peaks_of(minutes[:cut]).merged(peaks_of(minutes[cut:]))
    assert [m.gmv for m in whole.by_gmv] == sorted((m.gmv for m in minutes if m.gmv), reverse=True)[:MOST]
    assert (whole.by_orders.orders if whole.by_orders else 0) == max((m.orders for m in minutes), default=0)


def alert(name: str, *, cause: str = "", ends: int | None = None) -> dict[str, Any]:
    return {
        "id": name, "incident": cause or name, "severity": "warning", "starts_at": moment(T0),
        "ends_at": None if ends is None else moment(T0 + ends * 1000),
    }  # fmt: skip


def line(state: str, seconds: int, *deliveries: tuple[str, int | None]) -> dict[str, Any]:
    return {
        "state": state,
        "at": moment(T0 + seconds * 1000),
        "deliveries": [
            {"outcome": outcome, "at": None if at is None else moment(T0 + at * 1000)} for outcome, at in deliveries
        ],
    }


def detail(*lines: dict[str, Any]) -> Answer:
    return Answer(Query("/"), {"timeline": list(lines)})


def test_response_times_count_from_the_onset_and_the_page() -> None:
    alerts = [alert("a", ends=900), alert("b", cause="a"), alert("c", cause="gone"), alert("d")]
    details = {
        "a": detail(
            line("pending", 0), line("firing", 10, ("undelivered", 11), ("delivered", 15), ("delivered", 13)),
            line("acknowledged", 73, ("delivered", 74)), line("resolved", 900),
        ),
        # Nobody was told: it is taken on from the firing.
        "d": detail(line("firing", 5, ("waiting", None)), line("acknowledged", 65)),
    }  # fmt: skip
    by_name = {found.alert["id"]: found for found in incidents_of(alerts, details)}
    # One whose cause is not of this campaign stands for itself.
    assert set(by_name) == {"a", "c", "d"}
    a, c, d = by_name["a"], by_name["c"], by_name["d"]
    assert (a.to_fire, a.to_page, a.to_acknowledge, a.to_resolve) == (10_000, 13_000, 60_000, 900_000)
    assert a.consequences == 1
    assert (c.to_fire, c.to_page, c.to_acknowledge, c.to_resolve) == (None, None, None, None)
    assert (d.to_page, d.to_acknowledge, d.paged) == (None, 60_000, False)
    assert median_of([None, 3, 1, 10]).ms == 3
    assert median_of([None]).ms is None


def test_who_was_lost_is_worth_what_those_who_went_on_paid() -> None:
    def steps(*users: int) -> list[dict[str, Any]]:
        return [
            {"step": f"s{n}", "users": count, "step_conversion": count / users[n - 1] if n and users[n - 1] else None}
            for n, count in enumerate(users)
        ]

    view, pay = leaks(steps(100, 40, 10), steps(200, 100, 20), Decimal("500.00"), 10)
    # 60 left; of those who viewed a quarter paid, 50 each.
    assert (view.lost, view.worth, view.against) == (60, Decimal("750.00"), Decimal("125.00"))
    # The step was better than the baseline's: a gain.
    assert (pay.lost, pay.worth, pay.against) == (30, Decimal("1500.00"), Decimal("-100.00"))
    (view, pay) = leaks(steps(100, 0, 0), [], Decimal(0), 0)
    assert (view.worth, view.against, pay.worth) == (None, None, None)


@given(parts=st.lists(st.text(min_size=1) | st.integers(0, 99), max_size=4))
def test_a_pointer_leads_back(parts: list[str | int]) -> None:
    tokens = pointer(tuple(parts)).split("/")[1:]
    assert [token.replace("~1", "/").replace("~0", "~") for token in tokens] == [str(part) for part in parts]


@given(
    names=st.lists(st.text(), min_size=1, max_size=3), lengths=st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3)
)
def test_a_chart_is_sound_whatever_a_channel_is_called(names: list[str], lengths: list[float]) -> None:
    shown = [Bar(name, length, "1") for name, length in zip(names, lengths, strict=False)]
    page = read_page(bars("chart", "<title>", shown, mark=1.0, mark_text="&"))
    assert page.tags == {"svg", "title", "desc", "line", "rect", "text"}
    assert "nan" not in {value for _, _, value in page.attributes}
