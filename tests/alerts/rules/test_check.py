"""What is wrong with a rules file is said all at once, where it stands, in words that help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.rules.check import check
from services.alerts.rules.cli import rules
from services.alerts.rules.document import read_yaml
from services.alerts.rules.load import check_path, shipped

WRONG = """\
rules:
  - name: stock_out
    severity: loud                                            # >3:15 severity
    severtiy: info                                            # >4:5 severtiy
    summary: "{shelf} is empty"                               # >5:14 summary
    runbook: {steps: [a, {en: b}]}                            # >6:26 runbook.steps.1.zh
    labels: {tier: 1}                                         # >7:20 labels.tier
    parameters: {factor: 2}                                   # >8:18 parameters.factor
  - name: stock_low
    severity: {default: warning, phases: {burst: critcal}}    # >10:50 severity.phases.burst
    summary: s
    runbook: {owner: me}                                      # >12:14 runbook
    parameters: {factor: .nan, resolve_factor: true}          # >13:26 -
    annotations: {summary: x}                                 # >14:19 annotations.summary
  - name: slow_payment
    detector: threshold
    metric: payment_rat                                       # >17:13 metric
    severity: info
    condition: below 3                                        # >19:16 condition
    summary: "{value:%}"                                      # >20:14 summary
    runbook: r
    window: 90 minutes                                        # >22:13 window
  - name: costly
    detector: threshold
    metric: ad_cost
    filter: {item_id: 1001, channel: no}                      # >26:23 filter.item_id
    by: item_category                                         # >27:9 by
    condition: "< 0"                                          # >28:16 condition
    for: 2d                                                   # >29:10 for
    severity: none                                            # >30:15 severity
    summary: s
    runbook: r
  - name: ingest_lag
    severity: {default: info, phases: {burst: critical}}      # >34:39 severity.phases
    metric: gmv                                               # >35:13 metric
    summary: s
    runbook: r
  - 7                                                         # >38:5 -
  - name: stock_low                                           # >39:5 -
    name: traffic_drop                                        # >40:5 -
  - severity: info                                            # >41:5 name
    summary: s
    runbook: r
"""


def test_everything_is_said_at_once_and_in_its_place() -> None:
    expected = set(re.findall(r"# >(\d+):(\d+) (\S+)", WRONG))
    found = check([("r.yaml", WRONG)]).problems
    # One stands beside another mistake of the same line.
    expected.add(("13", "48", "parameters.resolve_factor"))
    assert {(str(p.line), str(p.column), p.field or "-") for p in found} == expected
    assert str(found[0]) == ("r.yaml:3:15: rule 'stock_out': severity: must be info, warning, critical or none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("severtiy: x", "did you mean 'severity'?"),
        ("detector: stok_low", "did you mean 'stock_low'?"),
        ("labels: {tier: yes, ok: true}", "must be text, and true is none: put it in quotes"),
        ("severity: crtical", "did you mean 'critical'?"),
        ("parameters: {factr: 1}", "did you mean 'factor'?"),
        ("summary: 'only {availible} left'", "did you mean 'available'?"),
        ("summary: 'left: {'", "write {{ and }} for braces"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(text: str, words: str) -> None:
    entry = "{name: stock_low, severity: info, summary: s, runbook: r}"
    data = yaml.safe_load(entry) | yaml.load(text, yaml.BaseLoader)
    if "labels" in data:
        data["labels"] = {"tier": "x", "ok": True}
    said = [str(problem) for problem in check([("r", yaml.dump({"rules": [data]}))]).problems]
    assert len(said) == 1
    assert words in said[0]


BOMB = "\n".join(
    ["rules:", " - &a0 [1,1,1,1,1,1,1,1,1]", *(f" - &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 14))]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "too many values"),
        ("[" * 100_000, "nested too deeply"),
        ("rules: &all [*all]", "nested too deeply"),
        (
            "rules:\n\t- name: x",
            "g.yaml:2:1: is no YAML: found character that cannot start any token; indent with spaces",
        ),
        ("#" * (1 << 20) + "\n", "larger than 1 MiB"),
        ("rules: .nan", "g.yaml:1:8: .nan is no number"),
        ("rules: 1" + "0" * 5000, "too long a number"),
        ("rules: !!python/object:os.system x", "not understood"),
        ("rules: 1\n---\nrules: 2", "g.yaml:2:1: is no YAML"),
        ("? [a]\n: b", "a name must be text"),
        ("rulse: []", "did you mean 'rules'?"),
        ("extends: others", "may only be `default`"),
        ("- 1", "must be a mapping"),
    ],
    ids=lambda text: text[:20],
)
def test_hazards_of_yaml_are_named_and_harmless(text: str, words: str) -> None:
    assert words in "\n".join(map(str, check([("g.yaml", text)], shipped()).problems))


def test_words_and_times_are_what_they_look_like() -> None:
    """Norway's problem: YAML 1.1 makes false of `no`, 5400 of `1:30` and a date of `2026-11-11`."""
    data = read_yaml("{a: no, b: on, c: 1:30, d: 2026-11-11, e: 0x1f, f: 1e3, g: ~, h: true, i: 007}", "x").data
    assert data == {
        "a": "no",
        "b": "on",
        "c": "1:30",
        "d": "2026-11-11",
        "e": 31,
        "f": 1000.0,
        "g": None,
        "h": True,
        "i": 7,
    }


def test_merge_keys_are_understood() -> None:
    text = "{base: &b {x: 1, y: 1}, more: &m {y: 2, z: 2}, a: {<<: [*m, *b], z: 3}}"
    assert read_yaml(text, "x").data["a"] == yaml.safe_load(text)["a"] == {"x": 1, "y": 2, "z": 3}


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=6).filter(lambda k: k != "<<"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(DATA)
def test_what_was_written_is_what_is_read(data: object) -> None:
    """JSON is YAML, and leaves no room for two opinions of what a value is."""
    import json

    text = json.dumps(data)
    if len(text) < 500:
        document = read_yaml(text, "x")
        if not document.problems:
            assert document.data == data


RULE = {"name": "stock_low", "severity": "info", "summary": "s", "runbook": "r"}


@given(st.dictionaries(st.sampled_from([*RULE, "detector", "for", "labels", "parameters", "metric", "by"]), DATA))
def test_no_file_is_too_strange_to_be_told_so(fields: dict[str, object]) -> None:
    """Whatever is written is either rules or problems with a place in it; nothing else is raised."""
    text = yaml.safe_dump({"rules": [{**RULE, **fields}]}, allow_unicode=True)
    checked = check([("x", text)], shipped())
    assert bool(checked.problems) != bool(checked.rules)
    lines = text.splitlines()
    assert all(1 <= p.line <= len(lines) and 1 <= p.column <= len(lines[p.line - 1]) + 1 for p in checked.problems)


EXTENDED = """\
extends: default
rules:
  - name: traffic_spike
    parameters: {ratio: 6}
    labels: {team: growth}
    keep_firing_for: null
  - {name: stock_out, enabled: false}
  - {name: slow, detector: threshold, metric: payment_rate, condition: "< 0.5", severity: info, summary: s, runbook: r}
"""


def test_an_extension_changes_what_it_names_and_keeps_the_rest() -> None:
    base = {rule.name: rule for rule in check([shipped()]).rules}
    checked = check([("team.yaml", EXTENDED)], shipped())
    assert checked.problems == []
    rules = {rule.name: rule for rule in checked.rules}
    assert rules.keys() == base.keys() | {"slow"}
    spike, before = rules["traffic_spike"], base["traffic_spike"]
    assert spike.parameters == {**before.parameters, "ratio": 6}
    assert (spike.keep_ms, spike.summary, spike.labels) == (0, before.summary, {"team": "growth"})
    assert not rules["stock_out"].enabled
    assert {name: rule for name, rule in rules.items() if name not in ("traffic_spike", "stock_out", "slow")} == {
        name: rule for name, rule in base.items() if name not in ("traffic_spike", "stock_out")
    }
    assert (checked.places["traffic_spike"].source, checked.places["traffic_spike"].line) == ("team.yaml", 3)
    assert checked.places["stock_low"].source == shipped()[0]


def test_a_mistake_in_an_extension_is_placed_in_it() -> None:
    text = EXTENDED.replace("ratio: 6", "ratio: 0.5").replace("null", "3d")
    said = [str(p) for p in check([("team.yaml", text)], shipped()).problems]
    assert [line.split(": ")[:3] for line in said] == [
        ["team.yaml:4:25", "rule 'traffic_spike'", "parameters.ratio"],
        ["team.yaml:6:22", "rule 'traffic_spike'", "keep_firing_for"],
    ]


def test_files_of_a_folder_are_one_set(tmp_path: Path) -> None:
    whole = "rules: [{name: %s, severity: info, summary: s, runbook: r}]"
    (tmp_path / "a.yaml").write_text(EXTENDED, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(whole % "stock_low", encoding="utf-8")
    (tmp_path / "a_test.yaml").write_text("no rules", encoding="utf-8")
    (tmp_path / "c.yaml").write_text(EXTENDED.replace("slow", "stock_out"), encoding="utf-8")
    said = [str(p).removeprefix(str(tmp_path)) for p in check_path(tmp_path).problems]
    assert len(said) == 4
    assert said[0].startswith("/b.yaml:1:9: rule 'stock_low': is the name of a shipped rule")
    assert all("two rules are named" in line and line.startswith("/c.yaml") for line in said[1:])


def test_the_command_says_it_and_fails(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(EXTENDED, encoding="utf-8")
    wrong.write_text(WRONG, encoding="utf-8")
    assert CliRunner().invoke(rules, ["check"]).exit_code == 0
    fine = CliRunner().invoke(rules, ["check", str(right)])
    assert (fine.exit_code, "1 of them switched off" in fine.output) == (0, True)
    both = CliRunner().invoke(rules, ["check", str(right), str(wrong)])
    assert both.exit_code == 1
    assert f"{wrong}:3:15: rule 'stock_out': severity:" in both.output


def test_a_file_of_two_thousand_rules_is_read_in_a_moment() -> None:
    """A reload must not hold up the looks, which come every second."""
    about = "metric: gmv, by: channel, condition: '> 5', severity: info, summary: s, runbook: r"
    rule = f"  - {{{{name: r{{n}}, detector: threshold, {about}}}}}"
    text = "rules:\n" + "\n".join(rule.format(n=n) for n in range(2000))
    assert len(check([("x", text)]).rules) == 2000
    assert "2001 rules; 2000 are the most" in str(check([("x", text + "\n" + rule.format(n=2000))]).problems[0])
