"""A long pre-sale: twelve days in Shanghai with four phases, coupons claimed long before they are used."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from tests.festivals.script import DAY, HOUR, Festival, Script, catalogue, moment

NAME: Final = "presale-618"
START: Final = moment("2026-06-08T20:00:00+08:00")
BURST: Final = moment("2026-06-18T00:00:00+08:00")
END: Final = moment("2026-06-20T20:00:00+08:00")
NOW: Final = moment("2026-06-18T21:37:20+08:00")

BODY: Final[dict[str, Any]] = {
    "name": "618 预售",
    "start": "2026-06-08T20:00:00+08:00",
    "end": "2026-06-20T20:00:00+08:00",
    "timezone": "Asia/Shanghai",
    "gross_margin": "0.32",
    "phases": [
        {"name": "warm-up", "start": "2026-06-08T20:00:00+08:00", "end": "2026-06-16T00:00:00+08:00"},
        # A night between the phases belongs to none.
        {"name": "burst", "start": "2026-06-17T20:00:00+08:00", "end": "2026-06-19T00:00:00+08:00"},
        {"name": "long tail", "start": "2026-06-19T00:00:00+08:00", "end": "2026-06-20T00:00:00+08:00"},
        {"name": "review", "start": "2026-06-20T00:00:00+08:00", "end": "2026-06-20T20:00:00+08:00"},
    ],
    "targets": {
        "total": {
            "gmv": "1500000.00", "orders_paid": 2600, "uv": 7000, "roi": 3, "ad_cost": "40000",
            "conversion_rate": "0.30", "net_sales": "1200000",
        },
        "phases": {
            "warm-up": {"gmv": "300000.00", "buyers": 500},
            "burst": {"paid_gmv": "900000.00", "coupons_redeemed": 600},
            "review": {"orders_refunded": 10},
        },
    },
    "budgets": {"app": "9000.00", "live": "1800.00", "web": "5999.38", "kiosk": "50", "mini_program": "0"},
    "baseline_campaign_id": "Shop.all-year",
}  # fmt: skip

CHANNELS: Final = ["app", "app", "app", "web", "mini_program", "live"]
REGIONS: Final = ["CN-31", "CN-11", "CN-44", "CN-33"]


def presale(seed: int, shoppers: int = 6_600) -> Festival:
    """Some thirty-seven thousand events, as they are by default."""
    script = Script(seed, NOW)
    rng = script.rng
    items = catalogue(rng, "pre", 60, ["phones", "beauty", "food", "home", None])
    for number in range(shoppers):
        _shopper(script, rng, f"user-{number}", items)
    script.stock(START, END, items[:25], 18 * HOUR, ["shanghai", "tianjin"])
    script.spend(START, END, ["app", "web", "live", "mini_program"], HOUR)
    return Festival(NAME, BODY, script.events, NOW)


def _shopper(script: Script, rng: Random, user: str, items: list[Any]) -> None:
    who: dict[str, Any] = {
        "user_id": user,
        "channel": rng.choice(CHANNELS),
        "region": rng.choice(REGIONS),
        "device_category": rng.choice(("mobile", "mobile", "desktop")),
        "utm_source": rng.choice(("douyin", "weibo", "wechat", None)),
    }
    coupon = f"c-{user}" if rng.random() < 0.4 else None
    claimed = START + rng.randrange(8 * DAY)
    carried = {name: who[name] for name in ("user_id", "channel", "region")}
    about = {**carried, "coupon_id": coupon, "batch_id": f"batch-{rng.randrange(5)}"}
    if coupon:
        script.tell("coupons", "coupon_issued", max(START, claimed - rng.randrange(DAY)), about)
        if rng.random() < 0.7:
            script.tell("coupons", "coupon_claimed", claimed, about)
    visits = [START + rng.randrange(9 * DAY)] if rng.random() < 0.6 else []
    if not visits or rng.random() < 0.4:
        # Most come in the first minutes of the night and in the evening.
        visits.append(BURST + int(rng.choice((abs(rng.gauss(0, 0.3)), rng.uniform(0, 22))) * HOUR))
    regular = rng.random() < 0.5
    for number, begin in enumerate(visits):
        visit = {**who, "session_id": f"s-{user}-{number}"}
        at_ms = script.browse(begin, visit, rng.sample(items, rng.choice((0, 1, 1, 2))))
        if rng.random() < 0.34:
            new = None if rng.random() < 0.1 else (not regular and number == 0)
            order, paid = script.buy(
                at_ms, visit, rng.sample(items, rng.choice((1, 1, 2, 4))), new_customer=new, coupon_id=coupon
            )
            if coupon and paid:
                face = {"face_value": f"{rng.choice((5, 20, 50))}.00", "currency": "CNY", "order_id": order}
                script.tell("coupons", "coupon_redeemed", paid, about, **face)
                coupon = None
    if coupon and rng.random() < 0.5:
        script.tell("coupons", "coupon_expired", BURST + 20 * HOUR, about)
