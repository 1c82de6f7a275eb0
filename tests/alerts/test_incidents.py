"""The contract's acceptance, through the real queries: each incident fires, resolves, and nothing else fires."""

from __future__ import annotations

from collections.abc import Callable

from services.alerts.alert import Transition
from services.alerts.service import AlertsService
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.shop import Shop

FIRES_WITHIN = 20
RESOLVES_WITHIN = 90


async def play(shop: Shop, service: AlertsService, seconds: int, *, until: str | None = None) -> list[Transition]:
    """Ticks and looks, for so long or until an alert enters the state."""
    seen: list[Transition] = []
    for _ in range(seconds):
        shop.tick()
        seen += [t for t in await service.look() if t.alert.campaign_id in (shop.campaign, "*")]
        if until is not None and any(t.alert.state == until for t in seen):
            break
    return seen


def _spike(shop: Shop) -> Callable[[], None]:
    shop.factor["app"] = 8.0
    return shop.factor.clear


def _stock_out(shop: Shop) -> Callable[[], None]:
    shop.set_stock("sku-1", 0)
    return lambda: shop.set_stock("sku-1", 300)


def _refunds(shop: Shop) -> Callable[[], None]:
    shop.refund_burst = "sku-2"

    def end() -> None:
        shop.refund_burst = None

    return end


def _silence(shop: Shop) -> Callable[[], None]:
    shop.silent = True

    def end() -> None:
        shop.silent = False

    return end


async def test_each_incident_fires_and_resolves_in_time_and_nothing_else_does(store: Store) -> None:
    shop = Shop(store, {"app": 2.0, "web": 2.0, "live": 1.0})
    service = AlertsService(Settings(), store, clock=shop.clock)
    await service.restore()
    for item in shop.items:
        shop.set_stock(item, 500, safety=20)
    shop.write_history(until=25)
    assert await play(shop, service, 30) == []

    for begin, rule, labels in (
        (_spike, "traffic_spike", {"channel": "app"}),
        (_stock_out, "stock_out", {"item_id": "sku-1"}),
        (_refunds, "refund_anomaly", {"item_id": "sku-2"}),
        (_silence, "data_silence", {}),
    ):
        end = begin(shop)
        fired = await play(shop, service, FIRES_WITHIN, until="firing")
        assert [(t.alert.rule, t.notice) for t in fired] == [(rule, "firing")]
        assert fired[0].alert.labels == {"campaign_id": shop.campaign, **labels}
        assert await play(shop, service, 5) == []

        end()
        resolved = await play(shop, service, RESOLVES_WITHIN, until="resolved")
        assert [(t.alert.rule, t.notice) for t in resolved] == [(rule, "resolved")]
        assert resolved[0].alert.id == fired[0].alert.id
        assert resolved[0].alert.labels == fired[0].alert.labels
    assert await play(shop, service, 10) == []
