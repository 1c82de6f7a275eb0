"""`warroom simulate --plan`: what is said beforehand is what happens."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from services.simulator.cli import simulate
from services.simulator.day.festival import festival_source
from services.simulator.day.told import plan_lines
from services.simulator.incidents import Incident
from tests.simulator.test_day import EVENING_MS

ARGUMENTS = ["--variant", "full", "--plan", "--start", "2026-11-10T20:00:00+08:00", "--seed", "5"]


def told(*arguments: str) -> list[dict[str, Any]]:
    """The lines that a command prints."""
    result = CliRunner().invoke(simulate, [*ARGUMENTS, *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_the_plan_needs_no_kafka_and_comes_in_order() -> None:
    lines = told()
    assert len(lines) > 20
    starts = [line["starts_at"] for line in lines]
    assert starts == sorted(starts)
    assert len({line["rule"] for line in lines if line["rule"]}) == 15
    assert [line["rule"] == "" for line in lines] == [line["type"] == "decoy" for line in lines]


def test_given_incidents_take_the_place_of_planned_ones() -> None:
    lines = [line for line in told("--incident", "trough@7200:600:channel=app") if "offset" in line]
    assert [(line["type"], line["labels"]["channel"], line["starts_at"]) for line in lines] == [
        ("trough", "app", "2026-11-10T14:00:00.000+00:00")
    ]


def test_what_was_planned_is_what_happens() -> None:
    """Catches: a plan that names other labels, or other times, than the truth that comes of it."""
    incidents = [
        Incident("drop", 4_300, 120, {"channel": "web"}),
        Incident("malformed", 4_500, 60),
        Incident("stock_out", 4_600, 60, {"item": "sku-0001"}),
        Incident("brushing", 4_700, 90, {"channel": "app", "count": "20", "by": "user"}),
        Incident("family", 4_800, 60, {"channel": "app"}),
    ]
    festival = festival_source(
        seed=3, start_ms=EVENING_MS, hours=1.4, variant="calm", events_per_second=8.0, incidents=incidents
    )
    planned = [json.loads(line) for line in plan_lines(festival)]
    assert sum(1 for _ in festival.arrivals()) > 30_000
    happened = [json.loads(truth.as_json()) for truth in festival.truths]
    for before, after in zip(planned, happened, strict=True):
        for name in ("type", "rule", "campaign_id", "ends_at"):
            assert before[name] == after[name]
        # The truth begins with the first event that tells of it.
        moments = [datetime.fromisoformat(line["starts_at"]) for line in (before, after)]
        assert timedelta(0) <= moments[1] - moments[0] < timedelta(seconds=20)
        assert before["labels"].items() <= after["labels"].items()


@pytest.mark.parametrize("arguments", [["--plan"], ["--baseline"], ["--start", "2026-11-10T20:00:00+08:00"]])
def test_what_belongs_to_a_variant_is_refused_without_one(arguments: list[str]) -> None:
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 2
    assert "--variant" in result.output


def test_a_start_without_an_offset_is_refused() -> None:
    result = CliRunner().invoke(simulate, ["--variant", "calm", "--start", "2026-11-10T20:00:00"])
    assert result.exit_code == 2
    assert "offset" in result.output
