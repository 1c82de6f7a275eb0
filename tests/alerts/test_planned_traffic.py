"""Traffic and the plan: what a campaign has announced pages nobody, and what happens to one channel meanwhile does."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from services.alerts.alert import Transition
from tests.alerts.test_scenarios import told
from tests.alerts.town import Town, watch

SHARES = {"app": 0.38, "mini_program": 0.24, "web": 0.20, "live": 0.11, "store": 0.07}
OPENS, ENDS = 300, 1200


def town_of(total: float, seed: int, length: int = 2400) -> Town:
    town = Town({channel: total * share for channel, share in SHARES.items()}, seed=seed, length=length)
    town.phases((OPENS, ENDS))
    return town


def rush(factor: float, opens: int = OPENS, ends: int = ENDS) -> Callable[[float], float]:
    """Jumps at the opening, and falls to almost nothing by the end."""
    return lambda s: 1 + (factor - 1) * math.exp(-4 * (s - opens) / (ends - opens)) if opens <= s < ends else 1.0


def plateau(factor: float) -> Callable[[float], float]:
    return lambda s: factor if OPENS <= s < ENDS else 1.0


def of_traffic(changes: list[tuple[int, Transition]]) -> list[tuple[int, Transition]]:
    """What is told of traffic: orders that trail it may lag behind in either direction."""
    return [
        (second, t)
        for second, t in changes
        if t.alert.rule.startswith("traffic_") and t.notice in ("firing", "resolved")
    ]


@pytest.mark.parametrize("total", [6, 40])
@pytest.mark.parametrize("channels", [(), ("live",)], ids=["all", "live"])
@pytest.mark.parametrize("shape", [rush(8), plateau(6)], ids=["rush", "plateau"])
def test_a_sale_in_the_plan_is_no_spike_and_its_end_no_drop(
    shape: Callable[[float], float], channels: tuple[str, ...], total: float
) -> None:
    town = town_of(total, round(total))
    town.vary(shape, channels)
    assert told(watch(town, 240, 2390, step=7)) == []


def test_a_sale_that_nobody_planned_is_a_spike() -> None:
    town = town_of(20, 1, length=700)
    town.plan = None
    town.vary(rush(8))
    fired = {t.alert.labels["channel"] for _, t in watch(town, 240, 500) if t.alert.rule == "traffic_spike"}
    assert fired == set(SHARES)


@pytest.mark.parametrize("after", [150, 400])
@pytest.mark.parametrize("shape", [rush(6), plateau(4)], ids=["rush", "plateau"])
def test_a_channel_that_rises_alone_during_a_sale_is_a_spike(shape: Callable[[float], float], after: int) -> None:
    begins, ends = OPENS + after, OPENS + after + 90
    town = town_of(30, after, length=1300)
    town.vary(shape)
    town.vary(lambda s: shape(s) * (8 if begins <= s < ends else 1), ["web"])
    changes = of_traffic(watch(town, 270, 1290))
    assert told(changes) == [("traffic_spike", "firing"), ("traffic_spike", "resolved")]
    (fired, first), (resolved, _) = changes
    assert first.alert.labels["channel"] == "web"
    assert begins <= fired <= begins + 20
    assert ends <= resolved <= ends + 90


@pytest.mark.parametrize("after", [180, 400])
@pytest.mark.parametrize("shape", [rush(6), plateau(4)], ids=["rush", "plateau"])
def test_a_channel_that_falls_alone_during_a_sale_is_a_drop(shape: Callable[[float], float], after: int) -> None:
    begins, ends = OPENS + after, OPENS + after + 240
    town = town_of(40, after, length=1300)
    town.vary(shape)
    town.vary(lambda s: shape(s) * (0.03 if begins <= s < ends else 1), ["app"])
    changes = of_traffic(watch(town, 270, 1290))
    assert told(changes) == [("traffic_drop", "firing"), ("traffic_drop", "resolved")]
    (fired, first), (resolved, _) = changes
    assert first.alert.labels["channel"] == "app"
    assert begins + 30 < fired < begins + 100
    assert ends < resolved < ends + 90


def test_a_channel_that_an_opening_finds_dead_is_a_drop() -> None:
    town = town_of(40, 3, length=1400)
    town.vary(plateau(5))
    town.vary(lambda s: 0.0 if OPENS <= s < OPENS + 500 else plateau(5)(s), ["app"])
    changes = of_traffic(watch(town, 200, 1390))
    assert told(changes) == [("traffic_drop", "firing"), ("traffic_drop", "resolved")]
    assert OPENS + 60 < changes[0][0] < OPENS + 150
    assert changes[0][1].alert.labels["channel"] == "app"


def test_an_evening_and_a_slow_phase_are_in_order() -> None:
    town = town_of(15, 4, length=3600)
    town.phases((600, 80_000))

    def evening(second: float) -> float:
        # Half as much again within an hour, and then by and by far fewer than were hoped for.
        slow = min(1.0, max(0.0, (second - 600) / 900))
        return (1.25 + 0.25 * math.sin(2 * math.pi * second / 7200)) * (1 - 0.3 * (1 - math.cos(math.pi * slow)))

    town.vary(evening)
    assert told(watch(town, 30, 3590, step=9)) == []
