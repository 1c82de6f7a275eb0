"""Baselines: the same stretch of another campaign, of yesterday, of the same weekday, number by number."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.festivals import duck_metrics as metrics
from tests.festivals import flash, presale, regions
from tests.festivals.checks import EVERY, floor
from tests.festivals.compare import differences
from tests.festivals.system import System, instant

DAY = timedelta(days=1)
CASES: list[tuple[str, str | None, str, str]] = [
    (regions.NAME, "yesterday", regions.NAME, "yesterday"),
    (regions.NAME, "last_week", regions.NAME, "last_week"),
    (presale.NAME, f"campaign:{regions.NAME}", regions.NAME, "campaign"),
    (presale.NAME, "yesterday", presale.NAME, "yesterday"),
    (flash.NAME, None, presale.NAME, "campaign"),
    (flash.NAME, "campaign", presale.NAME, "campaign"),
    ("completejourney-9", f"campaign:{flash.NAME}", flash.NAME, "campaign"),
]


def shift_of(system: System, campaign: str, other: str, kind: str) -> timedelta:
    """How much earlier the compared events are."""
    if kind == "campaign":
        return floor(system.start(campaign)) - floor(system.start(other))
    return DAY if kind == "yesterday" else 7 * DAY


@pytest.mark.parametrize(("campaign", "baseline", "other", "kind"), CASES)
def test_overview(system: System, campaign: str, baseline: str | None, other: str, kind: str) -> None:
    """Also for a day that is not over: it is compared with the same part of the other."""
    start, now = system.start(campaign), system.now(campaign)
    shift = shift_of(system, campaign, other, kind)
    wrong = []
    for period in ((None, None), (start + (now - start) * 0.4, now), (now - DAY, now + DAY), (start, start + DAY / 2)):
        filters = {} if period[0] is None else {"channel": "app"}
        answer = system.get("/overview", campaign=campaign, baseline=baseline, from_=period[0], to=period[1], **filters)
        said = answer["baseline"]
        assert (said["kind"], said["campaign_id"]) == (kind, other)
        first, last = instant(said["from"]), instant(said["to"])
        assert first == instant(answer["from"]) - shift
        assert last == min(instant(answer["to"]), floor(now) + timedelta(minutes=1)) - shift
        expected = metrics.overview(system.duck, other, first, last, filters)
        wrong += differences(said["metrics"], expected, metrics.METRICS)
        for name in metrics.METRICS:
            wrong += _arithmetic(
                name, answer["metrics"][name], said["metrics"][name], said["difference"][name], said["ratio"][name]
            )
    assert not wrong


@pytest.mark.parametrize(("campaign", "baseline", "other", "kind"), CASES)
@pytest.mark.parametrize(("interval", "by"), [("1h", None), ("15m", "channel"), ("1d", None)])
def test_series(
    system: System, campaign: str, baseline: str | None, other: str, kind: str, interval: str, by: str | None
) -> None:
    """Bucket by bucket on this campaign's clock, whatever the minute at which the other began."""
    now = system.now(campaign)
    start = max(system.start(campaign), now - (10 * DAY if interval == "1d" else DAY))
    shift = shift_of(system, campaign, other, kind)
    answer = system.get(
        "/timeseries",
        campaign=campaign, baseline=baseline or "campaign", interval=interval, group_by=by, metrics=EVERY, from_=start,
        to=floor(now) + timedelta(minutes=1),
    )  # fmt: skip
    expected = metrics.measured(
        system.duck, other, floor(start) - shift, floor(now) + timedelta(minutes=1) - shift,
        by=by, interval=interval, shift=shift, zone=metrics.zone_of(system.duck, campaign),
    )  # fmt: skip
    wrong = [] if answer["rows"] else ["no rows"]
    for row in answer["rows"]:
        key = instant(row["time"]), row[by] if by else None
        wanted = expected.get(key, metrics.nothing({by} if by else set()))
        said = {name: row[f"{name}_baseline"] for name in metrics.METRICS}
        wrong += [f"{key} {line}" for line in differences(said, wanted, metrics.METRICS)]
        for name in metrics.METRICS:
            wrong += _arithmetic(name, row[name], said[name], row[f"{name}_difference"], row[f"{name}_ratio"])
    found = {(instant(row["time"]), row[by] if by else None) for row in answer["rows"]}
    wrong += [f"{key} has no row" for key in expected.keys() - found if _shown(key, system, campaign)]
    assert not wrong


def _shown(key: tuple[datetime | None, str | None], system: System, campaign: str) -> bool:
    return key[1] is None and key[0] is not None and key[0] <= system.now(campaign)


def _arithmetic(name: str, value: Any, baseline: Any, difference: Any, ratio: Any) -> list[str]:
    """What is said of two numbers follows from the two."""
    if value is None or baseline is None:
        return [] if difference is None and ratio is None else [f"{name}: {difference}, {ratio} of what is not known"]
    here, there = Decimal(str(value)), Decimal(str(baseline))
    wrong = (
        [] if abs(Decimal(str(difference)) - (here - there)) <= Decimal("1e-9") * (abs(here) + abs(there)) else ["-"]
    )
    if (isinstance(value, str), type(value)) != (isinstance(difference, str), type(difference)):
        wrong.append(f"is a {type(difference)}")
    if there == 0:
        wrong += [] if ratio is None else ["ratio to zero"]
    elif ratio is None or abs(Decimal(str(ratio)) * there - here) > Decimal("1e-9") * abs(here):
        wrong.append("/")
    return [f"{name}: {value} to {baseline} gives {difference}, {ratio}: {line}" for line in wrong]
