"""The benchmark of alerts and that of rehearsals, small: nothing here looks at a speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.alerts.rules.load import load_rules
from tests.bench.alerts.measure import looks
from tests.bench.alerts.rules import rules
from tests.bench.rehearsal.measure import figures


def test_a_thousand_rules_are_a_thousand_questions(tmp_path: Path) -> None:
    """Catches: rules that say the same, so that answering one answers many; a file that the service refuses."""
    file = tmp_path / "rules.yaml"
    file.write_text(rules(1_000))
    loaded = load_rules(file)
    assert len(loaded) == 1_000
    conditions = {(rule.metric, rule.by, rule.window_ms, rule.condition) for rule in loaded}
    assert len(conditions) == 1_000
    assert len({(rule.metric, rule.by, rule.window_ms) for rule in loaded}) > 300


def test_the_child_looks_and_some_rules_fire() -> None:
    """Catches: rules that are never judged because nothing is read for them, which are quick indeed."""
    looked = looks(100, 3, 2)
    assert len(looked.seconds) == 2
    assert looked.rules == 100
    assert looked.open >= 3


@pytest.mark.parametrize(("share", "met"), [(0.96, True), (0.9, False), (None, None)])
def test_a_scorecard_becomes_figures(share: float | None, met: bool | None) -> None:
    """Catches: a rehearsal without incidents that counts as passed, pages on a calm day that nobody sees."""
    totals: dict[str, Any] = {
        "found_share": share, "false_pages": 1, "false_pages_per_festival": 1.0, "delay_median_seconds": 9.0,
        "delay_p90_seconds": 30.0, "times_real_speed": 20.0, "festival_hours_per_hour": 40.0,
    }  # fmt: skip
    card = {"totals": totals, "rehearsed": {"seeds": 1, "hours": 1.0, "events_per_second": 15.0, "step_seconds": 5.0}}
    made = {figure.name: figure.met for figure in figures(dict.fromkeys(("full", "calm", "flash"), card))}
    assert made["incidents found"] is met
    assert made["false pages a festival"] is True
    assert made["pages on a calm day"] is False
