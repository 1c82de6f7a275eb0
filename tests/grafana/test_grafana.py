"""What fills in queries in the other tests, and what lays panels out, by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.grafana.model import COLUMNS, Dashboard, Row, Text
from tests.grafana.grafana import ALL, Chosen, View, promql, sql

START = datetime(2026, 11, 11, tzinfo=UTC)
FROM, TO = int(START.timestamp()), int(START.timestamp()) + 3600


def view(*channels: str) -> View:
    variables = {"campaign": Chosen(["double.11"]), "channel": Chosen(channels, ("app", "it's"), ".+")}
    return View(START, START + timedelta(hours=1), variables, step_seconds=60)


@pytest.mark.parametrize(
    ("text", "channels", "sent"),
    [
        ('a{c="$campaign"}', (ALL,), 'a{c="double.11"}'),
        ('a{c=~"$channel"}', (ALL,), 'a{c=~".+"}'),
        ('a{c=~"$channel"}', ("a.b",), r'a{c=~"a\\.b"}'),
        ('a{c=~"$channel"}', ("app", "web"), 'a{c=~"(app|web)"}'),
        ("rate(a[$__rate_interval]) + b[$__range]", (ALL,), "rate(a[75s]) + b[3600s]"),
    ],
)
def test_an_expression_is_sent_as_grafana_sends_it(text: str, channels: tuple[str, ...], sent: str) -> None:
    assert promql(text, view(*channels)) == sent


@pytest.mark.parametrize(
    ("text", "channels", "sent"),
    [
        ("c = ${campaign:singlequote}", (ALL,), "c = 'double.11'"),
        ("$__conditionalAll(f(c) IN (${channel:singlequote}), $channel) AND 1", (ALL,), "1=1 AND 1"),
        ("$__conditionalAll(f(c) IN (${channel:singlequote}), $channel)", ("app", "it's"), r"f(c) IN ('app','it\'s')"),
        ("$__timeFilter(t)", (ALL,), f"t >= toDateTime({FROM}) AND t <= toDateTime({TO})"),
        ("$__timeInterval(t)", (ALL,), "toStartOfInterval(toDateTime(t), INTERVAL 60 second)"),
        ("$__fromTime, $__toTime, $__interval_s", (ALL,), f"toDateTime({FROM}), toDateTime({TO}), 60"),
    ],
)
def test_a_statement_is_sent_as_the_plugin_sends_it(text: str, channels: tuple[str, ...], sent: str) -> None:
    assert sql(text, view(*channels)) == sent


@pytest.mark.parametrize("text", ["${nothing:singlequote}", "${campaign}", "$__columns(a, b)"])
def test_what_is_unknown_or_unsafe_is_no_query(text: str) -> None:
    with pytest.raises(AssertionError):
        sql(text, view(ALL))


SIZES = st.lists(st.tuples(st.integers(1, COLUMNS), st.integers(1, 12)), max_size=9)


@given(st.lists(st.tuples(SIZES, st.booleans()), max_size=4))
def test_panels_of_any_size_never_overlap(rows: list[tuple[list[tuple[int, int]], bool]]) -> None:
    """Catches: a line that begins beside a taller panel of the line above, and a row inside the one before it."""
    board = Dashboard(
        "u",
        "t",
        "d",
        [Row("r", [Text("p", "m", width=w, height=h) for w, h in sizes], folded) for sizes, folded in rows],
    ).json()
    for group in [board["panels"], *(panel["panels"] for panel in board["panels"] if panel.get("panels"))]:
        cells = [
            {(p["x"] + dx, p["y"] + dy) for dx in range(p["w"]) for dy in range(p["h"])}
            for p in (panel["gridPos"] for panel in group)
        ]
        assert all(x < COLUMNS for each in cells for x, _ in each)
        assert not any(one & other for one, other in combinations(cells, 2))
