"""A seeded stream of some thirty thousand records that are as unkind as the contract allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, MILLENNIUM, NEVER_PUT, PUTS, SPANS
from tests.conformance.records import KEY_FIELD, MAX_BYTES, Record, epoch_ms, record, stamp
from tests.conformance.refusals import good_event, refusals, sized

CHANNELS: Final = (
    *("app",) * 8, *("web",) * 5, *("mini_program",) * 4, "live", "live", "store", None, None, "unknown", "App",
    "渠道" * 16, 'a "quoted" \\ one', "it's; -- x", "a,b\tc\nd", "\\N", "🎉", "nul\0",
)  # fmt: skip
REGIONS: Final = ("CN-31", "CN-31", "CN-31", "CN-11", "CN-44", "GB-ENG", "US-CA", "FR-2A", "CN-AH", None, None)
SOURCES: Final = (
    "douyin",
    "douyin",
    "小红书",
    "wechat",
    "e-mail",
    "NULL",
    "null",
    "a=b&c=d",
    "%",
    None,
    None,
    "unknown",
)
DEVICES: Final = ("mobile", "mobile", "mobile", "desktop", "tablet", "smart tv", None)
CATEGORIES: Final = ("phones", "cases", "食品", "men's", "a, b", "unknown", None)
ITEMS: Final = (
    *(f"sku-{number}" for number in range(1, 31)),
    "SKU-1", "sku_1", "sku%", "商品-甲", "caf\u00e9", "cafe\u0301", "'; DROP TABLE events; --", '"', "\\", " lead",
    "NaN", "0", "x" * 300,
)  # fmt: skip
ODD_USERS: Final = (
    "User-1", "user-1 ", "ユーザー", "u" * 128, "用" * 128, "jose\u0301", "jos\u00e9", "\\", "user\t1", "O'Neil",
    "nul\0",
)  # fmt: skip
JOURNEY: Final = ("page_view", "view_item", "add_to_cart", "begin_checkout")
CUSTOM: Final = (
    "live_room_enter", "view_3d_model", "order_paid", "order_created", "stock_level", "ad_spend", "c" * 64, "search",
    "view_promotion", "select_promotion", "page_view",
)  # fmt: skip
GAPS_MS: Final = (0, 0, 1, 999, 1000, 5_000, 60_000, 61_000, 240_000, 900_000, 3_600_000, -1, -30_000, -600_000)


class _Stream:
    """Makes records one after the other; the seed decides everything but the moments of the live campaign."""

    def __init__(self, seed: int, rates: dict[str, Decimal]) -> None:
        self.rng = Random(seed)
        self.rates = rates
        self.records: list[Record] = []
        self._ids: list[tuple[str, str]] = []
        self._used: set[tuple[str, str]] = set()
        self._campaign = ""
        self._span = (0, 0)
        self._edges: list[int] = []
        self._users: list[str] = []

    def campaign(self, campaign: str, users: int) -> None:
        """What follows belongs to this campaign."""
        start, end = SPANS[campaign]
        self._campaign = campaign
        self._span = (epoch_ms(start), epoch_ms(end))
        phases = PUTS.get(campaign, {}).get("phases", ())
        self._edges = [epoch_ms(phase[edge]) for phase in phases for edge in ("start", "end")]
        self._users = [f"user-{number}" for number in range(users)]
        self._users += ODD_USERS

    def moment(self) -> int:
        """Anywhere in the span, now and then on an edge or one millisecond beside it."""
        start, end = self._span
        if self.rng.random() < 0.06:
            hour = 3_600_000
            unit = self.rng.choice((60_000, 900_000, hour))
            edge = self.rng.choice((*self._edges, self.rng.randrange(start, end) // unit * unit))
            return min(max(edge + self.rng.choice((0, 0, -1, 1)), start), end - 1)
        return self.rng.randrange(start, end)

    def event(self, kind: str, name: str, at: int, **fields: Any) -> dict[str, Any]:
        """The common fields, with absent ones left out or sent as null."""
        event = {
            "event_id": self._event_id(kind),
            "event_name": name,
            "event_time": stamp(self.rng, at),
            "campaign_id": self._campaign,
            "region": self.rng.choice(REGIONS),
            **fields,
        }
        if "channel" not in event:
            event["channel"] = self.rng.choice(CHANNELS)
        kept = [(key, value) for key, value in event.items() if value is not None or self.rng.random() < 0.5]
        self.rng.shuffle(kept)
        return dict(kept)

    def _event_id(self, kind: str) -> str:
        """New in this topic; some have been used in another topic, where they are other events."""
        while self._ids and self.rng.random() < 0.05:
            owner, known = self.rng.choice(self._ids)
            if owner != kind and (kind, known) not in self._used:
                break
        else:
            number = self.rng.getrandbits(48)
            known = self.rng.choice(
                (f"{number:x}", f"E-{number}", f"标识-{number}", f"{number:064d}", f"it's {number}")
            )
        self._ids.append((kind, known))
        self._used.add((kind, known))
        return known

    def amount(self, cents: int) -> Any:
        """The same amount of money as one of the forms that are allowed."""
        exact = Decimal(cents) / 100
        forms: list[Any] = [str(exact), f"{exact:.2f}", float(exact), f"{exact:.2f}"]
        forms += [f"#{exact:.2f}#", f"#{exact:.3f}#", f"#{cents}e-2#", f"000{exact:.2f}"]
        if cents % 100 == 0:
            forms += [cents // 100, f"{cents // 100}", f"{exact:.4f}", f"#{cents // 100}.0E0#"]
        return self.rng.choice(forms)

    def count(self, most: int) -> int:
        """An integer, now and then one that 32 bits do not hold."""
        return 5_000_000_000 if self.rng.random() < 0.01 else self.rng.randrange(most)

    def currency(self) -> str:
        return "USD" if self.rng.random() < 0.02 else "CNY"

    def send(self, kind: str, event: dict[str, Any]) -> None:
        """Queues the event, sometimes with repeats that say something else under the same key."""
        self.records.append(record(kind, event, self._currency_reason(kind, event), rng=self.rng))
        key = str(event.get(KEY_FIELD[kind]) or "unknown")
        while self.rng.random() < 0.06:
            self.records.append(self._repeat(kind, event, key))

    def _repeat(self, kind: str, event: dict[str, Any], key: str) -> Record:
        other, reason = dict(event), None
        match self.rng.randrange(5):
            case 0:
                pass
            case 1:
                other |= {"campaign_id": self.rng.choice((FESTIVAL, DST, NEVER_PUT))}
            case 2:
                other |= {"event_time": stamp(self.rng, self.moment()), "channel": "web", "region": "CN-44"}
            case 3:
                other |= {"campaign_id": "not an id"}
                reason = "schema_violation"
            case _:
                other |= good_event(self.rng, kind, self._campaign) | {"event_id": event["event_id"]}
                other |= {"event_time": stamp(self.rng, self.moment())}
        return record(kind, other, reason or self._currency_reason(kind, other), key=key, rng=self.rng)

    def _currency_reason(self, kind: str, event: dict[str, Any]) -> str | None:
        supported = kind == "traffic" or event.get("currency") in {None, "CNY", *self.rates}
        return None if supported else "unsupported_currency"

    def traffic(self, name: str, user: str, at: int, **fields: Any) -> None:
        """Something that a visitor does; `fields` say what the dice would decide otherwise."""
        rng = self.rng
        event: dict[str, Any] = {
            "user_id": user,
            "session_id": rng.choice((f"s-{user}-{at // 1_800_000}", f"s-{rng.randrange(300)}", None)),
            "item_id": rng.choice(ITEMS) if rng.random() < 0.8 else None,
            "item_category": rng.choice(CATEGORIES),
            "utm_source": rng.choice(SOURCES),
            "utm_medium": rng.choice(("cpc", None)),
            "device_category": rng.choice(DEVICES),
            "engagement_time_msec": rng.choice((0, 1, 5200, 5_000_000_000, None)),
            "page_location": rng.choice(("https://shop.example/?a=1&b=%20", None)),
        }
        if rng.random() < 0.05:
            # Fields of other kinds mean nothing here, whatever they hold.
            event |= {"value": [1], "currency": "EUR", "new_customer": True, "items": "none", "order_id": 3}
        if rng.random() < 0.05:
            event |= {"phase": "爆发期", "extra": {"event_id": "x", "event_name": "page_view", "items": [{}, [None]]}}
        self.send("traffic", self.event("traffic", name, at, **{**event, **fields}))

    def journey(self) -> None:
        """A visitor on the way to an order, not always in the order that the funnel expects."""
        rng, user, at = self.rng, self.rng.choice(self._users), self.moment()
        home = {"channel": rng.choice(CHANNELS), "region": rng.choice(REGIONS), "utm_source": rng.choice(SOURCES)}
        thing = {"item_id": rng.choice(ITEMS), "item_category": rng.choice(CATEGORIES)}
        if rng.random() < 0.3:
            home, thing = {}, {}
        for _ in range(rng.randrange(1, 4)):
            self.traffic(rng.choice(("page_view", "page_view", *CUSTOM)), user, at, **home)
            at = self._later(at)
        for name in JOURNEY[1 : rng.choice((1, 2, 2, 3, 4, 4, 4))]:
            if rng.random() < 0.9:
                self.traffic(name, user, at, **home, **thing)
            at = self._later(at)
        if rng.random() < 0.4:
            self.order(user, at, thing, **home)

    def _later(self, at: int) -> int:
        start, end = self._span
        return min(max(at + self.rng.choice(GAPS_MS), start), end - 1)

    def order(self, user: str, at: int, thing: dict[str, Any], **fields: Any) -> None:
        """The life of an order: its refund may come before it, or without it."""
        rng = self.rng
        number = rng.getrandbits(48)
        items, cents = self._items(thing)
        cents = max(0, cents + rng.choice((0, 0, 1200, -500, -1000, 990)))
        base = {
            "user_id": user,
            "order_id": rng.choice((f"o-{number}", f"订单 {number}")),
            "currency": self.currency(),
            "items": items,
            "new_customer": rng.choice((True, False, False, None)),
            "utm_source": rng.choice(SOURCES),
            **fields,
        }
        if base["currency"] == "USD":
            base["items"], cents = rng.choice((None, [])), cents // 10 * 10
        if rng.random() < 0.02:
            cents = 1234567890_12_30 + rng.randrange(9) * 10
        steps = rng.choice(
            (
                ("order_created",),
                ("order_created", "order_paid"),
                ("order_created", "order_paid"),
                ("order_created", "payment_failed", "order_paid"),
                ("order_created", "order_cancelled"),
                ("order_created", "order_paid", "order_refunded"),
                ("order_created", "order_paid", "order_refunded", "order_refunded"),
                ("order_refunded", "order_created", "order_paid"),
                ("order_refunded",),
                ("order_paid",),
            )
        )
        for name in steps:
            value = cents if name != "order_refunded" else rng.randrange(0, cents + 1) // 10 * 10
            more: dict[str, Any] = {"value": self.amount(value)}
            if rng.random() < 0.1:
                more |= {"items": rng.choice((None, []))}
            if rng.random() < 0.1:
                # No fields of an order, so they move it to no device and no item.
                more |= {"device_category": "mobile", "item_id": "sku-1", "item_category": 7, "session_id": "s-1"}
            self.send("orders", self.event("orders", name, at, **{**base, **more}))
            at = self._later(at)

    def _items(self, thing: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
        items: list[dict[str, Any]] = []
        total = 0
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 3, 5))):
            quantity, cents = self.rng.choice((1, 1, 2, 7, 1000)), self.rng.choice((0, 1, 990, 4950, 10_000, 299_900))
            item = {
                "item_id": self.rng.choice((*ITEMS, items[0]["item_id"] if items else "sku-1")),
                "item_category": self.rng.choice(CATEGORIES),
                "quantity": quantity,
                "price": self.amount(cents),
                **(thing if not items else {}),
            }
            items.append({name: part for name, part in item.items() if part is not None or self.rng.random() < 0.5})
            total += quantity * cents
        return items, total

    def coupon(self) -> None:
        rng, user, at, number = self.rng, self.rng.choice(self._users), self.moment(), self.rng.getrandbits(40)
        steps = rng.choice(
            (("issued",), ("issued", "claimed"), ("issued", "claimed", "redeemed"), ("redeemed",), ("expired",))
        )
        for step in steps:
            fields: dict[str, Any] = {"coupon_id": f"c-{number}", "batch_id": "b-1", "user_id": user}
            if step == "redeemed" or rng.random() < 0.3:
                fields |= {
                    "face_value": self.amount(rng.choice((500, 2000, 0, 12340))),
                    "currency": self.currency() if step == "redeemed" else "CNY",
                }
            if rng.random() < 0.2:
                # Coupons have neither: they must not appear by source or by item.
                fields |= {"utm_source": "douyin", "item_id": "sku-1"}
            self.send("coupons", self.event("coupons", f"coupon_{step}", at, **fields))
            at = self._later(at)

    def stock(self, taken: set[tuple[str, str, int]]) -> None:
        rng, at, item = self.rng, self.moment(), self.rng.choice(ITEMS)
        warehouse = rng.choice(("上海", "east-1", "default", None, None))
        # Two levels of one item, warehouse and millisecond: the contract does not say which holds.
        if (item, warehouse or "default", at) not in taken:
            taken.add((item, warehouse or "default", at))
            level = self.event(
                "inventory", "stock_level", at, item_id=item, warehouse_id=warehouse, available=self.count(900)
            )
            # A repeat would be such a second level.
            level["event_id"] = f"stock-{rng.getrandbits(60):x}"
            self.records.append(record("inventory", level, rng=rng))

    def spend(self) -> None:
        rng = self.rng
        event = self.event(
            "spend",
            "ad_spend",
            self.moment(),
            cost=self.amount(rng.choice((0, 1, 12_340, 99_990, 500_000)) // 10 * 10),
            currency=self.currency(),
            utm_source=rng.choice(SOURCES),
            impressions=rng.choice((None, 0, 10, self.count(90_000))),
            clicks=rng.choice((None, 0, 3, self.count(1_800))),
        )
        if rng.random() < 0.2:
            event |= {"item_id": "sku-1", "device_category": "mobile"}
        self.send("spend", event)


_LEAP_DAY: Final = "2024-02-29T01:23:45.678Z"


def festival(seed: int, now: datetime, rates: dict[str, Decimal]) -> list[Record]:
    """Every record in the order of sending. `now` places the live campaign and what lies too far ahead."""
    stream = _Stream(seed, rates)
    for campaign, users, size in ((FESTIVAL, 1800, 3900), (DST, 300, 900), (NEVER_PUT, 60, 150)):
        stream.campaign(campaign, users)
        levels: set[tuple[str, str, int]] = set()
        for _ in range(size):
            stream.journey()
            if stream.rng.random() < 0.4:
                stream.coupon()
            if stream.rng.random() < 0.3:
                stream.stock(levels)
            if stream.rng.random() < 0.3:
                stream.spend()
    records = [*stream.records, *refusals(stream.rng, FESTIVAL, now), *_edges(stream.rng, now)]
    stream.rng.shuffle(records)
    return [*records, *_late_repeats(stream.rng, records)]


def _edges(rng: Random, now: datetime) -> Iterator[Record]:
    """The earliest time and the largest record that are allowed, and a campaign around the present."""
    first = good_event(rng, "traffic", MILLENNIUM) | {"event_time": "1999-12-31T19:00:00-05:00"}
    yield record("traffic", first)
    yield record("orders", good_event(rng, "orders", MILLENNIUM) | {"event_time": "2000-03-01T00:00:00Z"})
    yield sized(record("traffic", good_event(rng, "traffic", FESTIVAL)), MAX_BYTES)
    for basket in range(9):
        items = [{"item_id": f"rare-{basket}-{n}", "quantity": 1, "price": n + 1} for n in range(100)]
        yield record("orders", good_event(rng, "orders", NEVER_PUT) | {"event_time": _LEAP_DAY, "items": items})
    longest = {"event_id": "标" * 64, "campaign_id": "C._-" * 16, "user_id": "用" * 128}
    yield record("traffic", good_event(rng, "traffic", FESTIVAL) | longest)
    for seconds in (-7200, -3600, -600, -90, -5, 120, 300, 540):
        for kind in ("traffic", "orders", "spend"):
            time = (now + timedelta(seconds=seconds)).isoformat()
            yield record(kind, good_event(rng, kind, LIVE) | {"event_time": time})


def _late_repeats(rng: Random, records: list[Record]) -> Iterator[Record]:
    """Accepted records once more after everything else, some of them with another amount."""
    accepted = [sent for sent in records if sent.reason is None and sent.kind != "inventory"]
    for sent in rng.sample(accepted, 600):
        assert sent.value is not None
        event = json.loads(sent.value)
        if "value" in event and rng.random() < 0.5:
            event["value"] = "777.70"
        yield Record(sent.kind, sent.key, json.dumps(event).encode())
