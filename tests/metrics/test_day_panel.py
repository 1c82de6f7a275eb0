"""The parts of the curve of a whole campaign."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.campaigns import Campaign
from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.metrics.campaigns import KnownCampaign
from services.metrics.wall import day
from tests.metrics.shop import START_MS


@given(
    minutes=st.one_of(st.integers(1, 3_000), st.integers(1, 75 * 365 * 1440)),
    start=st.integers(0, 4 * 365 * 1440),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
)
def test_the_day_has_at_most_its_rows_and_reaches_over_the_campaign(minutes: int, start: int, zone: str) -> None:
    """Catches: a long campaign that makes each second's snapshot long, or whose end is cut off."""
    first = to_datetime(START_MS + start * MINUTE_MS)
    last = first + timedelta(minutes=minutes)
    declared = Campaign(name="c", start=first, end=last, timezone=zone)
    campaign = KnownCampaign("c", declared, {}, None, None, "CNY")
    length, starts = day.day_starts(campaign, to_ms(last))
    assert 1 <= len(starts) <= day.MOST_ROWS
    assert starts[0] <= to_ms(first) < starts[0] + (length + 60) * MINUTE_MS
    if minutes < 20 * 365 * 1440:
        assert starts[-1] < to_ms(last) <= starts[-1] + (length + 60) * MINUTE_MS
    assert length == 1 or minutes / length > day.MOST_ROWS / 8
