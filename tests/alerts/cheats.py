"""What cheats and broken cashiers leave in the store of a shop, at its present moment."""

from __future__ import annotations

from tests.alerts.shop import Shop
from tests.support.rows import insert_rows, money


def order_events(
    shop: Shop,
    name: str,
    times: int,
    *,
    user: str = "",
    device: str = "",
    channel: str = "app",
    store_id: str = "",
    cents: int = 1000,
    ago: float = 0.5,
    every: float = 0,
) -> None:
    """Events of one user, or each of another, at `ago` seconds before now; each `every` seconds before the last."""
    insert_rows(
        shop.store,
        "order_events",
        [
            shop.order(name, shop.now / 1000 - ago - number * every, shop.now, shop.items[0])
            | {
                "user_id": user or f"someone-{shop.serial}",
                "device_id": device or f"d-{user or shop.serial}",
                "channel": channel,
                "store_id": store_id,
                "value": money(cents),
            }
            for number in range(times)
        ],
    )


def coupon_events(
    shop: Shop,
    name: str,
    times: int,
    *,
    user: str = "",
    device: str = "",
    batch: str = "b1",
    ago: float = 0.5,
    every: float = 0,
) -> None:
    """Coupons of ten each."""
    rows = []
    for number in range(times):
        row = shop.common(name, shop.now / 1000 - ago - number * every, shop.now)
        rows.append(
            row
            | {
                "user_id": user or f"someone-{shop.serial}",
                "device_id": device or f"d-{user or shop.serial}",
                "coupon_id": f"c{shop.serial}",
                "batch_id": batch,
                "face_value": money(1000),
                "currency": "CNY",
            }
        )
    insert_rows(shop.store, "coupon_events", rows)
