"""Business numbers for Prometheus: a label too many makes a server fall over, a wrong sum makes a wrong dashboard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.metrics import METRICS
from services.common import prometheus
from services.common.clock import to_datetime
from services.common.errors import StoreUnavailable
from services.common.prometheus import BUSINESS, business_name
from services.common.query.engine import QueryEngine
from services.common.store import Store, StorePool
from services.metrics import exporter, store_health
from services.metrics.campaigns import CampaignBook
from services.metrics.exporter import MOST_CAMPAIGNS, MOST_CHANNELS, Exporter
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.test_baselines import complete
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign
from tests.support.waiting import until

# In a year of its own: no campaign of another test is running then.
NOW = to_datetime(NOW_MS) + timedelta(days=3 * 365)
START = NOW - timedelta(hours=1)

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
async def exporting(store: Store, desk: Desk) -> AsyncIterator[Exporter]:
    desk.now_ms = NOW_MS + 3 * 365 * 86_400_000
    pool = StorePool(store, threads=2, name="test")
    book = CampaignBook(pool, lambda: desk.now_ms, "CNY")
    yield Exporter(pool, QueryEngine(pool), book, "CNY", lambda: desk.now_ms, "http://war.room")
    BUSINESS.publish({})
    await pool.close()


async def scrape(desk: Desk) -> Samples:
    """The business samples of `GET /metrics` by name and values of labels, the campaign left out."""
    found: Samples = {}
    for family in text_string_to_metric_families((await desk.client.get("/metrics")).text):
        for sample in family.samples:
            if sample.name in BUSINESS.families:
                labels = tuple(value for name, value in sorted(sample.labels.items()) if name != "campaign")
                assert sample.labels.get("campaign", desk.campaign) == desk.campaign
                found[sample.name, labels] = sample.value
    return found


def order(campaign: str, name: str, cents: int, channel: str, user: str) -> dict[str, Any]:
    return {
        "event_name": name,
        "event_time": START + timedelta(minutes=cents % 50),
        "campaign_id": campaign,
        "user_id": user,
        "channel": channel,
        "value": money(cents),
    }


async def test_a_scrape_holds_the_sums_of_the_events(store: Store, desk: Desk, exporting: Exporter) -> None:
    channels = [f"channel-{number:02}" for number in range(MOST_CHANNELS + 5)]
    orders = [
        order(desk.campaign, name, 1000 * (number + 1) + n, channel, f"user-{number % 3}")
        for number, channel in enumerate(channels)
        for n, name in enumerate(("order_created", "order_created", "order_paid", "order_refunded"))
    ]
    visits = [
        {
            "event_name": "page_view",
            "event_time": START,
            "campaign_id": desk.campaign,
            "user_id": f"user-{number % 7}",
            "channel": channel,
        }
        for number, channel in enumerate(channels * 2)
    ]
    spends = [
        {
            "event_name": "ad_spend",
            "event_time": START,
            "campaign_id": desk.campaign,
            "channel": channel,
            "cost": money(2500),
        }
        for channel in channels
    ]
    insert_rows(store, "order_events", orders)
    insert_rows(store, "traffic_events", visits)
    insert_rows(store, "spend_events", spends)
    complete(store, NOW - timedelta(seconds=30))
    half, end = (NOW - timedelta(minutes=30)).isoformat(), (NOW + timedelta(hours=1)).isoformat()
    phases = [
        {"name": "warm-up", "start": START.isoformat(), "end": half},
        {"name": "burst", "start": half, "end": end},
    ]
    last_year = fresh_campaign("last-year")
    then = START - timedelta(days=300)
    insert_rows(
        store,
        "order_events",
        [
            order(last_year, "order_created", 7700, "app", "user-1") | {"event_time": then + timedelta(minutes=minutes)}
            for minutes in (5, 59, 70)
        ],
    )
    await desk.client.put(
        f"/api/v1/campaigns/{last_year}",
        json={"name": "then", "start": then.isoformat(), "end": (then + timedelta(hours=2)).isoformat()},
    )
    await desk.client.put(
        desk.path,
        json={
            "name": "festival",
            "start": START.isoformat(),
            "baseline_campaign_id": last_year,
            "end": (NOW + timedelta(hours=1)).isoformat(),
            "phases": phases,
            "targets": {
                "total": {"paid_gmv": "3000"},
                "phases": {"warm-up": {"gmv": "500"}, "burst": {"gmv": "500"}},
            },
            "budgets": dict.fromkeys(channels, "100.00"),
        },
    )
    await exporting.refresh()
    found = await scrape(desk)

    def total(name: str, among: list[str] = channels) -> float:
        return sum(float(o["value"]) for o in orders if o["event_name"] == name and o["channel"] in among)

    whole: dict[str, float] = {
        "warroom_campaign_gmv_total": total("order_created"),
        "warroom_campaign_paid_gmv_total": total("order_paid"),
        "warroom_campaign_net_sales": total("order_paid") - total("order_refunded"),
        "warroom_campaign_orders_paid_total": len(channels),
        "warroom_campaign_uv": 7,
        "warroom_campaign_buyers": 3,
        "warroom_campaign_conversion_ratio": 3 / 7,
        "warroom_campaign_ad_cost_total": 25.0 * len(channels),
        "warroom_campaign_roas_ratio": total("order_paid") / (25.0 * len(channels)),
        "warroom_campaigns_running": 1,
    }
    for name, value in whole.items():
        assert found[name, ()] == pytest.approx(value), name
    assert ("warroom_campaign_cpc", ()) not in found, "no clicks: undefined, hence absent"
    named = sorted(channels, reverse=True)[:MOST_CHANNELS]
    others = sorted(set(channels) - set(named))
    for channel in named:
        assert found["warroom_campaign_channel_gmv_total", (channel,)] == pytest.approx(
            total("order_created", [channel])
        )
    assert found["warroom_campaign_channel_gmv_total", ("other",)] == pytest.approx(total("order_created", others))
    assert found["warroom_campaign_channel_uv", ("other",)] == len(
        {visit["user_id"] for visit in visits if visit["channel"] in others}
    )
    assert found["warroom_campaign_channel_roas_ratio", ("other",)] == pytest.approx(
        total("order_paid", others) / (25.0 * len(others))
    )
    assert len([1 for name, _ in found if name == "warroom_campaign_channel_gmv_total"]) == MOST_CHANNELS + 1
    assert found["warroom_campaign_target_attained_ratio", ("paid_gmv", "campaign")] == pytest.approx(
        total("order_paid") / 3000
    )
    assert ("warroom_campaign_target_attained_ratio", ("gmv", "phase")) in found
    assert len([1 for name, _ in found if name == "warroom_campaign_target_attained_ratio"]) == 2
    assert len([1 for name, _ in found if name == "warroom_campaign_budget_used_ratio"]) == MOST_CHANNELS + 1
    assert found["warroom_campaign_budget_used_ratio", ("other",)] == pytest.approx(0.25)
    assert found["warroom_watermark_age_seconds", ("orders",)] == pytest.approx(30)
    assert found["warroom_reporting_currency_info", ("CNY",)] == 1
    assert found["warroom_external_url_info", ("http://war.room",)] == 1
    assert found["warroom_campaign_target", ("paid_gmv", "campaign")] == 3000
    # Of three orders of 77.00 the last was later in its campaign than it is now in this one.
    assert found["warroom_campaign_baseline", ("gmv",)] == pytest.approx(154)
    assert found["warroom_campaign_funnel_users", ("visit",)] == 7
    assert found["warroom_campaign_funnel_users", ("order_paid",)] == 0, "nobody looked at an item"
    assert found["warroom_store_table_rows", ("order_events",)] >= len(orders)
    assert found["warroom_store_table_parts", ("order_events",)] >= 1
    (free,) = [value for (name, _), value in found.items() if name == "warroom_store_disk_free_bytes"]
    (size,) = [value for (name, _), value in found.items() if name == "warroom_store_disk_size_bytes"]
    assert 0 < free <= size


async def test_a_store_that_hides_its_disks_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch, desk: Desk, exporting: Exporter
) -> None:
    """Catches: numbers of campaigns that are lost because a user may not read the system tables."""
    monkeypatch.setattr(store_health, "_DISKS", "SELECT name FROM system.nothing_of_the_kind")
    await exporting.refresh()
    families = text_string_to_metric_families((await desk.client.get("/metrics")).text)
    found = {family.name for family in families if family.samples}
    assert "warroom_campaigns_running" in found
    assert not any(name.startswith(("warroom_store_disk_", "warroom_store_table_")) for name in found)


async def _running(desk: Desk) -> float:
    families = text_string_to_metric_families((await desk.client.get("/metrics")).text)
    return next(family.samples[0].value for family in families if family.name == "warroom_campaigns_running")


async def test_more_campaigns_than_the_bound_are_counted_and_not_exported(
    store: Store, desk: Desk, exporting: Exporter
) -> None:
    desk.now_ms += 86_400_000 * 365
    now = to_datetime(desk.now_ms)
    await exporting.refresh()
    # Campaigns of other tests may run for years.
    others = await _running(desk)
    names = [fresh_campaign("many") for _ in range(MOST_CAMPAIGNS + 3)]
    for number, name in enumerate(names):
        body = {
            "name": name,
            "start": (now - timedelta(hours=number + 1)).isoformat(),
            "end": (now + timedelta(hours=1)).isoformat(),
        }
        await desk.client.put(f"/api/v1/campaigns/{name}", json=body)
    await exporting.refresh()
    families = {
        family.name: family for family in text_string_to_metric_families((await desk.client.get("/metrics")).text)
    }
    exported = {sample.labels["campaign"] for sample in families["warroom_campaign_uv"].samples}
    assert exported == set(names[:MOST_CAMPAIGNS]), "those that started last"
    assert await _running(desk) == others + len(names)
    assert families["warroom_campaigns_exported"].samples[0].value == MOST_CAMPAIGNS


def test_names_follow_the_convention() -> None:
    """https://prometheus.io/docs/practices/naming/ : base units, `_total` for counters and for nothing else."""
    assert {business_name(metric) for metric in METRICS} <= BUSINESS.families.keys()
    for name, family in BUSINESS.families.items():
        assert re.fullmatch(r"warroom_[a-z_]+", name)
        assert name.endswith("_total") == family.counter
        assert not {"user_id", "order_id", "item_id"} & set(family.labels)
        assert family.help.endswith(".")


async def test_the_schedule_refreshes_and_withdraws_what_is_old(
    monkeypatch: pytest.MonkeyPatch, exporting: Exporter
) -> None:
    monkeypatch.setattr(exporter, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(exporter, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(exporter, "GONE_SECONDS", 0.05)
    outcomes: list[bool] = []
    away = asyncio.Event()

    async def refresh() -> None:
        outcomes.append(not away.is_set())
        if away.is_set():
            raise StoreUnavailable("gone")
        BUSINESS.publish({"warroom_campaigns_running": {(): 1}})

    monkeypatch.setattr(exporting, "refresh", refresh)
    failures = prometheus.BUSINESS_REFRESH_FAILURES._value.get()
    stop = asyncio.Event()
    running = asyncio.create_task(exporting.run(stop))
    await until(lambda: any(list(BUSINESS.collect())))
    away.set()
    await until(lambda: not list(BUSINESS.collect()))
    assert prometheus.BUSINESS_REFRESH_FAILURES._value.get() > failures
    away.clear()
    await until(lambda: bool(list(BUSINESS.collect())))
    stop.set()
    await asyncio.wait_for(running, 60)
    assert not list(BUSINESS.collect())
