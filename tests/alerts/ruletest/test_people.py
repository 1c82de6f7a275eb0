"""That rule tests see of people what the service would have read of the same events in a store."""

from __future__ import annotations

from services.alerts.detectors.concentration import searches
from services.alerts.detectors.order_brushing import OrderBrushingParameters
from services.alerts.readings.suspects import BatchSearch, Crowd, Search
from services.alerts.readings.watch import Found, Watch, Watched
from services.alerts.ruletest.notation import parse_series
from services.alerts.ruletest.people import People
from services.alerts.ruletest.series import Layout
from services.common.store import Store, StorePool
from tests.alerts.shop import Shop
from tests.support.rows import insert_rows, money

SECONDS = 900
SERIES = {
    'orders_paid{channel="app", value="12.00"}': "1x90",
    'orders_paid{channel="app", value="9.90", user_id="brusher", device_id="phone"}': "0x40 1x50",
    'orders_paid{channel="web", value="9.90", user_id="brusher"}': "0x85 3x5",
    'orders_paid{channel="web", value="5.00", device_id="farm"}': "0x60 2x30",
    'orders_paid{channel="store", value="5.00", device_id="till"}': "2x90",
    'orders_refunded{value="30.00", user_id="brusher"}': "0x30 1x60",
    'coupons_claimed{batch_id="b1"}': "2x90",
    'coupons_claimed{batch_id="b2", device_id="farm"}': "0x85 4x5",
}
ASKED: list[Search | BatchSearch] = [
    *searches(OrderBrushingParameters(), ["orders", "refunds", "claims"]),
    BatchSearch("claims", 60_000),
]


def _insert(shop: Shop, layout: Layout, begin: int) -> None:
    """The same events, each a row."""
    orders, coupons = [], []
    for one, counts in layout.deeds():
        for second, times in enumerate(counts.tolist()):
            for _ in range(times):
                shop.serial += 1
                who = {
                    "user_id": one.labels.get("user_id", f"u{shop.serial}"),
                    "device_id": one.labels.get("device_id", ""),
                    "channel": one.labels.get("channel", "unknown"),
                }
                moment = begin + second
                if one.name.startswith("coupons"):
                    row = shop.common("coupon_claimed", moment, moment * 1000)
                    batch = one.labels["batch_id"]
                    coupons.append(row | who | {"coupon_id": f"c{shop.serial}", "batch_id": batch, "currency": "CNY"})
                else:
                    name = {"orders_paid": "order_paid", "orders_refunded": "order_refunded"}[one.name]
                    value = money(round(float(one.labels["value"]) * 100))
                    sharp = {"event_time": shop.common(name, moment, moment * 1000)["event_time"], "value": value}
                    orders.append(shop.order(name, moment, moment * 1000, shop.items[0]) | who | sharp)
    insert_rows(shop.store, "order_events", orders)
    insert_rows(shop.store, "coupon_events", coupons)


async def test_written_series_hold_the_suspects_that_a_store_would(store: Store) -> None:
    """Catches: a till that is a suspect, accounts of a device counted wrongly, a window that is off by a second."""
    shop = Shop(store, {"app": 1.0})
    now = shop.now // 60_000 * 60_000
    begin = now // 1000 - SECONDS
    series = [parse_series(name, values) for name, values in SERIES.items()]
    layout = Layout(series, begin=begin, history=0, interval=10, length=SECONDS)
    _insert(shop, layout, begin)
    pool = StorePool(store, threads=1, name="people")
    try:
        watched = Watched(ASKED, {"orders": now, "coupons": now})
        read = (await Watch(pool).read(now, {shop.campaign: watched}))[shop.campaign]
    finally:
        await pool.close()
    written = People(layout.deeds(), begin).found(ASKED, now)
    for search in ASKED:
        assert _nameless(written, search) == _nameless(read, search)
    assert any(crowd.suspects for told in written.suspicions.values() for crowd in told.crowds.values())


def _nameless(found: Found, search: Search | BatchSearch) -> object:
    """Without names and ids, which the service makes up."""
    if isinstance(search, BatchSearch):
        told = found.batches[search]
        return dict(told.rows), told.before_ms
    return {kind: _crowd(crowd) for kind, crowd in found.suspicions[search].crowds.items() if crowd.histogram}


def _crowd(crowd: Crowd) -> object:
    return dict(crowd.histogram), [
        (one.count, one.others, bool(one.partner), one.amount, one.first, one.last, one.paid, len(one.points))
        for one in crowd.suspects
    ]
