"""From written series to a past in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from schemas.metrics import DIMENSIONS, MEASURES, Kind, Shape
from services.alerts.memory.past import Past, Sales, Stream, running
from services.alerts.plan import Plan
from services.alerts.ruletest.notation import Written
from services.alerts.ruletest.people import DEEDS
from services.alerts.scene import Refund
from services.alerts.series import Counts
from services.alerts.shelf import ShelfRow

_MEASURED = {name: measure for name, measure in MEASURES.items() if name not in ("pv", "paid_units")}
PIPELINE_SERIES = {
    "refused": ("topic",),
    "consumed": ("topic",),
    "lag": ("topic",),
    "delivered": ("receiver", "type"),
}
"""What is about no campaign, with its labels; the first of them is needed."""
SERIES = ("traffic", *_MEASURED, "stock", *PIPELINE_SERIES)
"""What a series may be named: `traffic` counts page views, other events are named as what they count."""

_MONEY_OF = {
    "orders_created": "gmv",
    "orders_paid": "paid_gmv",
    "orders_refunded": "refund_amount",
    "coupons_redeemed": "coupon_cost",
}
"""The amount that `value="..."` gives each of these events."""
_PEOPLE_LABELS = ("user_id", "device_id", "batch_id")
_STOCK_LABELS = ("item_id", "warehouse_id", "safety_stock")


def check_series(series: Written) -> None:
    """Raises `ValueError` where it means nothing."""
    name, labels = series.name, series.labels
    if name not in SERIES:
        raise ValueError(f"there is no series {name!r}; known are {', '.join(SERIES)}")
    known = _labels_of(name)
    for label in labels:
        if label not in known:
            raise ValueError(f"{name} has no label {label!r}; it has {', '.join(known)}")
    needed = "item_id" if name == "stock" else PIPELINE_SERIES[name][0] if name in PIPELINE_SERIES else None
    if needed is not None and needed not in labels:
        raise ValueError(f"{name} needs the label {needed!r}")
    if not _is_money(name):
        for value in series.values:
            if value is not None and value != int(value):
                raise ValueError(f"{name} counts whole numbers, and {value} is none")
    for label in ("value", "safety_stock"):
        if label in labels:
            _amount(labels[label])


def _labels_of(name: str) -> Sequence[str]:
    if name in PIPELINE_SERIES:
        return PIPELINE_SERIES[name]
    if name == "stock":
        return _STOCK_LABELS
    kind = Kind.TRAFFIC if name == "traffic" else MEASURES[name].kind
    carried = [dimension for dimension, kinds in DIMENSIONS.items() if kind in kinds and dimension != "phase"]
    people = () if name not in DEEDS else _PEOPLE_LABELS if kind is Kind.COUPONS else _PEOPLE_LABELS[:2]
    return [*carried, *people, *(["value"] if name in _MONEY_OF else [])]


def _is_money(name: str) -> bool:
    return name in MEASURES and MEASURES[name].shape is Shape.MONEY


class Layout:
    """Lays series out over the seconds of `history` before the beginning and of the test."""

    def __init__(self, series: Sequence[Written], *, begin: int, history: int, interval: int, length: int) -> None:
        self._begin, self._history, self._interval = begin, history, interval
        self._length = history + length
        self._before = -(-history // interval)
        # The first interval may begin before the history does.
        self._ahead = self._before * interval - history
        self._series = series

    def past(self, campaign: str, plan: Plan) -> Past:
        """The campaign's past."""
        past = Past(campaign, self._begin - self._history, self._length, plan)
        past.orders = np.zeros(self._length, dtype=np.int64)
        items = {one.labels["item_id"] for one in self._series if "item_id" in one.labels}
        first = past.begin // 3600
        past.items = {hour: len(items) for hour in range(first, first + self._length // 3600 + 2)}
        has_visitors = any(one.name == "uv" for one in self._series)
        has_buyers = any(one.name == "buyers" for one in self._series)
        streams: list[Stream] = []
        refunds: list[Refund] = []
        for one in self._series:
            if one.name == "stock" or one.name in PIPELINE_SERIES:
                continue
            counts = self._spread(one)
            labels = {name: value for name, value in one.labels.items() if name in DIMENSIONS}
            measures = self._measures(one, counts, has_visitors=has_visitors, has_buyers=has_buyers)
            kind = Kind.TRAFFIC if one.name == "traffic" else MEASURES[one.name].kind
            streams.append(Stream(kind, labels, {name: running(total) for name, total in measures.items()}))
            self._count(past, one.name, labels.get("channel", "unknown"), kind, counts)
            if one.name == "orders_refunded":
                item = labels.get("item_id", "unknown")
                channel = labels.get("channel", "unknown")
                refunds += [
                    Refund(past.begin + int(s), channel, (item,), int(counts[s])) for s in np.flatnonzero(counts)
                ]
        past.streams = streams
        past.sales = self._sales(past.begin)
        past.refunds = sorted(refunds, key=lambda refund: refund.second)
        past.stock = sorted(self._stock(campaign), key=lambda row: row[0])
        for second, _ in past.stock:
            past.kinds.setdefault("inventory", np.zeros(self._length, dtype=np.int64))[second - past.begin] += 1
        return past

    def deeds(self) -> Iterator[tuple[Written, Counts]]:
        """What somebody did, in each second from the history's beginning."""
        return ((one, self._spread(one)) for one in self._series if one.name in DEEDS)

    def deliveries(self) -> Iterator[tuple[Mapping[str, str], Sequence[tuple[int, bool]]]]:
        """Of each receiver the labels and its attempts: the second since the history's beginning, whether it was
        taken."""
        for one in self._series:
            if one.name == "delivered":
                yield (
                    one.labels,
                    [
                        (max(0, place * self._interval - self._ahead), value > 0)
                        for place, value in enumerate(self._intervals(one))
                        if value is not None
                    ],
                )

    def pipeline(self, name: str) -> dict[str, Counts]:
        """A series about the pipeline, by topic, for each second from the history's beginning: events, or the lag."""
        found: dict[str, Counts] = {}
        for one in self._series:
            if one.name == name:
                found[one.labels["topic"]] = self._held(one) if name == "lag" else self._spread(one)
        return found

    def _count(self, past: Past, name: str, channel: str, kind: Kind, counts: Counts) -> None:
        if MEASURES.get(name, MEASURES["pv"]).shape is not Shape.COUNT or name in ("impressions", "clicks"):
            # Amounts and users come with events that have a series of their own, but for spend.
            if name != "ad_cost":
                return
            counts = (counts > 0).astype(np.int64)
        known = past.kinds.setdefault(kind.value, np.zeros(self._length, dtype=np.int64))
        known += counts
        if name == "traffic":
            past.traffic[channel] = past.traffic.get(channel, 0) + counts
        elif name in ("orders_created", "orders_paid"):
            past.orders += counts
            if name == "orders_paid":
                past.paid[channel] = past.paid.get(channel, 0) + counts

    @staticmethod
    def _measures(one: Written, counts: Counts, *, has_visitors: bool, has_buyers: bool) -> Mapping[str, Counts]:
        if one.name == "traffic":
            # Without a series of its own every visitor is another one.
            return {"pv": counts} if has_visitors else {"pv": counts, "uv": counts, "sessions": counts}
        measures = {one.name: counts}
        if one.name in _MONEY_OF and "value" in one.labels:
            measures[_MONEY_OF[one.name]] = counts * int(_amount(one.labels["value"]) * 100)
        if one.name == "orders_paid" and not has_buyers:
            measures["buyers"] = counts
            if one.labels.get("customer_type") == "new":
                measures["new_buyers"] = counts
        return measures

    def _intervals(self, one: Written) -> list[Decimal | None]:
        """A value for each interval of which a part lies within the history or the test."""
        values = [one.values[0]] * self._before + list(one.values)
        wanted = -(-(self._length + self._ahead) // self._interval)
        return (values + [None] * wanted)[:wanted]

    def _spread(self, one: Written) -> Counts:
        """What happens in each second: an interval's events at even distances in it. Money in hundredths."""
        factor = 100 if _is_money(one.name) else 1
        counts = np.array([0 if v is None else int(v * factor) for v in self._intervals(one)], dtype=np.int64)
        places = np.arange(self._interval + 1, dtype=np.int64)
        spread = np.diff(counts[:, None] * places // self._interval, axis=1).reshape(-1)
        result: Counts = spread[self._ahead : self._ahead + self._length].astype(np.int64)
        return result

    def _held(self, one: Written) -> Counts:
        values = [0 if value is None else int(value) for value in self._intervals(one)]
        held = np.repeat(np.array(values, dtype=np.int64), self._interval)
        result: Counts = held[self._ahead : self._ahead + self._length]
        return result

    def _sales(self, begin: int) -> Sales:
        """An order with an item is of one piece."""
        sold = [one for one in self._series if one.name == "orders_paid" and "item_id" in one.labels]
        items = sorted({one.labels["item_id"] for one in sold})
        found = []
        for one in sold:
            counts = self._spread(one)
            seconds = np.flatnonzero(counts)
            units = counts[seconds]
            price = int(_amount(one.labels.get("value", "0")) * 100)
            place = np.full(len(seconds), items.index(one.labels["item_id"]), dtype=np.int64)
            found.append(np.stack([seconds + begin, place, units, units * price, units]))
        if not found:
            return Sales()
        columns = np.concatenate(found, axis=1)
        return Sales(items, *columns[:, np.argsort(columns[0], kind="stable")])

    def _stock(self, campaign: str) -> list[tuple[int, ShelfRow]]:
        rows = []
        start = self._begin - self._history
        for one in self._series:
            if one.name != "stock":
                continue
            safety = one.labels.get("safety_stock")
            for place, value in enumerate(self._intervals(one)):
                if value is not None:
                    second = max(start, start - self._ahead + place * self._interval)
                    row = ShelfRow(
                        campaign,
                        one.labels["item_id"],
                        one.labels.get("warehouse_id", "default"),
                        second // 60 * 60,
                        int(value),
                        None if safety is None else int(_amount(safety)),
                    )
                    rows.append((second, row))
        return rows


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not amount.is_finite() or amount < 0 or amount * 100 != int(amount * 100):
        raise ValueError(f"{text!r} must have at most two decimals, and not be negative")
    return amount
