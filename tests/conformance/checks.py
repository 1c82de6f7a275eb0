"""One question over HTTP held against the oracle; each check returns what is wrong, a line for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.conformance.campaigns import PUTS
from tests.conformance.compare import differences, nothing, same
from tests.conformance.oracle import FUNNEL, METRICS, Number, bucket_start, buckets, instant, lacks, measure, minute
from tests.conformance.system import System

Period = tuple[str, str]
EVERY = ",".join(METRICS)


def period_problems(system: System, campaign: str, start: str | None, end: str | None) -> list[str]:
    """The overview of a period: bounds in whole minutes, the default ones included, and every metric between them."""
    before = datetime.now(UTC)
    answer = system.get(f"/campaigns/{campaign}/overview", from_=start, to=end)
    after = datetime.now(UTC)
    said = instant(answer["from"]), instant(answer["to"])

    begin = start or PUTS.get(campaign, {}).get("start")
    first = minute(instant(begin) if begin else system.oracle.first(campaign))
    this_minute = {minute(moment) + timedelta(minutes=1) for moment in (before, after)}
    lasts = this_minute if end is None else {minute(instant(end))}
    wrong = differences(answer["metrics"], system.oracle.overview(campaign, *said), METRICS)
    wrong += [f"{name}: no such metric" for name in answer["metrics"].keys() - set(METRICS)]
    wrong += [] if said[0] == first and said[1] in lasts else [f"period {answer['from']} to {answer['to']}"]
    wrong += [] if answer["campaign_id"] == campaign else [f"campaign {answer['campaign_id']}"]
    on_time = before - timedelta(milliseconds=1) <= instant(answer["as_of"]) <= after
    return wrong + ([] if on_time else [f"as of {answer['as_of']}"])


def filter_problems(
    system: System, campaign: str, period: tuple[str | None, str | None], filters: Mapping[str, str]
) -> list[str]:
    """The overview under filters."""
    answer = system.get(f"/campaigns/{campaign}/overview", from_=period[0], to=period[1], **filters)
    expected = system.oracle.overview(campaign, instant(answer["from"]), instant(answer["to"]), filters)
    return [f"{filters}: {line}" for line in differences(answer["metrics"], expected, METRICS)]


def breakdown_problems(
    system: System, campaign: str, dimension: str, period: Period, filters: Mapping[str, str]
) -> list[str]:
    """Every value has its row with every metric; a row without events may only say that there are none."""
    answer = system.get(
        f"/campaigns/{campaign}/breakdown",
        dimension=dimension, metrics=EVERY, limit=1000, from_=period[0], to=period[1], **filters,
    )  # fmt: skip
    start, end = map(instant, period)
    table = system.oracle.table(campaign, start, end, filters, dimension)
    expected = {value: row for (_, value), row in table.items()}
    rows = {row[dimension]: row for row in answer["rows"]}
    wrong = [] if answer["columns"] == [dimension, *METRICS] else [f"columns {answer['columns']}"]
    wrong += [] if len(rows) == len(answer["rows"]) else ["a value has two rows"]
    wrong += [f"{value!r} has no row" for value, row in expected.items() if value not in rows and not nothing(row)]
    for value, row in rows.items():
        wanted = expected.get(value) or _empty(system, campaign, dimension, *filters)
        wrong += [f"{value!r}: {line}" for line in differences(row, wanted, METRICS)]
    return wrong


def series_problems(
    system: System, campaign: str, interval: str, period: Period, group_by: str | None, filters: Mapping[str, str]
) -> list[str]:
    """Every bucket is there, on the campaign's clock, with distinct counts of its own; empty ones hold zeros."""
    zone = campaign_zone(system, campaign)
    answer = system.get(
        f"/campaigns/{campaign}/timeseries",
        metrics=EVERY, interval=interval, group_by=group_by, from_=period[0], to=period[1], **filters,
    )  # fmt: skip
    start, end = map(instant, period)
    expected = system.oracle.table(
        campaign, start, end, filters, group_by, lambda moment: bucket_start(moment, interval, zone)
    )
    said = {(instant(row["time"]), row[group_by] if group_by else None): row for row in answer["rows"]}
    starts = buckets(start, end, interval, zone)
    wrong = (
        [] if answer["columns"][: 2 if group_by else 1] == ["time", *([group_by] if group_by else [])] else ["columns"]
    )
    wrong += [] if len(said) == len(answer["rows"]) else ["a bucket has two rows"]
    wrong += [] if group_by or [moment for moment, _ in said] == starts else ["not the buckets of the period"]
    wrong += [f"no bucket starts at {moment}" for moment, _ in said if moment not in starts]
    for row in answer["rows"]:
        local = datetime.fromisoformat(row["time"])
        if local.utcoffset() != local.astimezone(zone).utcoffset():
            wrong.append(f"{row['time']} is not on the campaign's clock")
    wrong += [f"{key} has no row" for key, row in expected.items() if key not in said and not nothing(row)]
    for key, row in said.items():
        wanted = expected.get(key) or _empty(system, campaign, group_by, *filters)
        wrong += [f"{key}: {line}" for line in differences(row, wanted, METRICS)]
    return wrong


def funnel_problems(
    system: System, campaign: str, period: Period, group_by: str | None, filters: Mapping[str, str]
) -> list[str]:
    """Users by the furthest step that they reached in order, and both conversions."""
    answer = system.get(f"/campaigns/{campaign}/funnel", group_by=group_by, from_=period[0], to=period[1], **filters)
    rows: dict[str | None, list[dict[str, Any]]] = {}
    for row in answer["rows"]:
        rows.setdefault(row[group_by] if group_by else None, []).append(row)
    start, end = map(instant, period)
    expected = system.oracle.funnel(campaign, start, end, filters, group_by)
    columns = [*([group_by] if group_by else []), "step", "users", "step_conversion", "overall_conversion"]
    columns += ["lost", "median_seconds"]
    wrong = [] if answer["columns"] == columns else [f"columns {answer['columns']}"]
    wrong += [f"{value!r} has no rows" for value, users in expected.items() if value not in rows and any(users)]
    lacking = lacks({*filters, *([group_by] if group_by else [])})
    nobody = [None if lacking & kinds else 0 for kinds in _STEP_KINDS]
    for value, steps in rows.items():
        users = expected.get(value, nobody)
        found = [(row["step"], row["users"]) for row in steps]
        if found != list(zip(FUNNEL, users, strict=True)):
            wrong.append(f"{value!r}: {found}, expected {users}")
            continue
        for number, row in enumerate(steps):
            gone = (users[number - 1] or 0) - (users[number] or 0) if number and users[number] is not None else None
            wrong += [] if row["lost"] == gone else [f"{value!r} {row['step']}: {row['lost']} lost, expected {gone}"]
            shares = row["overall_conversion"], row["step_conversion"]
            overall, step = _share(users[number], users[0]), _share(users[number], users[max(0, number - 1)])
            # Nothing comes before the first step: all of its users or no ratio are both an answer.
            fine = same("", shares[1], step) or (number == 0 and shares[1] is None)
            wrong += [] if fine and same("", shares[0], overall) else [f"{value!r} {row['step']}: {shares}"]
    return wrong


def stock_problems(system: System, campaign: str, end: str | None = None) -> list[str]:
    """The latest level of each warehouse, whatever order they came in, summed over the warehouses."""
    answer = system.get(f"/campaigns/{campaign}/inventory", to=end)
    rows = {row["item_id"]: row["available"] for row in answer["rows"]}
    expected = system.oracle.stock(campaign, datetime.max.replace(tzinfo=UTC) if end is None else instant(end))
    wrong = [] if len(rows) == len(answer["rows"]) else ["an item has two rows"]
    lacking = {"item_id", "available", "sell_rate_per_minute", "stockout_eta"} - set(answer["columns"])
    wrong += [f"no column {name}" for name in lacking]
    return wrong + [
        f"{item!r}: {rows.get(item)}, expected {expected.get(item)}"
        for item in rows.keys() | expected.keys()
        if rows.get(item) != expected.get(item)
    ]


def campaign_zone(system: System, campaign: str) -> ZoneInfo:
    """The zone in force; the contract leaves open which one it is for a campaign that was never PUT."""
    return ZoneInfo(system.get(f"/campaigns/{campaign}")["timezone"])


def _empty(system: System, campaign: str, *dimensions: str | None) -> dict[str, Number]:
    """The metrics where no event is, filtered or grouped by the dimensions."""
    return measure([], system.oracle.margin(campaign), lacks({name for name in dimensions if name}))


_STEP_KINDS = [{"traffic"}] * 4 + [{"traffic", "orders"}] * 2


def _share(part: int | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else Fraction(part, whole)
