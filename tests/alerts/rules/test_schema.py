"""The JSON Schema of rules files: fresh, and of one mind with `warroom rules check` in what it can say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas.documents import ROOT
from services.alerts.rules.check import FIELDS, check
from services.alerts.rules.load import shipped
from services.alerts.rules.schema import PATH, rules_schema_text

SCHEMA = json.loads((ROOT / PATH).read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_fresh_and_sound() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == rules_schema_text(), "run `make generate`"
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["Rule"]["properties"].keys() == FIELDS.keys()
    assert all(told.get("description") for told in SCHEMA["$defs"]["Rule"]["properties"].values())


def test_the_shipped_rules_point_to_it_and_satisfy_it() -> None:
    text = shipped()[1]
    VALIDATOR.validate(yaml.safe_load(text))
    hint = next(line for line in text.splitlines() if "$schema=" in line)
    assert (ROOT / "services/alerts/rules" / hint.split("$schema=")[1]).resolve() == ROOT / PATH


LOW: dict[str, Any] = {"name": "stock_low", "severity": "info", "summary": "s", "runbook": "r"}
SLOW: dict[str, Any] = {**LOW, "name": "slow", "detector": "threshold", "metric": "payment_rate", "condition": "< 0.5"}
SEVERITIES: list[Any] = [
    {"default": "info"},
    {"phases": {"a": "none"}},
    {"default": "none", "phases": {"a": "info"}},
    1,
]
RULES: list[dict[str, Any]] = [
    LOW,
    SLOW,
    *[{**LOW, name: value} for name, value in [("severity", "loud"), ("for", "2d"), ("for", 3), ("for", "1.5h")]],
    *[{name: value for name, value in LOW.items() if name != gone} for gone in LOW],
    *[{name: value for name, value in SLOW.items() if name != gone} for gone in SLOW],
    *[{**LOW, "severity": value} for value in SEVERITIES],
    *[{**LOW, "parameters": value} for value in ({"factor": 2}, {"factor": -1}, {"factor": True}, {"ratio": 1}, {}, 5)],
    *[
        {**LOW, name: value}
        for name, value in (("metric", "gmv"), ("by", "channel"), ("condition", "> 1"), ("window", "5m"))
    ],
    *[{**LOW, "labels": value} for value in ({"team": "x"}, {"team": 1}, {"Team": "x"})],
    *[{**LOW, "summary": value} for value in ({"en": "a", "zh": "b"}, {"en": "a"}, "", 5)],
    *[
        {**LOW, "runbook": value}
        for value in (
            {"en": "a", "zh": "b"},
            {"steps": ["a", {"en": "a", "zh": "b"}], "owner": "o"},
            {"by_severity": {"critical": {"steps": ["a"], "owner": "o"}}},
            {"by_severity": {"grave": {"steps": ["a"]}}},
            {"owner": "o"},
            {"steps": [{"en": "a"}]},
        )
    ],
    *[
        {**SLOW, name: value}
        for name, value in (("metric", "pvs"), ("by", "channel"), ("by", "shop"), ("condition", "=> 5"))
    ],
    *[
        {**SLOW, "filter": value}
        for value in ({"channel": "app"}, {"channel": ["app", "web"]}, {"shop": "x"}, {"channel": 1})
    ],
    *[{**SLOW, "parameters": value} for value in ({"count": "orders_created"}, {"count": "orders"}, {"margin": 2})],
    {**SLOW, "name": "traffic_spike"},
    {**SLOW, "detector": "magic"},
]


@pytest.mark.parametrize("rule", RULES, ids=json.dumps)
@pytest.mark.parametrize("extends", [False, True])
def test_the_schema_judges_as_the_check_does(rule: dict[str, Any], extends: bool) -> None:
    data = {"extends": "default", "rules": [rule]} if extends else {"rules": [rule]}
    right = not check([("x", json.dumps(data))], shipped()).problems
    if extends:
        # Laid over a shipped rule it need not be whole, which the schema cannot know.
        assert VALIDATOR.is_valid(data) or not right
    else:
        assert VALIDATOR.is_valid(data) == right


@pytest.mark.parametrize("change", [{"severity": None}, {"parameters": {"factor": 3}}, {"enabled": False}])
def test_an_override_is_partial(change: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid({"extends": "default", "rules": [{"name": "stock_low", **change}]})
    assert not VALIDATOR.is_valid({"rules": [{"name": "stock_low", **change}]})
