"""Concentration and payment rules in the real store: who is told, how soon, and that nobody is named."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from services.alerts.alert import Alert, Transition
from services.alerts.service import AlertsService
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.cheats import coupon_events, order_events
from tests.alerts.shop import Shop

SECONDS = 44


@pytest.fixture
def shop(store: Store) -> Shop:
    """A shop with an hour of orders by 97 users, and of coupons of two batches."""
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")
    shop = Shop(store, {"app": 4.0}, users=5003)
    shop.write_history()
    order_events(shop, "payment_failed", 60, ago=10, every=60)
    for batch in ("b1", "b2"):
        coupon_events(shop, "coupon_claimed", 180, batch=batch, ago=10, every=20)
    return shop


def _happen(shop: Shop, second: int) -> None:
    """Everything at once: nobody's deeds hide another's."""
    if second % 3 == 0:
        order_events(shop, "order_paid", 1, user="brusher_x7", device="dev_x7")
        order_events(shop, "order_paid", 1, device="farm_x7")
    if second % 4 == 0:
        order_events(shop, "order_refunded", 1, user="fraud_x7", cents=30_000)
        order_events(shop, "order_paid", 1, user="clerk_x7", device="till_x7", store_id="store-1", channel="store")
    if second in (2, 9, 16, 23, 30):
        order_events(shop, "order_paid", 1, user="mum_x7", device="tablet_x7")
    if second % 2 == 0:
        coupon_events(shop, "coupon_claimed", 1, user="hunter_x7")
        coupon_events(shop, "coupon_claimed", 2, batch="b2")
    if 8 <= second < 30:
        order_events(shop, "payment_failed", 2, channel="app")


async def test_whoever_cheats_is_told_soon_and_nobody_else_and_not_by_name(shop: Shop) -> None:
    service = AlertsService(Settings(), shop.store, clock=shop.clock)
    await service.restore()
    for _ in range(7):
        shop.tick()
        assert await service.look() == []
    began = shop.now
    changes: list[Transition] = []
    for second in range(SECONDS):
        _happen(shop, second)
        shop.tick()
        changes += await service.look()
    fired: dict[tuple[str, str], list[tuple[int, Alert]]] = {}
    for change in changes:
        assert change.alert.state == "firing"
        alert = change.alert
        key = (alert.rule, str(alert.evidence.get("kind", "")))
        # One whose page waits for its cause is told of once more.
        if all(known.id != alert.id for _, known in fired.get(key, [])):
            fired.setdefault(key, []).append(((change.at - began) // 1000, alert))
    # An account that gets nothing but refunds is told as such, and its item is one that is refunded too often.
    fired.pop(("refund_anomaly", ""), None)
    due = {
        ("order_brushing", "account"): 21,
        ("order_brushing", "device"): 15,
        ("refund_abuse", "account"): 16,
        ("coupon_abuse", "account"): 18,
        ("coupon_abuse", ""): 20,
        ("payment_failure", ""): 8,
    }
    assert fired.keys() == due.keys()
    for key, improbable in due.items():
        ((second, alert),) = fired[key]
        assert improbable <= second <= improbable + 15, key
        told = json.dumps([dict(alert.labels), alert.summary, dict(alert.evidence), dict(alert.annotations)])
        assert "_x7" not in told
    refunds = fired["refund_abuse", "account"][0][1]
    assert refunds.impact is not None
    assert refunds.impact.loss_per_minute >= Decimal(1000)
    brushing = fired["order_brushing", "account"][0][1]
    assert set(brushing.labels) == {"campaign_id", "suspect"}
    assert len(brushing.evidence["events"]) == brushing.value >= 8
    assert fired["coupon_abuse", ""][0][1].labels["batch_id"] == "b2"
    outage = fired["payment_failure", ""][0][1]
    assert outage.labels["channel"] == "app"
    assert outage.impact is not None
    assert outage.impact.loss_per_minute > 100
