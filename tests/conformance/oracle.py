"""What the contract says of a list of events, in plain Python. Slow, short, and written from its words alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.conformance.records import Record

Number = int | Fraction | Decimal | None
Money = Decimal
UNKNOWN: Final = "unknown"

DIMENSIONS: Final = (
    "channel",
    "region",
    "item_category",
    "item_id",
    "utm_source",
    "device_category",
    "phase",
    "customer_type",
)

_EVERY_EVENT: Final = {"channel", "region", "phase"}
CARRIES: Final[Mapping[str, set[str]]] = {
    "traffic": _EVERY_EVENT | {"item_category", "item_id", "utm_source", "device_category"},
    "orders": _EVERY_EVENT | {"item_category", "item_id", "utm_source", "customer_type"},
    "coupons": _EVERY_EVENT,
    "spend": _EVERY_EVENT | {"utm_source"},
}
"""The dimensions that each kind of event has."""

AMOUNT: Final = {"orders": "value", "coupons": "face_value", "spend": "cost"}
"""The field with the money of an event."""

COUNTED: Final = {
    "orders_created": "order_created",
    "orders_paid": "order_paid",
    "orders_cancelled": "order_cancelled",
    "orders_refunded": "order_refunded",
    "payments_failed": "payment_failed",
    "coupons_issued": "coupon_issued",
    "coupons_claimed": "coupon_claimed",
    "coupons_redeemed": "coupon_redeemed",
}
MONEY: Final = {"gmv", "paid_gmv", "refund_amount", "net_sales", "coupon_cost", "ad_cost", "cost"}
"""Exact, a decimal string in JSON."""

FUNNEL: Final = ("visit", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid")


@dataclass(frozen=True)
class Fact:
    """One accepted event, or one way in which an order counts: for one of its items."""

    kind: str
    name: str
    event_id: str
    campaign: str
    at: datetime
    user: str | None
    dims: Mapping[str, str]
    amount: Decimal
    raw: Mapping[str, Any] = field(repr=False)


def instant(text: str) -> datetime:
    """An RFC 3339 time in UTC; what is finer than a millisecond is cut off."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))", text)
    assert found, text
    day, clock, fraction, _, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    whole = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=timezone(offset))
    return (whole + timedelta(milliseconds=int(((fraction or "") + "000")[:3]))).astimezone(UTC)


def minute(moment: datetime) -> datetime:
    """The start of its minute."""
    return moment.replace(second=0, microsecond=0)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


class Oracle:
    """Everything that may be asked about the records that were sent, in the order in which they were sent."""

    def __init__(
        self,
        records: Iterable[Record],
        campaigns: Mapping[str, Mapping[str, Any]],
        rates: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._campaigns = campaigns
        self._rates = rates or {}
        self.events: dict[str, list[Fact]] = {}
        self._chosen: dict[tuple[str, bool, str | None, str | None], list[Fact]] = {}
        seen: set[tuple[str, str]] = set()
        for record in records:
            if record.reason is not None:
                continue
            assert record.value is not None
            raw = _without_nulls(json.loads(record.value, parse_float=Decimal, parse_int=Decimal))
            if (record.kind, raw["event_id"]) not in seen:
                seen.add((record.kind, raw["event_id"]))
                self.events.setdefault(raw["campaign_id"], []).append(self._fact(record.kind, raw))

    def _fact(self, kind: str, raw: Mapping[str, Any]) -> Fact:
        at = instant(raw["event_time"])
        new = raw.get("new_customer")
        carried = {
            **{name: raw.get(name, UNKNOWN) for name in DIMENSIONS},
            "phase": self._phase(raw["campaign_id"], at),
            "customer_type": UNKNOWN if new is None else ("new" if new else "returning"),
        }
        amount = Decimal(raw.get(AMOUNT[kind], 0)) if kind in AMOUNT else Decimal(0)
        return Fact(
            kind,
            raw["event_name"],
            raw["event_id"],
            raw["campaign_id"],
            at,
            raw.get("user_id"),
            {name: carried[name] for name in CARRIES.get(kind, ())},
            amount * self._rate(raw),
            raw,
        )

    def _rate(self, raw: Mapping[str, Any]) -> Decimal:
        return self._rates.get(raw.get("currency", ""), Decimal(1))

    def _phase(self, campaign: str, at: datetime) -> str:
        for phase in self._campaigns.get(campaign, {}).get("phases", ()):
            if instant(phase["start"]) <= at < instant(phase["end"]):
                return str(phase["name"])
        return UNKNOWN

    def margin(self, campaign: str) -> Fraction:
        """The gross margin of the campaign."""
        return Fraction(str(self._campaigns.get(campaign, {}).get("gross_margin", 1)))

    def zone(self, campaign: str, default: str) -> ZoneInfo:
        """The campaign's time zone."""
        return ZoneInfo(self._campaigns.get(campaign, {}).get("timezone", default))

    def first(self, campaign: str) -> datetime:
        """When its first event happened."""
        return min(event.at for event in self.events[campaign])

    def select(
        self, campaign: str, start: datetime, end: datetime, filters: Mapping[str, str], by: Iterable[str] = ()
    ) -> Iterator[Fact]:
        """The events of a period as they count under the filters and when grouped by `by`.

        With an item dimension in play an order counts once for each of its items, with that item's part of the amount.
        """
        asked = {*filters, *by}
        by_item = bool(asked & {"item_id", "item_category"})
        begin, close = minute(start), minute(end)
        for fact in self._having(campaign, by_item, *next(iter(filters.items()), (None, None))):
            if (
                begin <= fact.at < close
                and asked <= CARRIES.get(fact.kind, set())
                and all(fact.dims[name] == value for name, value in filters.items())
            ):
                yield fact

    def _having(self, campaign: str, by_item: bool, name: str | None, value: str | None) -> list[Fact]:
        """A first choice, remembered: reading all events for each question would take minutes."""
        key = (campaign, by_item, name, value)
        if key not in self._chosen:
            self._chosen[key] = [
                part
                for event in self.events.get(campaign, ())
                for part in (self._items(event) if by_item and event.kind == "orders" else (event,))
                if name is None or part.dims.get(name) == value
            ]
        return self._chosen[key]

    def _items(self, event: Fact) -> Iterator[Fact]:
        items = event.raw.get("items")
        if not items:
            yield event.__class__(
                **{**vars(event), "dims": {**event.dims, "item_id": UNKNOWN, "item_category": UNKNOWN}}
            )
        for item in items or ():
            dims = {"item_id": item["item_id"], "item_category": item.get("item_category", UNKNOWN)}
            amount = item["quantity"] * Decimal(item["price"]) * self._rate(event.raw)
            yield event.__class__(**{**vars(event), "dims": {**event.dims, **dims}, "amount": amount})

    def table(
        self,
        campaign: str,
        start: datetime,
        end: datetime,
        filters: Mapping[str, str] | None = None,
        by: str | None = None,
        bucket: Callable[[datetime], datetime] | None = None,
    ) -> dict[tuple[Hashable, Hashable], dict[str, Number]]:
        """Every metric by (bucket, value of the dimension); None where it is not split that way.

        What has no events has no entry; `nothing` tells what the metrics are there.
        """
        filters = filters or {}
        groups: dict[tuple[Hashable, Hashable], list[Fact]] = {}
        for fact in self.select(campaign, start, end, filters, () if by is None else (by,)):
            key = (bucket(fact.at) if bucket else None, fact.dims[by] if by else None)
            groups.setdefault(key, []).append(fact)
        lacking = lacks({*filters, *(() if by is None else (by,))})
        return {key: measure(facts, self.margin(campaign), lacking) for key, facts in groups.items()}

    def overview(
        self, campaign: str, start: datetime, end: datetime, filters: Mapping[str, str] | None = None
    ) -> dict[str, Number]:
        """Every metric over one period."""
        facts = list(self.select(campaign, start, end, filters or {}))
        return measure(facts, self.margin(campaign), lacks(set(filters or {})))

    def funnel(
        self,
        campaign: str,
        start: datetime,
        end: datetime,
        filters: Mapping[str, str] | None = None,
        by: str | None = None,
    ) -> dict[str | None, list[int | None]]:
        """Users that reached each step, by value of the dimension; None where a step's events lack a dimension."""
        filters = filters or {}
        lacking = lacks({*filters, *(() if by is None else (by,))})
        groups: dict[str | None, dict[str, list[Fact]]] = {} if by else {None: {}}
        for fact in self.select(campaign, start, end, filters, () if by is None else (by,)):
            if fact.kind in ("traffic", "orders") and fact.user is not None:
                users = groups.setdefault(fact.dims[by] if by else None, {})
                users.setdefault(fact.user, []).append(fact)
        return {
            value: [
                None
                if lacking & {"traffic", "orders"} & _kinds_until(step)
                else sum(reached >= step for reached in depth)
                for step in range(1, len(FUNNEL) + 1)
            ]
            for value, users in groups.items()
            for depth in [[_depth(facts) for facts in users.values()]]
        }

    def stock(self, campaign: str, end: datetime) -> dict[str, int]:
        """What was available of each item at the end, over all its warehouses."""
        latest: dict[tuple[str, str], Fact] = {}
        for event in self.events.get(campaign, ()):
            if event.kind == "inventory" and event.at < minute(end):
                key = (event.raw["item_id"], event.raw.get("warehouse_id", "default"))
                if key not in latest or latest[key].at < event.at:
                    latest[key] = event
        levels: dict[str, int] = {}
        for (item, _), event in latest.items():
            levels[item] = levels.get(item, 0) + int(event.raw["available"])
        return levels


def lacks(dimensions: set[str]) -> set[str]:
    """The kinds of events that do not have all of the dimensions."""
    return {kind for kind, carried in CARRIES.items() if not dimensions <= carried}


def _ratio(above: Number, below: Number) -> Number:
    return None if above is None or below is None or below == 0 else Fraction(above) / Fraction(below)


def _plus(one: Decimal | None, other: Decimal | None, sign: int = 1) -> Decimal | None:
    return None if one is None or other is None else one + sign * other


def measure(facts: Iterable[Fact], margin: Fraction, lacking: set[str]) -> dict[str, Number]:
    """Every metric of the contract's table over these facts; those of the lacking kinds are None."""
    named: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        named.setdefault((fact.kind, fact.name), []).append(fact)

    def of(kind: str, *names: str) -> list[Fact] | None:
        every = names or {name for other, name in named if other == kind}
        return None if kind in lacking else [fact for name in every for fact in named.get((kind, name), ())]

    def count(found: list[Fact] | None) -> int | None:
        return None if found is None else len({f.event_id for f in found})

    def distinct(found: list[Fact] | None, what: Callable[[Fact], Any]) -> int | None:
        return None if found is None else len({what(f) for f in found} - {None})

    def money(found: list[Fact] | None) -> Decimal | None:
        return None if found is None else sum((f.amount for f in found), Decimal(0))

    def total(found: list[Fact] | None, name: str) -> int | None:
        return None if found is None else sum(int(f.raw.get(name, 0)) for f in found)

    paid, traffic, spend = of("orders", "order_paid"), of("traffic"), of("spend", "ad_spend")
    m: dict[str, Any] = {
        name: count(of("coupons" if event.startswith("coupon") else "orders", event)) for name, event in COUNTED.items()
    }
    m["pv"] = count(of("traffic", "page_view", "view_item"))
    m["uv"] = distinct(traffic, lambda f: f.user)
    m["sessions"] = distinct(traffic, lambda f: f.raw.get("session_id"))
    m["gmv"] = money(of("orders", "order_created"))
    m["paid_gmv"] = money(paid)
    m["refund_amount"] = money(of("orders", "order_refunded"))
    m["net_sales"] = _plus(m["paid_gmv"], m["refund_amount"], -1)
    m["buyers"] = distinct(paid, lambda f: f.user)
    m["new_buyers"] = distinct(paid, lambda f: f.user if f.raw.get("new_customer") is True else None)
    m["aov"] = _ratio(m["paid_gmv"], m["orders_paid"])
    m["conversion_rate"] = _ratio(m["buyers"], m["uv"])
    m["payment_rate"] = _ratio(m["orders_paid"], m["orders_created"])
    m["refund_rate"] = _ratio(m["orders_refunded"], m["orders_paid"])
    m["refund_amount_rate"] = _ratio(m["refund_amount"], m["paid_gmv"])
    m["coupon_redemption_rate"] = _ratio(m["coupons_redeemed"], m["coupons_claimed"])
    m["coupon_cost"] = money(of("coupons", "coupon_redeemed"))
    m["ad_cost"] = money(spend)
    m["impressions"] = total(spend, "impressions")
    m["clicks"] = total(spend, "clicks")
    m["cost"] = _plus(m["ad_cost"], m["coupon_cost"])
    m["roas"] = _ratio(m["paid_gmv"], m["ad_cost"])
    known = m["net_sales"] is not None and m["cost"] is not None
    m["roi"] = _ratio(Fraction(m["net_sales"]) * margin - Fraction(m["cost"]) if known else None, m["cost"])
    m["cac"] = _ratio(m["cost"], m["new_buyers"])
    m["cpa"] = _ratio(m["ad_cost"], m["orders_paid"])
    m["cpc"] = _ratio(m["ad_cost"], m["clicks"])
    m["ctr"] = _ratio(m["clicks"], m["impressions"])
    return m


METRICS: Final = tuple(measure([], Fraction(1), set()))


def _kinds_until(step: int) -> set[str]:
    return {"traffic"} if step <= 4 else {"traffic", "orders"}


def _depth(facts: Iterable[Fact]) -> int:
    """How many steps one user's events reach: each step takes the earliest event at or after the step before."""
    facts = list(facts)
    since: datetime | None = None
    for depth, step in enumerate(FUNNEL):
        kind = "traffic" if depth < 4 else "orders"
        fits = (f.at for f in facts if f.kind == kind and (step in ("visit", f.name)))
        since = min((at for at in fits if since is None or at >= since), default=None)
        if since is None:
            return depth
    return len(FUNNEL)


def bucket_start(moment: datetime, interval: str, zone: ZoneInfo) -> datetime:
    """The start of the bucket on the campaign's clock that holds the moment."""
    local = moment.astimezone(zone)
    if interval == "1d":
        start = datetime(local.year, local.month, local.day, tzinfo=zone)
    else:
        length = {"1m": 1, "15m": 15, "1h": 60}[interval]
        past = timedelta(minutes=local.minute % length, seconds=local.second, microseconds=local.microsecond)
        start = (moment - past).astimezone(zone)
    return start.astimezone(UTC)


def buckets(start: datetime, end: datetime, interval: str, zone: ZoneInfo) -> list[datetime]:
    """The start of every bucket that has a minute in `[start, end)`."""
    found: list[datetime] = []
    moment = minute(start)
    while moment < minute(end):
        begin = bucket_start(moment, interval, zone)
        if not found or found[-1] != begin:
            found.append(begin)
        moment += timedelta(minutes=1)
    return found
