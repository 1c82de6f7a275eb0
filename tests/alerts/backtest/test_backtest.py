"""What a backtest says of a stored hour is what the service said while it happened."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.alerts.backtest.load import Span, read_pasts, read_plans
from services.alerts.backtest.run import as_json, backtest
from services.alerts.collector import Collector
from services.alerts.memory.stage import Stage
from services.alerts.readings.asks import Ask, Curve
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.seconds import Seconds
from services.alerts.rules.load import load_rules, parse_rules
from services.alerts.scene import CampaignScene, PartitionProgress, PipelineScene
from services.alerts.series import Series
from services.common.store import Store, StorePool
from tests.alerts.shop import Shop

RATES = {"app": 4.0, "web": 2.5}


@pytest.fixture
async def pool(store: Store) -> AsyncIterator[StorePool]:
    pool = StorePool(store, threads=2, name="backtest-test")
    yield pool
    await pool.close()


def same(one: Series, other: Series) -> bool:
    return (one.start, one.step) == (other.start, other.step) and np.array_equal(one.counts, other.counts)


ASKS: list[Inquiry] = [
    Ask(("orders_paid", "paid_gmv", "aov"), 600_000, "channel", end="complete"),
    Ask(("pv",), 300_000, None, (("channel", ("app", "live")),), end="complete"),
    Ask(("refund_rate", "net_sales"), 3_600_000, end="complete"),
    Curve(("pv", "orders_paid"), 60_000, 600_000, "channel"),
    Seconds("channel"),
]


async def test_memory_shows_the_scene_that_the_collector_reads(store: Store, pool: StorePool) -> None:
    """A rule must see in a backtest what it sees in the service, or what the backtest says is of another rule."""
    shop = Shop(store, RATES)
    shop.write_history(until=0)
    shop.let_pass(50)
    shop.set_stock("sku-1", 0, safety=10)
    shop.set_stock("sku-2", 30, warehouse="w2")
    shop.factor = {"web": 8.0}
    shop.let_pass(50)
    # The first second after the last event: nothing is left half told.
    now = shop.now
    collector = Collector(pool, now - 10**6, lambda now, plan: ASKS)
    await collector.read(now - 4000, [shop.campaign])
    told = (await collector.read(now, [shop.campaign])).campaigns[shop.campaign]

    begin = now // 60_000 * 60 - 7200
    span = Span(begin, begin + 7200, begin + 7320)
    pasts = await read_pasts(pool, span, {shop.campaign: None}, {"", "channel"}, [Seconds("channel")])
    stage = Stage(pasts, lambda now, plan: ASKS)
    pipeline = PipelineScene(now, 0, [PartitionProgress("", 0, 1, 1, now, now)], {}, 60, {})
    for moment in (now - 4000, now):
        asks = stage.asks(moment)
        assert stage.missing(shop.campaign, asks[shop.campaign], moment) == []
        pipeline = PipelineScene(moment, 0, [PartitionProgress("", 0, 1, 1, moment, moment)], {}, 60, {})
        scene = stage.scene(pipeline, asks, {}).campaigns[shop.campaign]
    _compare(scene, told)


def _compare(scene: CampaignScene, told: CampaignScene) -> None:
    assert scene.recent.keys() == told.recent.keys() == set(RATES)
    assert all(same(scene.recent[channel], series) for channel, series in told.recent.items())
    assert scene.recent_paid.keys() == told.recent_paid.keys()
    assert all(same(scene.recent_paid[channel], series) for channel, series in told.recent_paid.items())
    assert same(scene.recent_all, told.recent_all)
    assert {item: list(points) for item, points in scene.recent_refunds.items()} == told.recent_refunds
    assert sorted(scene.refunds) == sorted(told.refunds)
    mine, theirs = scene.history, told.history
    assert same(mine.whole, theirs.whole)
    assert same(mine.occupied, theirs.occupied)
    assert all(same(mine.channels[channel], series) for channel, series in theirs.channels.items())
    assert all(same(mine.paid[channel], series) for channel, series in theirs.paid.items())
    assert (mine.refunds, mine.items, mine.before) == (theirs.refunds, theirs.items, theirs.before)
    assert any(one.paid and one.refunded for one in mine.before.values())
    levels = {item: (level.available, level.safety_stock) for item, level in scene.stock.items()}
    assert levels == {item: (level.available, level.safety_stock) for item, level in told.stock.items()}
    for asked, payments in told.seconds.items():
        assert scene.seconds[asked].start == payments.start
        assert scene.seconds[asked].rows.keys() == payments.rows.keys()
        assert all(
            np.array_equal(scene.seconds[asked].rows[value].paid, row.paid) for value, row in payments.rows.items()
        )
    # In the past what was sold is known by whole minutes.
    assert scene.sold.keys() <= told.sold.keys() == {item for item in told.sold if told.sold[item].units}
    assert all(0 < sold.units <= told.sold[item].units for item, sold in scene.sold.items())
    assert sum(sold.units for sold in scene.sold.values()) > 0.8 * sum(sold.units for sold in told.sold.values())
    for item, sold in scene.sold.items():
        live = told.sold[item]
        assert (sold.busiest, sold.orders) == (live.busiest, live.orders - live.present)
        assert 0 < live.present_seconds < 60
    assert scene.readings.keys() == told.readings.keys()
    for ask, reading in told.readings.items():
        mine_of = scene.readings[ask]
        assert (mine_of.rows, mine_of.start_ms, mine_of.end_ms) == (reading.rows, reading.start_ms, reading.end_ms)
    for curve, answer in told.curves.items():
        assert {value: {name: list(steps) for name, steps in row.items()} for value, row in answer.rows.items()} == {
            value: {name: list(steps) for name, steps in row.items()} for value, row in scene.curves[curve].rows.items()
        }
    # Everything that a scene holds is compared above, or cannot be known of the past.
    compared = {
        "recent",
        "recent_paid",
        "recent_all",
        "recent_refunds",
        "refunds",
        "history",
        "stock",
        "readings",
        "curves",
        "sold",
        "seconds",
    }
    of_the_moment = {"campaign_id", "now", "watermark", "activity", "end", "live_seconds", "plan"}
    assert set(CampaignScene.__slots__) - compared - of_the_moment <= {"suspects", "batches"}
    assert (scene.last_event // 1000, scene.live()) == (told.last_event // 1000, told.live())


async def test_what_happened_is_told_as_it_would_have_been(store: Store, pool: StorePool) -> None:
    shop = Shop(store, RATES)
    shop.write_history(until=0)
    for item in shop.items:
        shop.set_stock(item, 100, safety=10)
    begin = shop.now
    shop.let_pass(60)
    shop.factor = {"web": 9.0}
    shop.let_pass(60)
    shop.factor = {}
    shop.let_pass(30)
    shop.set_stock("sku-3", 0, safety=10)
    shop.let_pass(90)
    report = await backtest(pool, load_rules(None), begin, shop.now, step=1, campaign=shop.campaign)
    spike, out = report.incidents
    assert (spike.alert.rule, dict(spike.alert.labels)) == (
        "traffic_spike",
        {"campaign_id": shop.campaign, "channel": "web"},
    )
    assert begin + 60_000 < spike.fired_at <= begin + 80_000
    assert spike.ended_at is not None
    assert begin + 120_000 < spike.ended_at <= begin + 210_000
    assert (out.alert.rule, out.alert.labels["item_id"], out.ended_at) == ("stock_out", "sku-3", None)
    assert begin + 150_000 < out.fired_at <= begin + 155_000
    assert (report.pages, report.campaigns, report.looks) == (2, [shop.campaign], 242)
    assert set(report.not_judged) >= {"ingest_lag", "delivery_failure"}
    plain = json.loads(json.dumps(as_json(report, begin, shop.now, 1, str)))
    assert plain["incidents"][0]["labels"] == {"campaign_id": shop.campaign, "channel": "web"}
    assert plain["pages"] == 2

    # The same hour with a rule of one's own: distinct users come from the store itself.
    rule = "{name: few, detector: threshold, metric: uv, by: channel, window: 2m, condition: '> 20', severity: info, "
    own = parse_rules(f"rules: [{rule}summary: s, runbook: r}}]", "x")
    report = await backtest(pool, own, begin, shop.now, step=5, campaign=shop.campaign)
    assert {incident.alert.labels["channel"] for incident in report.incidents} == set(RATES)


async def test_nothing_stored_is_nothing_told(pool: StorePool) -> None:
    report = await backtest(pool, load_rules(None), 1_000_000_000_000, 1_000_000_600_000, step=60)
    assert (report.incidents, report.campaigns) == ([], [])
    assert await read_plans(pool) is not None
