"""Rules files: what is wrong in them is said by rule and field, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.alerts.detectors import DETECTORS
from services.alerts.rules.load import load_rules, parse_rules
from services.common.errors import ConfigurationError

BARE = "{name: stock_out, severity: info, runbook: r"
GOOD = "{name: stock_out, severity: info, summary: s, runbook: r"


def test_the_shipped_rules_spell_out_their_parameters() -> None:
    rules = load_rules(None)
    spike = next(rule for rule in rules if rule.name == "traffic_spike")
    assert set(spike.parameters) == set(DETECTORS["traffic_spike"].parameters_type.model_fields)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [{name: stock_out, summary: s, runbook: r, severity: loud}]", ("'stock_out'", "severity")),
        ("rules: [" + GOOD + ", for: soon}]", ("'stock_out'", "for", "15s")),
        ("rules: [" + GOOD + ", parameters: {factor: 2}}]", ("'stock_out'", "parameters.factor")),
        ("rules: [" + GOOD + ", threshold: 2}]", ("'stock_out'", "threshold")),
        ("rules: [" + GOOD + ", detector: magic}]", ("'stock_out'", "detector", "magic")),
        ("rules: [" + BARE + ", summary: '{shelf} is empty'}]", ("'stock_out'", "summary", "shelf")),
        ("rules: [" + BARE + ", summary: '{0}'}]", ("'stock_out'", "summary")),
        ("rules: [" + BARE + ", summary: '{value'}]", ("'stock_out'", "summary")),
        ("rules: [" + BARE + ", summary: '{value:%}'}]", ("'stock_out'", "summary")),
        ("rules: [" + BARE + ", summary: '{value.real}'}]", ("'stock_out'", "summary")),
        ("rules: [" + GOOD + "}, " + GOOD + "}]", ("stock_out", "two rules")),
        ("rules: [{severity: info, summary: s, runbook: r}]", ("number 1", "name")),
        ("rules: [7]", ("number 1",)),
        ("rules: []", ("rules",)),
        ("- 1", ("rules.yaml",)),
        ("rules: [", ("no YAML",)),
        ("", ("rules.yaml",)),
    ],
)
def test_a_wrong_file_is_refused_with_the_rule_and_field(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_rules(text, "rules.yaml")
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="WARROOM_RULES_FILE"):
        load_rules(tmp_path / "none.yaml")


def test_a_rule_can_be_switched_off() -> None:
    low = "{name: stock_low, severity: info, summary: s, runbook: r, enabled: false}"
    assert [rule.name for rule in parse_rules(f"rules: [{GOOD}}}, {low}]", "x")] == ["stock_out"]
