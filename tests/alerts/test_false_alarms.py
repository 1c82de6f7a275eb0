"""What looks like an incident and is none, and a drop, which is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from services.alerts.detectors.traffic_drop import TrafficDrop
from services.alerts.engine import Engine
from services.alerts.lifecycle import Sighting
from services.alerts.rules.load import load_rules
from tests.alerts.test_scenarios import rates, told
from tests.alerts.town import HOUR, Arrivals, Town, watch


def test_a_channel_that_loses_its_traffic_fires_a_drop_and_nothing_else() -> None:
    town = Town(rates(20), length=420)
    town.traffic["web"][town.live + 120 : town.live + 230] = 0
    changes = watch(town, 60, 400)
    assert told(changes) == [("traffic_drop", "firing"), ("traffic_drop", "resolved")]
    (fired, first), (resolved, _) = changes
    assert first.alert.labels == {"campaign_id": "town", "channel": "web"}
    assert 120 + 45 < fired < 120 + 70
    assert 230 < resolved < 230 + 90


@pytest.mark.parametrize("total", [2.5, 200])
def test_an_import_without_a_live_part_is_no_silence(total: float) -> None:
    town = Town(rates(total), length=400, arrivals=Arrivals(sending=30))
    town.silence(0, 400)
    assert told(watch(town, -28, 390)) == []


def test_who_sends_every_ten_seconds_can_fall_silent() -> None:
    """Catches: a campaign that is taken for an import because its events come in lumps."""
    town = Town(rates(20), length=260, arrivals=Arrivals(lump=10))
    town.silence(120, 200)
    changes = [(second, one) for second, one in watch(town, 60, 250) if one.alert.rule == "data_silence"]
    assert told(changes) == [("data_silence", "firing"), ("data_silence", "resolved")]
    assert 120 + 12 < changes[0][0] < 120 + 30


def test_a_short_break_is_no_silence() -> None:
    town = Town(rates(5), length=200)
    town.silence(100, 108)
    assert told(watch(town, 60, 190)) == []


def test_a_new_channel_is_no_spike() -> None:
    town = Town({**rates(10), "store": 0.0}, length=450)
    town.traffic["store"][town.live : town.live + 300 : 12] = 1
    town.traffic["store"][town.live + 300 :] = 40
    assert told(watch(town, 60, 440)) == []


def test_history_that_arrives_in_pieces_is_nothing_to_judge_by() -> None:
    town = Town(rates(20), length=300)
    # An import into a running campaign: first every eighth second, then the rest.
    past = np.arange(HOUR)
    town.arrived[:HOUR] = town.live + np.where(past % 8 == 0, 100 + past // 600, 110 + past // 100)
    assert told(watch(town, 60, 290)) == []


def test_hours_without_data_are_no_measure_of_what_is_normal() -> None:
    town = Town(rates(20), length=200)
    for counts in (*town.traffic.values(), *town.paid.values()):
        counts[300:3150] = 0
    assert told(watch(town, 10, 190)) == []


def test_seconds_without_any_data_are_no_drop() -> None:
    town = Town(rates(20), length=300)
    town.silence(100, 150)
    detector = next(d for d in Engine(load_rules(None)).detectors.values() if isinstance(d, TrafficDrop))
    for second in range(60, 290):
        verdicts = detector.judge(town.look(second).campaigns["town"]) or []
        assert [v.labels for v in verdicts if v.sighting is Sighting.BREACH] == []


def test_a_growing_crowd_is_no_spike() -> None:
    town = Town(rates(20), length=700)
    factors = np.linspace(1, 2.8, 600)
    for channel, rate in town.rates.items():
        town.traffic[channel][town.live + 50 : town.live + 650] = np.random.default_rng(3).poisson(rate * factors)
    assert told(watch(town, 40, 680, step=2)) == []


def test_visitors_who_come_in_bursts_are_no_spike() -> None:
    town = Town(rates(1), length=500)
    random = np.random.default_rng(5)
    for counts in town.traffic.values():
        # One visit in twelve seconds, of about four pages in the same second.
        counts[:] = random.poisson(1 / 12, len(counts)) * random.integers(1, 8, len(counts))
    assert told(watch(town, 0, 480)) == []


def test_refunds_of_everything_are_no_anomaly_of_an_item() -> None:
    town = Town(rates(20), length=250, refunds_per_second=0.4)
    for item in town.refunds:
        town.refund_burst(item, 100, 160, 0.2)
    assert told(watch(town, 60, 240)) == []


def test_an_item_that_is_always_refunded_a_lot_is_no_anomaly() -> None:
    town = Town(rates(20), length=250)
    town.refunds["sku-1"][:] = np.random.default_rng(1).poisson(0.3, len(town.refunds["sku-1"]))
    assert told(watch(town, 60, 240)) == []


def test_ingest_that_falls_behind_is_nobodys_silence_or_drop() -> None:
    town = Town(rates(20), length=250)
    # For 60 s nothing arrives; then all of it does.
    span = slice(town.live + 100, town.live + 160)
    town.arrived[span] = town.live + 162
    town.lag = {second: max(0, min(second, 161) - 100) for second in range(100, 162)}
    assert told(watch(town, 60, 240)) == [("ingest_lag", "firing"), ("ingest_lag", "resolved")]


def test_a_sparse_campaign_needs_a_longer_silence() -> None:
    town = Town({"app": 0.25}, length=500)
    town.silence(100, 400)
    (_, fired), (_, resolved) = watch(town, 60, 480)
    assert (fired.alert.rule, fired.alert.state) == ("data_silence", "firing")
    assert 50 < fired.alert.value < 90
    assert resolved.alert.state == "resolved"


def test_a_campaign_that_has_ended_is_not_silent() -> None:
    town = Town(rates(5), length=300)
    town.silence(100, 300)
    engine = Engine(load_rules(None))
    for second in range(60, 290):
        look = town.look(second)
        ended = {name: replace(scene, end=town.look(101).now) for name, scene in look.campaigns.items()}
        outcome = engine.evaluate(replace(look, campaigns=ended), lambda alert, now: False)
        engine.commit(outcome)
        assert list(outcome.transitions) == []
