"""`warroom rules test`: the shipped tests pass, wrong rules fail them, and what differs is said."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from services.alerts.rules.cli import rules
from services.alerts.rules.load import load_rules, parse_rules
from services.alerts.ruletest.load import read_tests
from services.alerts.ruletest.model import RuleTest
from services.alerts.ruletest.run import run_test

SHIPPED = Path(str(resources.files("services.alerts.rules").joinpath("default_test.yaml")))
FILE, PROBLEMS = read_tests(SHIPPED)
assert FILE is not None, PROBLEMS


@pytest.mark.parametrize("test", FILE.tests, ids=lambda test: test.name)
def test_the_shipped_rules_do_what_their_tests_say(test: RuleTest) -> None:
    assert [line for failure in run_test(test, load_rules(None)) for line in failure.lines()] == []


def test_each_shipped_rule_has_a_case_that_fires_it_and_one_that_must_not() -> None:
    """Catches: a rule that ships without anybody having seen it fire, or keep quiet about what looks alike."""
    assert FILE is not None
    names = {rule.name for rule in load_rules(None)}
    fire, never = set[str](), set[str]()
    for test in FILE.tests:
        fire |= {one.rule or alert.rule or "" for one in test.alert_rule_test for alert in one.alerts}
        never |= set(test.never)
    assert names - fire == set()
    assert names - never == set()


def test_a_rule_that_fires_between_two_expectations_has_fired() -> None:
    """Catches: a look-alike that is told in a moment at which nothing is asked."""
    assert FILE is not None
    spike = FILE.tests[0]
    test = spike.model_copy(
        update={"never": ["traffic_spike", "no_such"], "alert_rule_test": spike.alert_rule_test[::2]}
    )
    no_such, fired = run_test(test, load_rules(None))
    assert (no_such.rule, no_such.missing) == ("no_such", ["a rule of that name"])
    assert fired.rule == "traffic_spike"
    assert 180 < fired.seconds < 200
    assert fired.unexpected[0].startswith("rule='traffic_spike' state='firing' labels={'channel': 'app'}")


def test_the_shipped_tests_notice_a_rule_that_is_too_deaf() -> None:
    deaf = parse_rules("extends: default\nrules: [{name: traffic_spike, parameters: {ratio: 50}}]", "x")
    assert FILE is not None
    failures = [failure for test in FILE.tests[:1] for failure in run_test(test, deaf)]
    assert len(failures) == 1
    assert failures[0].missing[0].startswith("rule='traffic_spike' state='firing' labels={'channel': 'app'}")
    assert not failures[0].unexpected


PAYMENT_RULES = """\
rules:
  - name: payment_slow
    detector: threshold
    metric: payment_rate
    by: channel
    window: 5m
    condition: "< 0.5"
    for: 30s
    severity: {default: warning, phases: {burst: critical, rehearsal: none}}
    owner: payments
    summary: {en: "Only {value} of orders on {channel} are paid", zh: "{channel} 仅 {value} 的订单已支付"}
    runbook: {steps: [a]}
    parameters: {count: orders_created, min_count: 20}
"""
PAYMENT_TEST = """\
rule_files: [pay.yaml]
tests:
  - name: payments slow down in the burst
    interval: 1m
    campaign:
      phases: [{name: burst, start: 0s, end: 30m}, {name: rehearsal, start: 30m, end: 60m}]
    input_series:
      traffic{channel="app"}: 60x60
      orders_created{channel="app"}: 20x60
      orders_paid{channel="app"}: 18x10 4x50
      orders_created{channel="web"}: 20x60
      orders_paid{channel="web"}: 18x60
    alert_rule_test:
      - {eval_time: 10m, alerts: []}
      - eval_time: 17m
        rule: payment_slow
        alerts:
          - labels: {channel: app}
            severity: critical
            phase: burst
            owner: payments
            summary: Only 0.2 of orders on app are paid
            summary_zh: app 仅 0.2 的订单已支付
            paged: true
      - {eval_time: 31m, alerts: []}
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(rules, ["test", *arguments])
    return result.exit_code, result.output


def test_a_rule_of_ones_own_is_tested_by_phase_and_language(tmp_path: Path) -> None:
    (tmp_path / "pay.yaml").write_text(PAYMENT_RULES, encoding="utf-8")
    tests = tmp_path / "pay_test.yaml"
    # The value it fires with is that of the moment; the test asks for what the summary said then.
    data = yaml.safe_load(PAYMENT_TEST)
    del data["tests"][0]["alert_rule_test"][1]["alerts"][0]["summary"]
    del data["tests"][0]["alert_rule_test"][1]["alerts"][0]["summary_zh"]
    tests.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert run(str(tests)) == (0, "1 passed, 0 failed\n")

    # The same with its texts, which are wrong: both sides are shown.
    tests.write_text(PAYMENT_TEST, encoding="utf-8")
    status, output = run(str(tests))
    assert status == 1
    lines = output.splitlines()
    assert lines[0].endswith("payments slow down in the burst: at 1020 s the alerts of payment_slow differ")
    assert lines[1].startswith(f"{tests}:   - rule='payment_slow' state='firing' labels={{'channel': 'app'}}")
    assert lines[2].startswith(f"{tests}:   + rule='payment_slow' state='firing' labels={{'channel': 'app'}}")
    assert "summary_zh='app 仅 0.4" in lines[2]
    assert lines[-1] == "0 passed, 1 failed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ('orders_paid{channel="app"}', 'orders_payed{channel="app"}'),
            ':10:36: tests.0.input_series.orders_payed{channel="app"}: there is no series',
        ),
        (("eval_time: 10m", "eval_time: ten"), ":14:21: tests.0.alert_rule_test.0.eval_time: must be a duration"),
        (("severity: critical", "severity: grave"), ":19:23: tests.0.alert_rule_test.1.alerts.0.severity"),
        (("18x10", "18z10"), "'18z10' is no value"),
        (("pay.yaml", "default"), "1 failed"),
        (("alerts: []}", "alerts: [{}]}"), "name a `rule`"),
    ],
)
def test_a_wrong_test_file_is_told_where(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    (tmp_path / "pay.yaml").write_text(PAYMENT_RULES, encoding="utf-8")
    tests = tmp_path / "pay_test.yaml"
    tests.write_text(PAYMENT_TEST.replace(*change, 1), encoding="utf-8")
    status, output = run(str(tests))
    assert status == 1
    assert words in output


def test_tests_can_be_chosen_by_name_and_none_is_a_failure() -> None:
    assert run(str(SHIPPED), "--run", "that are refused") == (0, "1 passed, 0 failed\n")
    assert run(str(SHIPPED), "--run", "no such") == (1, "0 passed, 0 failed\n")
