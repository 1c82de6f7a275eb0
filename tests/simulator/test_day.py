"""A festival of a day: the same every time, in order of arrival, and with the mean that was asked for."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from schemas.campaigns import Campaign
from services.common.clock import to_datetime
from services.simulator.arrivals import Arrival
from services.simulator.day.festival import DayFestival, festival_source
from services.simulator.day.programme import Variant

EVENING_MS = 1_790_000_400_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000
"""Eight in the evening at the festival's own time."""


def an_evening(seed: int = 5, hours: float = 3, variant: Variant = "full", rate: float = 8.0) -> DayFestival:
    """Three hours up to midnight."""
    return festival_source(
        seed=seed, start_ms=EVENING_MS, hours=hours, variant=variant, events_per_second=rate, campaign_id="evening"
    )


@pytest.fixture(scope="module")
def evening() -> tuple[DayFestival, list[Arrival]]:
    festival = an_evening()
    return festival, list(festival.arrivals())


def test_the_same_arguments_give_the_same_bytes_and_truths(evening: tuple[DayFestival, list[Arrival]]) -> None:
    again = an_evening()
    assert list(again.arrivals()) == evening[1]
    assert again.truths == evening[0].truths
    told = len(again.planned) + len(again.programme.sales) + bool(again.programme.slow)
    assert len(again.truths) == told > 2


def test_every_record_arrives_in_order_once_and_not_before_it_happened(
    evening: tuple[DayFestival, list[Arrival]],
) -> None:
    told = evening[1]
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(told))
    assert all(arrival.at_ms >= arrival.record.time_ms for arrival in told)
    ids = Counter(
        (one.record.kind, json.loads(one.record.value)["event_id"])
        for one in told
        if one.record.key.startswith(b"bad") is False
    )
    assert set(ids.values()) == {1}


def test_it_has_about_as_many_events_as_asked(evening: tuple[DayFestival, list[Arrival]]) -> None:
    assert 0.8 < len(evening[1]) / (3 * 3600) / 8 < 1.2


@pytest.mark.parametrize("variant", ["calm", "flash", "full"])
def test_the_api_takes_the_campaign(variant: Variant) -> None:
    festival = an_evening(variant=variant)
    campaign = Campaign.model_validate(festival.source.campaign.body)
    sales = {sale.name for sale in festival.programme.sales}
    assert sales <= {phase.name for phase in campaign.phases}
    assert bool(sales) == (variant != "calm")
    planned = [(event.start, event.end) for event in campaign.calendar]
    assert planned == [(to_datetime(sale.start_ms), to_datetime(sale.end_ms)) for sale in festival.programme.sales]
    assert campaign.phases[0].start == campaign.start
    assert campaign.phases[-1].end == campaign.end
    assert all(earlier.end == later.start for earlier, later in pairwise(campaign.phases))
