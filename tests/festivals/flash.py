"""A flash sale: three hours in bursts, people and devices that order for show, many refunds, stock that runs out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.festivals.script import HOUR, MINUTE, Festival, Item, Script, catalogue, moment, money

NAME: Final = "flash_sale.v2"
START: Final = moment("2026-07-04T09:00:00Z")
END: Final = moment("2026-07-04T12:00:00Z")
NOW: Final = moment("2026-07-04T12:30:00.250Z")

BODY: Final[dict[str, Any]] = {
    "name": "Flash",
    "start": "2026-07-04T09:00:00Z",
    "end": "2026-07-04T12:00:00Z",
    "timezone": "UTC",
    "gross_margin": 0.2,
    "phases": [
        {"name": "doors", "start": "2026-07-04T09:00:00Z", "end": "2026-07-04T10:00:30Z"},
        {"name": "rush", "start": "2026-07-04T10:00:30Z", "end": "2026-07-04T12:00:00Z"},
    ],
    "targets": {"total": {"gmv": "200000", "orders_paid": 700}, "phases": {"rush": {"paid_gmv": "90000"}}},
    "budgets": {"live": "700.00", "app": "100000"},
    "baseline_campaign_id": "presale-618",
}


def flash(seed: int, visits: int = 2_400) -> Festival:
    """Some fourteen thousand events in three hours and a half, as they are by default."""
    script = Script(seed, NOW)
    rng = script.rng
    items = catalogue(rng, "flash", 8, ["sneakers", "watches"])
    for number in range(visits):
        # Four bursts of a few seconds, in which many things happen in the same millisecond.
        burst = START + rng.choice((0, 60, 90, 150)) * MINUTE
        at_ms = burst + int(rng.expovariate(1 / 4_000)) if rng.random() < 0.6 else START + rng.randrange(3 * HOUR)
        who: dict[str, Any] = {
            "user_id": f"u{number % 2_000}",
            "channel": rng.choice(("live", "live", "app")),
            "region": "CN-31",
            "session_id": f"s{number}",
            "utm_source": rng.choice(("kol-1", "kol-2", None)),
        }
        at_ms = script.browse(at_ms, who, rng.choices(items, k=rng.randrange(1, 4)), pace_ms=3_000)
        if rng.random() < 0.4:
            device = rng.choice((None, "", f"d{rng.randrange(900)}"))
            script.buy(
                at_ms, who, rng.choices(items, k=rng.choice((1, 2))), device_id=device, new_customer=number < 700
            )
    for at_ms, user, device in _brushing():
        _order_for_show(script, at_ms, user, device, items)
    order = {"user_id": "nobody", "order_id": "never-paid", "currency": "CNY", "channel": "live"}
    script.tell("orders", "order_refunded", START + HOUR, order, value="33.30")
    script.stock(START - HOUR, END, items, 5 * MINUTE, [None, "east"])
    script.spend(START, END, ["live", "app"], 2 * MINUTE)
    return Festival(NAME, BODY, script.events, NOW)


def _brushing() -> Iterator[tuple[int, str, str | None]]:
    """Ten orders of one user or device in a clock hour are too many; nine, or ten over two hours, are not."""
    for number in range(10):
        yield START + number * 5 * MINUTE, "ten", None
        yield START + 55 * MINUTE + number * MINUTE, "over-two-hours", None
        yield START + HOUR + number * MINUTE, f"hand-{number}", "ten-hands"
        # The hour's first and last millisecond are its own.
        yield START + 2 * HOUR + number * (HOUR - 1) // 9, "to-the-edge", None
    for number in range(9):
        yield START + number * 5 * MINUTE, "nine", "nine"
    for number in range(14):
        yield START + 2 * HOUR + number * MINUTE, "both", "both"


def _order_for_show(script: Script, at_ms: int, user: str, device: str | None, items: list[Item]) -> None:
    rng = script.rng
    lines = script.lines(rng.choices(items, k=1))
    order = {
        "user_id": user,
        "device_id": device,
        "channel": "app",
        "region": "CN-44",
        "order_id": script.order_id(),
        "value": money(script.worth(lines)),
        "currency": "CNY",
        "items": lines,
    }
    script.tell("orders", "order_created", at_ms, order)
    script.tell("orders", "order_paid", at_ms, order)
    if rng.random() < 0.1:
        # Paid in two parts: two payments of one order.
        script.tell("orders", "order_paid", at_ms + 100, order, value="1.00")
    if rng.random() < 0.5:
        script.refund(at_ms + rng.randrange(1, HOUR), order, script.worth(lines))
