"""Every metric over a period, unfiltered and filtered, equals the oracle's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, MILLENNIUM, NEVER_PUT, NIGHT, PUTS, WIDE
from tests.conformance.checks import filter_problems, period_problems
from tests.conformance.compare import differences, same
from tests.conformance.oracle import DIMENSIONS, METRICS, instant
from tests.conformance.system import System

PERIODS = [
    (FESTIVAL, *WIDE),
    (FESTIVAL, None, None),
    (FESTIVAL, None, "2025-11-11T00:00:00+08:00"),
    (FESTIVAL, "2025-11-11T12:00:00+08:00", None),
    (FESTIVAL, *NIGHT),
    (FESTIVAL, "2025-11-10T16:00:00Z", "2025-11-10T16:01:00Z"),
    (FESTIVAL, "2025-11-10T23:59:59.999+08:00", "2025-11-11T00:00:59+08:00"),
    (FESTIVAL, "2025-11-10T12:00:00-05:30", "2025-11-11T12:00:00-05:30"),
    (FESTIVAL, "2025-11-11T10:30:00+08:00", "2025-11-11T12:00:00+08:00"),
    (FESTIVAL, "2025-11-11T00:00:01+08:00", "2025-11-11T00:00:59+08:00"),
    (FESTIVAL, "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"),
    (FESTIVAL, None, "2031-01-01T00:00:00Z"),
    (DST, None, None),
    (DST, "2025-11-02T01:00:00-04:00", "2025-11-02T01:00:00-05:00"),
    (DST, "2025-11-02T05:59:00Z", "2025-11-02T06:01:00Z"),
    (NEVER_PUT, None, None),
    (NEVER_PUT, None, "2024-02-29T00:00:00Z"),
    (MILLENNIUM, None, None),
    (LIVE, None, None),
    (LIVE, None, "2100-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("campaign", "start", "end"), PERIODS)
def test_period(system: System, campaign: str, start: str | None, end: str | None) -> None:
    """Catches bounds that are off by a minute or a zone, and repeats, refusals or disorder that move a number."""
    assert not period_problems(system, campaign, start, end)


def values(system: System, campaign: str, dimension: str) -> list[str]:
    """The values that occur, the frequent ones first, and one that does not; of dozens alike, only a few."""
    counts: dict[str, int] = {}
    for fact in system.oracle.select(campaign, instant(WIDE[0]), instant(WIDE[1]), {}, [dimension]):
        counts[fact.dims[dimension]] = counts.get(fact.dims[dimension], 0) + 1
    ordered = sorted(counts, key=lambda value: -counts[value])
    alike = [value for value in ordered if value.startswith("sku-")]
    return [*(value for value in ordered if value not in alike[3:]), "no such value"]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_one_filter(system: System, dimension: str) -> None:
    """Each value of each dimension, over everything and over a part; null where the events lack the dimension."""
    occurring = values(system, FESTIVAL, dimension)
    wrong = [line for value in occurring for line in filter_problems(system, FESTIVAL, WIDE, {dimension: value})]
    for value in occurring[:2]:
        wrong += filter_problems(system, FESTIVAL, NIGHT, {dimension: value})
    wrong += filter_problems(system, DST, (None, None), {dimension: values(system, DST, dimension)[0]})
    assert not wrong


@pytest.mark.parametrize(
    "names",
    [
        ("item_id", "channel"),
        ("item_id", "item_category"),
        ("item_id", "phase"),
        ("item_category", "customer_type"),
        ("phase", "channel"),
        ("customer_type", "region"),
        ("utm_source", "device_category"),
        ("utm_source", "region"),
        ("device_category", "customer_type"),
        ("item_id", "utm_source", "channel"),
    ],
)
def test_several_filters(system: System, names: tuple[str, ...]) -> None:
    """Filters hold together: catches rollups that know one dimension only, and orders counted once an item."""
    choices = [_some(values(system, FESTIVAL, name)) for name in names]
    wrong = []
    for chosen in product(*choices):
        wrong += filter_problems(system, FESTIVAL, NIGHT, dict(zip(names, chosen, strict=True)))
    assert not wrong


def _some(found: list[str]) -> list[str]:
    """The most frequent known one, and `unknown` where it occurs."""
    return [next(value for value in found if value != "unknown"), *(value for value in found if value == "unknown")]


def test_attainment(system: System) -> None:
    """Targets, in total and per phase, stand beside what was reached."""
    targets = system.get(f"/campaigns/{FESTIVAL}/overview")["targets"]
    declared: dict[str, Any] = PUTS[FESTIVAL]["targets"]
    start, end = instant(PUTS[FESTIVAL]["start"]), datetime.now(UTC)
    goals = {(None, name): goal for name, goal in declared["total"].items()}
    goals |= {(phase, name): goal for phase, part in declared["phases"].items() for name, goal in part.items()}
    for (phase, name), goal in goals.items():
        said = (targets["phases"][phase] if phase else targets["total"])[name]
        reached = system.oracle.overview(FESTIVAL, start, end, {"phase": phase} if phase else {})[name]
        assert reached is not None
        assert same(name, said["value"], reached)
        assert float(said["target"]) == float(goal)
        assert said["attained"] == pytest.approx(float(reached) / float(goal), rel=1e-9)


def test_baseline(system: System) -> None:
    """The baseline's metrics are those of the other campaign, as far from its start as the period is from ours."""
    answer = system.get(f"/campaigns/{FESTIVAL}/overview", from_=PUTS[FESTIVAL]["start"], to=NIGHT[1])
    baseline = answer["baseline"]
    assert baseline["campaign_id"] == DST
    start, end = instant(baseline["from"]), instant(baseline["to"])
    assert start == instant(PUTS[DST]["start"])
    assert end - start == instant(answer["to"]) - instant(answer["from"])
    assert not differences(baseline["metrics"], system.oracle.overview(DST, start, end), METRICS)


def test_stream_agrees(system: System) -> None:
    """The wall screen's first snapshot shows the numbers of the report."""
    with system.http.stream("GET", f"/api/v1/campaigns/{FESTIVAL}/stream") as answer:
        lines = answer.iter_lines()
        assert any(line == "event: snapshot" for line in lines)
        snapshot = json.loads(next(line for line in lines if line.startswith("data:")).removeprefix("data:"))
    metrics = snapshot["overview"]["metrics"]
    assert metrics == system.get(f"/campaigns/{FESTIVAL}/overview")["metrics"]
