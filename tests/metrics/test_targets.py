"""Declaring a campaign: what is understood, what is refused, and that the refusal names the field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.campaigns import Campaign

BODY: dict[str, Any] = {
    "name": "Double 11",
    "start": "2026-11-10T20:00:00+08:00",
    "end": "2026-11-12T00:00:00+08:00",
    "phases": [{"name": "burst", "start": "2026-11-11T00:00:00+08:00", "end": "2026-11-12T00:00:00+08:00"}],
}
OPENING = "2026-11-11T00:00:00+08:00"


@pytest.mark.parametrize(
    "targets",
    [
        {"total": {"gmv": "1000.50"}, "phases": {"burst": {"gmv": 800}}},
        {"gmv": {"total": "1000.50", "phases": {"burst": 800}}},
    ],
)
def test_targets_are_understood_by_metric_and_by_phase(targets: dict[str, Any]) -> None:
    declared = Campaign.model_validate({**BODY, "targets": targets}).targets
    assert declared.total == {"gmv": Decimal("1000.50")}
    assert declared.phases == {"burst": {"gmv": Decimal(800)}}


def test_a_plain_number_is_the_total() -> None:
    assert Campaign.model_validate({**BODY, "targets": {"uv": 5000}}).targets.total == {"uv": Decimal(5000)}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end": "2026-11-10T20:00:00+08:00"}, "end"),
        ({"start": "2026-11-10T20:00:00"}, "start"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"gross_margin": 1.2}, "gross_margin"),
        ({"targets": {"sales": 1}}, "sales"),
        ({"targets": {"total": {}, "phases": {"nope": {"gmv": 1}}}}, "nope"),
        ({"budgets": {"app": -1}}, "budgets"),
        ({"baseline_campaign_id": "a b"}, "baseline_campaign_id"),
        ({"phases": [*BODY["phases"], {**BODY["phases"][0], "name": "other"}]}, "phases"),
        ({"phases": BODY["phases"] * 2}, "phases"),
        ({"calendar": [{"name": "sale", "start": "2026-11-11T01:00:00"}]}, "calendar"),
        ({"calendar": [{"name": "sale", "start": OPENING, "end": OPENING}]}, "end must be after start"),
        ({"calendar": [{"name": "sale", "start": "2025-11-11T00:00:00+08:00"}]}, "calendar"),
        ({"calendar": [{"name": "sale", "start": "2027-06-11T00:00:01+08:00"}]}, "calendar"),
        ({"calendar": [{"name": "", "start": OPENING}]}, "calendar"),
        ({"calendar": [{"name": "sale", "start": OPENING}] * 201}, "calendar"),
        ({"typo": 1}, "typo"),
        ({"name": ""}, "name"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Campaign.model_validate({**BODY, **change})
    assert field in str(refusal.value)


def test_planned_events_may_lie_across_phases_and_beside_each_other() -> None:
    """Catches: a teaser before the campaign, or a moment without an end, that is refused."""
    calendar = [
        {"name": "teaser", "start": "2026-11-01T20:00:00+08:00"},
        {"name": "live", "start": "2026-11-10T23:00:00+08:00", "end": "2026-11-11T01:00:00+08:00"},
        {"name": "opening", "start": OPENING, "end": None},
    ]
    declared = Campaign.model_validate({**BODY, "calendar": calendar}).calendar
    assert [(event.name, event.end is None) for event in declared] == [
        ("teaser", True), ("live", False), ("opening", True),
    ]  # fmt: skip


def test_null_means_absent() -> None:
    declared = Campaign.model_validate({**BODY, "timezone": None, "targets": None, "gross_margin": None})
    assert declared.timezone == "Asia/Shanghai"
    assert declared.gross_margin == 1
