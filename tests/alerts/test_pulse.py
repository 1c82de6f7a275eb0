"""Rows of the pulse become series: the same as when they are taken one by one."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.pulse import pulses
from services.alerts.series import zeros

FIRST, LENGTH = 1_000, 8

counts = st.integers(0, 5)
rows = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["app", "web", ""]), st.integers(0, LENGTH - 1), counts, counts, counts
    ),
    unique_by=lambda row: row[:3],
)


@given(rows)
def test_each_row_is_in_its_campaign_channel_and_bucket(rows: list[tuple[str, str, int, int, int, int]]) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * 6
    names = ("campaign_id", "channel", "bucket", "traffic", "orders", "paid")
    kinds = (pa.string(), pa.string(), pa.uint32(), pa.uint64(), pa.uint64(), pa.uint64())
    table = pa.table(
        {name: pa.array(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}
    ).set_column(2, "bucket", pa.array([FIRST + place for place in columns[2]], pa.uint32()))
    found = pulses(table, ["a", "b", "c"], lambda: zeros(FIRST, 1, LENGTH), first=FIRST)
    traffic, paid = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    whole = Counter[tuple[str, int]]()
    for campaign, channel, place, seen, ordered, bought in rows:
        traffic[campaign, channel, place] += seen
        paid[campaign, channel, place] += bought
        whole[campaign, place] += seen + ordered
    assert set(found) == {"a", "b", "c"}
    for campaign, pulse in found.items():
        assert pulse.whole.counts.tolist() == [whole[campaign, place] for place in range(LENGTH)]
        for series, expected in ((pulse.traffic, traffic), (pulse.paid, paid)):
            those = {channel for name, channel, _ in +expected if name == campaign}
            assert set(series) == those
            for channel in those:
                assert series[channel].counts.tolist() == [expected[campaign, channel, at] for at in range(LENGTH)]
