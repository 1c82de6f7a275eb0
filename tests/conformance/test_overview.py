"""Every metric over a period, unfiltered and filtered, equals the oracle's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from tests.conformance.campaigns import DST, FESTIVAL, LIVE, MILLENNIUM, NEVER_PUT, PUTS
from tests.conformance.compare import differences, same
from tests.conformance.oracle import METRICS, instant, minute
from tests.conformance.system import System

WIDE = ("2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z")
NIGHT = ("2025-11-10T23:13:37+08:00", "2025-11-11T11:47:59.999+08:00")

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


def asked(system: System, campaign: str, start: str | None, end: str | None, **filters: str) -> list[str]:
    """Asks for an overview; returns what is wrong with the answer."""
    answer = system.get(f"/campaigns/{campaign}/overview", from_=start, to=end, **filters)
    wrong = differences(
        answer["metrics"],
        system.oracle.overview(campaign, instant(answer["from"]), instant(answer["to"]), filters),
        METRICS,
    )
    return [f"{filters}: {line}" for line in wrong]


@pytest.mark.parametrize(("campaign", "start", "end"), PERIODS)
def test_period(system: System, campaign: str, start: str | None, end: str | None) -> None:
    """The bounds are those asked for, in whole minutes, and every metric is right between them."""
    before = datetime.now(UTC)
    answer = system.get(f"/campaigns/{campaign}/overview", from_=start, to=end)
    after = datetime.now(UTC)

    assert answer["campaign_id"] == campaign
    begin = start or PUTS.get(campaign, {}).get("start")
    assert instant(answer["from"]) == minute(instant(begin) if begin else system.oracle.first(campaign))
    ends = (
        [minute(moment) + timedelta(minutes=1) for moment in (before, after)] if end is None else [minute(instant(end))]
    )
    assert instant(answer["to"]) in ends
    assert before - timedelta(milliseconds=1) <= instant(answer["as_of"]) <= after
    assert set(answer["metrics"]) == set(METRICS)
    expected = system.oracle.overview(campaign, instant(answer["from"]), instant(answer["to"]))
    assert not differences(answer["metrics"], expected, METRICS)


def values(system: System, campaign: str, dimension: str) -> list[str]:
    """The values that occur, the frequent ones first, and one that does not."""
    start, end = instant(WIDE[0]), instant(WIDE[1])
    counts: dict[str, int] = {}
    for fact in system.oracle.select(campaign, start, end, {}, [dimension]):
        counts[fact.dims[dimension]] = counts.get(fact.dims[dimension], 0) + 1
    return [*sorted(counts, key=lambda value: -counts[value]), "no such value"]


@pytest.mark.parametrize(
    "dimension",
    ["channel", "region", "item_category", "item_id", "utm_source", "device_category", "phase", "customer_type"],
)
def test_one_filter(system: System, dimension: str) -> None:
    """Each value of each dimension, over everything and over a part; null where the events lack the dimension."""
    wrong = []
    for value in values(system, FESTIVAL, dimension):
        wrong += asked(system, FESTIVAL, *WIDE, **{dimension: value})
    for value in values(system, FESTIVAL, dimension)[:4]:
        wrong += asked(system, FESTIVAL, *NIGHT, **{dimension: value})
    for value in values(system, DST, dimension)[:3]:
        wrong += asked(system, DST, None, None, **{dimension: value})
    assert not wrong


@pytest.mark.parametrize(
    "pair",
    [
        ("item_id", "channel"),
        ("item_id", "item_category"),
        ("item_id", "phase"),
        ("item_category", "customer_type"),
        ("phase", "channel"),
        ("customer_type", "region"),
        ("utm_source", "device_category"),
        ("utm_source", "region"),
        ("channel", "region"),
        ("device_category", "customer_type"),
        ("item_id", "utm_source", "channel"),
    ],
)
def test_several_filters(system: System, pair: tuple[str, ...]) -> None:
    """Filters hold together, also those that no rollup can have at once."""
    wrong = []
    for chosen in product(*(_some(values(system, FESTIVAL, name)) for name in pair)):
        wrong += asked(system, FESTIVAL, *NIGHT, **dict(zip(pair, chosen, strict=True)))
    assert not wrong


def _some(found: list[str]) -> Iterator[str]:
    """The two most frequent ones, and `unknown` where it occurs."""
    yield from dict.fromkeys((*found[:2], *(value for value in found if value == "unknown")))


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
