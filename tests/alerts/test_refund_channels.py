"""Refunds of a channel: told when the channel is at fault, and not for one bad item or for more orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.metrics import Value
from services.alerts.detectors.base import Verdict
from services.alerts.detectors.refund_anomaly import RefundAnomaly, RefundAnomalyParameters
from services.alerts.detectors.refund_channels import CHANNEL_GUARD, CHANNEL_HOUR, CHANNEL_LATELY, CHANNEL_MINUTES
from services.alerts.lifecycle import Sighting
from services.alerts.readings.asks import Ask, CurveReading, Reading
from services.alerts.scene import CampaignScene, Refund, refunds_by_item
from services.alerts.series import Series
from tests.alerts.town import CAMPAIGN, Town

CHANNELS = ("app", "web", "live")
SCENE = Town({"app": 10.0, "web": 10.0}, length=100).look(90).campaigns[CAMPAIGN]
DETECTOR = RefundAnomaly(RefundAnomalyParameters())


def scene(
    refunds: Sequence[Refund],
    paid: Mapping[str, int],
    refunded: Mapping[str, int],
    lately: int = 0,
    burst: int = 0,
    burst_ago: int = 0,
) -> CampaignScene:
    """`paid` and `refunded` are those of the hour by channel, evenly spread; `lately` so many more are paid on `live`
    in its last half, and `burst` more in the minute that ended `burst_ago` minutes ago."""
    minutes = {
        channel: [paid[channel] // 60 + burst * (channel == "live" and step == 14 - burst_ago) for step in range(15)]
        for channel in paid
    }
    seconds = {
        channel: Series(SCENE.now // 1000 - 180, 1, np.repeat(np.array(minutes[channel][-3:], np.int64) // 60, 60))
        for channel in paid
    }

    def rows(ask: Ask) -> Reading:
        part = ask.window_ms / 3_600_000
        told: dict[str, dict[str, Value]] = {
            channel: {
                "orders_paid": round(paid[channel] * part) + (lately + burst) * (channel == "live"),
                "orders_refunded": round(refunded[channel] * part),
            }
            for channel in paid
        }
        return Reading(told, SCENE.now - ask.window_ms, SCENE.now, SCENE.now)

    return replace(
        SCENE,
        history=replace(SCENE.history, writing_until=0),
        refunds=refunds,
        recent_refunds=refunds_by_item(refunds),
        readings={ask: rows(ask) for ask in (CHANNEL_HOUR, CHANNEL_LATELY, CHANNEL_GUARD)},
        recent_paid=seconds,
        curves={
            CHANNEL_MINUTES: CurveReading(
                {channel: {"orders_paid": steps} for channel, steps in minutes.items()},
                SCENE.now - 900_000,
                60_000,
                15,
                SCENE.now,
            )
        },
    )


def told(looked: CampaignScene) -> list[Verdict]:
    return [v for v in DETECTOR.judge(looked) or [] if v.sighting is Sighting.BREACH]


def spread(channel: str, count: int, items: int, seed: int = 0) -> list[Refund]:
    """So many refunds over the last 40 s, of so many items."""
    random = np.random.default_rng(seed)
    second = SCENE.now // 1000
    return [
        Refund(second - 1 - int(random.integers(40)), channel, (f"{channel}-{n % items}",), 1) for n in range(count)
    ]


HOUR = dict.fromkeys(CHANNELS, 1200)
USUAL = dict.fromkeys(CHANNELS, 36)


def test_a_channel_whose_orders_are_refunded_is_told_and_no_item() -> None:
    (verdict,) = told(scene(spread("live", 16, 12), HOUR, USUAL))
    assert verdict.labels == {"channel": "live"}
    assert verdict.facts["where"] == "channel live"


def test_one_bad_item_is_not_the_channels_fault() -> None:
    verdicts = told(scene(spread("live", 16, 1), HOUR, USUAL))
    assert [verdict.labels for verdict in verdicts] == [{"item_id": "live-0"}]


def test_refunds_on_all_channels_are_no_channels_fault() -> None:
    everywhere = [refund for channel in CHANNELS for refund in spread(channel, 16, 14)]
    assert told(scene(everywhere, HOUR, USUAL)) == []


def test_refunds_that_follow_many_orders_are_expected() -> None:
    assert told(scene(spread("live", 12, 12), HOUR, USUAL, lately=10_000)) == []


@pytest.mark.parametrize("burst_ago", [0, 2, 6, 12])
def test_a_sale_of_a_minute_explains_the_refunds_that_follow_it(burst_ago: int) -> None:
    refunds = spread("live", 16, 12)
    assert told(scene(refunds, HOUR, USUAL, burst=900, burst_ago=burst_ago)) == []
    assert len(told(scene(refunds, HOUR, USUAL, burst=60, burst_ago=burst_ago))) == 1


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    hourly=st.lists(st.integers(0, 3000), min_size=2, max_size=8),
    items=st.integers(40, 200),
)
def test_chance_fires_nothing(seed: int, hourly: list[int], items: int) -> None:
    random = np.random.default_rng(seed)
    refunds = [
        refund
        for number, mean in enumerate(hourly)
        for refund in spread(f"c{number}", int(random.poisson(mean * 40 / 3600)), items, seed)
    ]
    paid = {f"c{number}": mean * 30 for number, mean in enumerate(hourly)}
    refunded = {f"c{number}": mean for number, mean in enumerate(hourly)}
    assert [v.labels for v in told(scene(refunds, paid, refunded)) if "channel" in v.labels] == []


@given(st.permutations(spread("live", 16, 12) + spread("app", 3, 3)))
def test_the_order_of_refunds_does_not_matter(refunds: list[Refund]) -> None:
    assert [verdict.labels for verdict in told(scene(refunds, HOUR, USUAL))] == [{"channel": "live"}]
