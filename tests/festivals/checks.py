"""One question over HTTP held against DuckDB; each check returns what is wrong, a line for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.festivals import duck_metrics as metrics
from tests.festivals.compare import differences, empty, same
from tests.festivals.duck_funnel import STEPS, funnel
from tests.festivals.duck_stock import stock
from tests.festivals.system import System, instant

Period = tuple[datetime | None, datetime | None]
EVERY = ",".join(metrics.METRICS)


def overview_problems(
    system: System, campaign: str, period: Period = (None, None), filters: metrics.Filters | None = None
) -> list[str]:
    """Every metric of a period, and the period itself."""
    answer = system.get("/overview", campaign=campaign, from_=period[0], to=period[1], **(filters or {}))
    start, end = instant(answer["from"]), instant(answer["to"])
    expected = metrics.overview(system.duck, campaign, start, end, filters)
    wrong = differences(answer["metrics"], expected, metrics.METRICS)
    if period[0] is None and start != floor(system.start(campaign)):
        wrong.append(f"starts at {start}")
    moments = [instant(moment) for moment in answer["watermarks"].values() if moment]
    if answer["watermark"] and instant(answer["watermark"]) not in moments:
        wrong.append(f"watermark {answer['watermark']} is that of no kind of events")
    known = min(instant(answer["watermark"]), instant(answer["as_of"])) if answer["watermark"] else None
    if answer["complete"] is not (known is not None and end <= known):
        wrong.append(f"complete is {answer['complete']} until {end} at {known}")
    return [f"{campaign} {filters or ''} {line}" for line in wrong]


def table_problems(
    system: System,
    campaign: str,
    period: Period = (None, None),
    *,
    by: str | None = None,
    interval: str | None = None,
    filters: metrics.Filters | None = None,
) -> list[str]:
    """A breakdown, or a series: every row with every metric; a row without events may only say that there are none."""
    start, end = period[0] or system.start(campaign), period[1] or system.now(campaign)
    if interval is None:
        answer = system.get(
            "/breakdown",
            campaign=campaign, dimension=by, metrics=EVERY, limit=10_000, from_=start, to=end, **(filters or {}),
        )  # fmt: skip
    else:
        answer = system.get(
            "/timeseries",
            campaign=campaign, interval=interval, group_by=by, metrics=EVERY, from_=start, to=end, **(filters or {}),
        )  # fmt: skip
    expected = metrics.measured(system.duck, campaign, start, end, filters=filters, by=by, interval=interval)
    said = {(instant(row["time"]) if interval else None, row[by] if by else None): row for row in answer["rows"]}
    wrong = [] if len(said) == len(answer["rows"]) else ["a key has two rows"]
    wrong += [f"{key} has no row" for key, row in expected.items() if key not in said and not empty(row)]
    dimensions = {*(filters or {}), *([by] if by else [])}
    for key, row in said.items():
        wanted = expected.get(key)
        if wanted is None:
            until = min(key[0] + LENGTHS[interval or ""], floor(end)) if key[0] else floor(end)
            pending = {kind for kind, known in known_until(answer).items() if until > known} if key[0] else set()
            wanted = metrics.not_yet(dimensions, pending)
        wrong += [f"{key}: {line}" for line in differences(row, wanted, metrics.METRICS)]
    return [f"{campaign} {by} {interval} {filters or ''} {line}" for line in wrong]


LENGTHS: Final = {
    "1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "15m": timedelta(minutes=15), "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}  # fmt: skip


def known_until(answer: Mapping[str, Any]) -> dict[str, datetime]:
    """Up to when all events of each kind are in, by what the answer itself says."""
    now = instant(answer["as_of"])
    return {
        kind: min(now, instant(moment)) if moment else datetime.min.replace(tzinfo=UTC)
        for kind, moment in answer["watermarks"].items()
    }


def floor(moment: datetime) -> datetime:
    """The start of its minute."""
    return moment.replace(second=0, microsecond=0)


def keyed(rows: list[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by what tells them apart. Raises `AssertionError` when two are alike."""
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows), "two rows are alike"
    return found


def funnel_problems(
    system: System,
    campaign: str,
    period: Period = (None, None),
    *,
    by: str | None = None,
    filters: metrics.Filters | None = None,
) -> list[str]:
    """Every step of every group: users, both conversions, who was lost, and how long the step took."""
    start, end = period[0] or system.start(campaign), period[1] or system.now(campaign)
    answer = system.get("/funnel", campaign=campaign, group_by=by, from_=start, to=end, **(filters or {}))
    expected = funnel(system.duck, campaign, start, end, filters, by)
    said: dict[Any, list[dict[str, Any]]] = {}
    for row in answer["rows"]:
        said.setdefault(row[by] if by else None, []).append(row)
    wrong = [f"{value!r} has no rows" for value in expected if value not in said]
    for value, rows in said.items():
        wrong += [] if [row["step"] for row in rows] == list(STEPS) else [f"{value!r}: not the steps"]
        if value not in expected:
            wrong += [f"{value!r} has users" for row in rows if row["users"]]
            continue
        for row, wanted in zip(rows, expected[value], strict=True):
            names = list(wanted)
            if row["step"] == STEPS[0]:
                # Nothing comes before the first step: all of its users, or no ratio, are both an answer.
                names.remove("step_conversion")
            wrong += [f"{value!r} {row['step']} {line}" for line in differences(row, wanted, names)]
    return [f"{campaign} {by} {filters or ''} {line}" for line in wrong]


def stock_problems(system: System, campaign: str, end: datetime | None = None) -> list[str]:
    """Every item that has a level, with all that is said of it."""
    now = system.now(campaign)
    rows = keyed(system.get("/inventory", campaign=campaign, to=end, limit=10_000)["rows"], "item_id")
    last = floor(now) + timedelta(minutes=1) if end is None else floor(end)
    expected = stock(system.duck, campaign, floor(system.start(campaign)), last, now)
    wrong = [f"{item}: in one only" for item in {key for (key,) in rows} ^ expected.keys()]
    for item, wanted in expected.items():
        row = rows.get((item,), {})
        wrong += [
            f"{item} {name}: answered {row.get(name)}, expected {value}"
            for name, value in wanted.items()
            if not _about(name, row.get(name), value)
        ]
    return [f"{campaign} {line}" for line in wrong]


def _about(name: str, said: Any, expected: Any) -> bool:
    if isinstance(expected, datetime) and isinstance(said, str):
        return abs(datetime.fromisoformat(said) - expected) <= timedelta(milliseconds=2)
    if name == "ad_cost_last_hour":
        # An estimate, as money: to the cent.
        return isinstance(said, str) and abs(float(said) - expected) <= 0.0051
    return same(name, said, expected)
