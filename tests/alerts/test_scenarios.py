"""Hours of a campaign judged second by second: what must fire fires in time, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.alert import Transition
from tests.alerts.town import Arrivals, Town, watch

FIRES_WITHIN = 20
RESOLVES_WITHIN = 90
SHARES = {"app": 0.5, "web": 0.3, "live": 0.2}

ARRIVALS = [
    Arrivals(),
    Arrivals(sending=60, hole=30),
    Arrivals(sending=20, hole=10, delay=3, lump=2),
]


def rates(total: float) -> dict[str, float]:
    return {channel: total * share for channel, share in SHARES.items()}


def told(changes: list[tuple[int, Transition]]) -> list[tuple[str, str]]:
    return [(t.alert.rule, t.alert.state.value) for _, t in changes]


def _spike(town: Town) -> dict[str, str]:
    town.spike("live", 120, 160, 8.0)
    return {"channel": "live"}


def _stock_out(town: Town) -> dict[str, str]:
    town.stock += [(120, "sku-3", 0), (160, "sku-3", 80)]
    return {"item_id": "sku-3"}


def _refund_burst(town: Town) -> dict[str, str]:
    town.refund_burst("sku-3", 120, 160, 1.0)
    return {"item_id": "sku-3"}


def _silence(town: Town) -> dict[str, str]:
    town.silence(120, 160)
    return {}


@pytest.mark.parametrize("total", [2.5, 20, 500])
@pytest.mark.parametrize("arrivals", ARRIVALS, ids=["quick", "slow", "late"])
@pytest.mark.parametrize(
    ("incident", "rule"),
    [
        (_spike, "traffic_spike"),
        (_stock_out, "stock_out"),
        (_refund_burst, "refund_anomaly"),
        (_silence, "data_silence"),
    ],
)
def test_an_incident_fires_and_resolves_in_time_and_nothing_else_does(
    incident: Callable[[Town], dict[str, str]], rule: str, arrivals: Arrivals, total: float
) -> None:
    town = Town(rates(total), seed=round(total), length=320, arrivals=arrivals)
    labels = incident(town)
    changes = watch(town, 5 - arrivals.sending - arrivals.hole, 310)
    assert told(changes) == [(rule, "firing"), (rule, "resolved")]
    (fired, first), (resolved, last) = changes
    assert first.alert.labels == last.alert.labels == {"campaign_id": "town", **labels}
    assert first.alert.id == last.alert.id
    assert 120 <= fired <= 120 + FIRES_WITHIN
    assert 160 <= resolved <= 160 + RESOLVES_WITHIN
    assert 118 <= first.alert.starts_at // 1000 - town.look(0).now // 1000 <= fired


@settings(max_examples=20, deadline=None)
@given(
    total=st.floats(1.5, 1000),
    seed=st.integers(0, 2**32 - 1),
    arrivals=st.builds(
        Arrivals, sending=st.integers(1, 90), hole=st.integers(0, 40), delay=st.integers(0, 4), lump=st.integers(1, 3)
    ),
)
def test_nothing_fires_when_nothing_is_wrong(total: float, seed: int, arrivals: Arrivals) -> None:
    town = Town(rates(total), seed=seed, length=300, arrivals=arrivals, refunds_per_second=0.01 * total)
    assert told(watch(town, 2 - arrivals.sending - arrivals.hole, 290)) == []
