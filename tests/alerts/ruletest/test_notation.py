"""How series are written, and that nothing is lost when they are laid out over seconds."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.memory.answers import Answers
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve
from services.alerts.ruletest.notation import parse_series
from services.alerts.ruletest.series import Layout, check_series

BEGIN = 1_800_000_000 // 60 * 60
PLAN = Plan(0, 10**15)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("7", [7]),
        ("7x3 1", [7, 7, 7, 1]),
        ("10..40x4", [10, 20, 30, 40]),
        ("40..10x4 _", [40, 30, 20, 10, None]),
        ("_x2 0", [None, None, 0]),
        ("1.50x2", [Decimal("1.5"), Decimal("1.5")]),
        ("0..1x3", [0, 0, 1]),
        ("0..9x1", [9]),
    ],
)
def test_values_are_what_they_look_like(text: str, values: list[Decimal | None]) -> None:
    assert list(parse_series("gmv", text).values) == values


def test_labels_are_read() -> None:
    one = parse_series('orders_paid{channel="app", item_id="a,b"}', "1")
    assert (one.name, one.labels) == ("orders_paid", {"channel": "app", "item_id": "a,b"})


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("traffic", "", "needs a value"),
        ("traffic", "7y3", "'7y3' is no value"),
        ("traffic", "1x0", "1 to 20000"),
        ("traffic", "1x20000 1", "1 to 20000"),
        ("traffic", "1.5", "whole numbers"),
        ("traffic{channel=app}", "1", "is no label"),
        ("traffic{shop='x'}", "1", "is no label"),
        ('traffic{customer_type="new"}', "1", "has no label"),
        ('orders_paid{value="1.234"}', "1", "two decimals"),
        ("stock", "1", "needs the label 'item_id'"),
        ("lag", "1", "needs the label 'topic'"),
        ("page_views", "1", "there is no series"),
        ('orders_created{user_id="u"}', "1", "has no label 'user_id'"),
        ('orders_paid{batch_id="b"}', "1", "has no label 'batch_id'"),
        ("delivered", "1", "needs the label 'receiver'"),
        ("a b", "1", "is no series"),
    ],
)
def test_what_means_nothing_is_refused(name: str, values: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", "\\(")):
        check_series(parse_series(name, values))


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=30),
    st.sampled_from([1, 7, 10, 60, 90]),
    st.sampled_from([0, 60, 600]),
)
def test_each_event_happens_once_and_in_its_interval(values: list[int], interval: int, history: int) -> None:
    """The totals that metric rules see and the seconds that traffic rules see are of the same events."""
    series = [parse_series('traffic{channel="app"}', " ".join(map(str, values)))]
    length = interval * len(values)
    past = Layout(series, begin=BEGIN, history=history, interval=interval, length=length).past("c", PLAN)
    test_part = past.traffic["app"][history:]
    assert test_part.reshape(len(values), interval).sum(axis=1).tolist() == values
    (stream,) = past.streams
    assert stream.totals["pv"][-1] == past.traffic["app"].sum() == past.kinds["traffic"].sum()
    if history % interval == 0:
        assert int(past.traffic["app"][:history].sum()) == values[0] * (history // interval)


@given(st.lists(st.integers(0, 50), min_size=20, max_size=40), st.integers(0, 1200), st.integers(1, 8))
def test_a_window_holds_what_had_happened_in_it(values: list[int], second: int, minutes: int) -> None:
    series = [
        parse_series('orders_paid{channel="app", value="0.07"}', " ".join(map(str, values))),
        parse_series('orders_paid{channel="web"}', "1x40"),
    ]
    past = Layout(series, begin=BEGIN, history=600, interval=30, length=1200).past("c", PLAN)
    answers = Answers(past)
    now = (BEGIN + second) * 1000
    ask = Ask(("orders_paid", "paid_gmv"), minutes * 60_000, "channel", (("channel", ("app",)),))
    start = second // 60 * 60 + 60 - minutes * 60
    happened = past.paid["app"][start + 600 if start + 600 > 0 else 0 : second + 600]
    rows = answers.reading(ask, now, now).rows
    if happened.any():
        count = int(happened.sum())
        assert rows == {"app": {"orders_paid": count, "paid_gmv": count * Decimal("0.07")}}
    else:
        assert rows == {}

    curve = answers.curve(Curve(("orders_paid",), 60_000, minutes * 60_000, "channel"), now, now)
    ends = second // 60 * 60
    expected = past.paid["app"][ends + 600 - minutes * 60 : ends + 600] if ends >= minutes * 60 - 600 else None
    if expected is not None and expected.any():
        assert curve.rows["app"]["orders_paid"] == np.sum(expected.reshape(minutes, 60), axis=1).tolist()
