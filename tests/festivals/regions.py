"""A shop in many regions that runs one campaign id all year: experiments, utm marks, gaps in the data, currencies."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from tests.festivals.script import DAY, HOUR, Festival, Item, Script, catalogue, moment

NAME: Final = "Shop.all-year"
START: Final = moment("2026-03-01T00:00:00+05:30")
NOW: Final = moment("2026-03-12T13:07:45+05:30")

BODY: Final[dict[str, Any]] = {
    "name": "All year",
    "start": "2026-03-01T00:00:00+05:30",
    "end": "2026-03-20T00:00:00+05:30",
    # Half an hour off: hours and days of this clock are none of UTC's.
    "timezone": "Asia/Kolkata",
    "phases": [{"name": "holi", "start": "2026-03-03T00:00:00+05:30", "end": "2026-03-05T00:00:00+05:30"}],
    "targets": {"total": {"orders_paid": 1500, "clicks": 90000}, "phases": {"holi": {"net_sales": "50000"}}},
    "budgets": {"app": "3000.00", "web": "999999"},
}
RATES: Final = {"USD": "7.1234", "EUR": "8.3", "INR": "0.0811"}

REGIONS: Final = ["IN-MH", "IN-DL", "SG-01", "US-CA", "DE-BE", None]
MARKS: Final[list[dict[str, str | None]]] = [
    {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "holi"},
    {"utm_source": "google", "utm_medium": "organic"},
    {"utm_source": "instagram", "utm_medium": "story"},
    {"utm_medium": "email", "utm_campaign": "weekly"},
    {"utm_campaign": "leaflet"},
    {},
    {},
    {},
]


def regions(seed: int, customers: int = 1_500) -> Festival:
    """Some twenty-two thousand events over eleven days, as they are by default."""
    script = Script(seed, NOW)
    rng = script.rng
    items = catalogue(rng, "it", 150, ["sari", "spice", "tech", None])
    for number in range(customers):
        _customer(script, rng, f"customer-{number}", items)
    script.stock(START, NOW, items[:12], 9 * HOUR, ["mumbai", "delhi", None])
    script.spend(START, NOW, ["app", "web", None], 2 * HOUR, region="IN-MH")
    script.spend(START, NOW, ["web"], 6 * HOUR, currency="USD")
    return Festival(NAME, BODY, script.events, NOW, RATES)


def _customer(script: Script, rng: Random, user: str, items: list[Item]) -> None:
    region = rng.choice(REGIONS)
    arms = {"checkout-button": rng.choice("AB"), "price.tag": rng.choice(("control", "control", "v1", "v2"))}
    first = True
    for number in range(rng.choice((1, 2, 3, 5))):
        # Late evenings, so that sessions run over midnight.
        day = START + rng.randrange(11) * DAY
        at_ms = day + (23 * HOUR + rng.randrange(2 * HOUR) if rng.random() < 0.4 else rng.randrange(DAY))
        mark = dict(rng.choice(MARKS))
        who: dict[str, Any] = {"user_id": user, "region": region, "channel": rng.choice(("app", "web", "store", None))}
        seen = {**who, **mark, "device_category": rng.choice(("mobile", "tablet", None))}
        if rng.random() < 0.9:
            seen["session_id"] = f"s-{user}-{number}"
        experiment = rng.choice(("checkout-button", "price.tag", None))
        if experiment:
            seen["experiment"] = experiment
            # Some see both arms, of some the arm is not told.
            seen["variant"] = arms[experiment] if rng.random() < 0.97 else rng.choice(("A", "control", "v1", None))
        at_ms = script.browse(at_ms, seen, rng.choices(items, k=rng.choice((0, 1, 2, 4))), pace_ms=15 * 60_000)
        if rng.random() < (0.5 if arms["checkout-button"] == "A" else 0.4):
            # The same item twice, several of one category, or no items at all.
            chosen = rng.choices(items[:40], k=rng.choice((0, 1, 2, 3, 6)))
            chosen += chosen[:1] if rng.random() < 0.2 else []
            script.buy(
                at_ms + rng.choice((0, 2 * DAY)),
                {**seen, **who},
                chosen,
                currency=rng.choice(("CNY", "USD", "EUR", "INR")),
                new_customer=rng.choice((first, first, first, None)),
                device_id=f"dev-{user}",
                note="an unknown field",
            )
            first = False
