"""Prometheus's and Alertmanager's own tools on the files that ship: what fires, what does not, who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import yaml

from tests.grafana.boards import DEPLOY, RULES_FILE, groups, rules
from tests.grafana.rule_cases import CASES, Case
from tests.support.debian import NotToBeHad, find_program
from tests.support.prometheus import check

pytestmark = pytest.mark.system

Expected = dict[str, Any]
"""An entry of promtool's `alert_rule_test`."""

ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
ALERTMANAGER = str(DEPLOY / "alertmanager" / "alertmanager.yml")
# Watches by firing always: there is nothing on which it does not.
ALWAYS = {"WarroomWatchdog"}


@pytest.fixture(autouse=True)
def _tools_can_be_had() -> None:
    try:
        find_program("promtool", "prometheus")
        find_program("amtool", "prometheus-alertmanager")
    except NotToBeHad as error:
        pytest.skip(f"NOT TESTED, the rules of Prometheus and the routes of Alertmanager: {error}")


def test_the_files_that_ship_are_accepted() -> None:
    assert "SUCCESS" in check("amtool", "prometheus-alertmanager", "check-config", ALERTMANAGER)
    said = check("promtool", "prometheus", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert f"{len(rules())} rules found" in said


def test_each_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == ALERTS.keys() - ALWAYS


def test_each_alert_fires_when_it_should_and_not_when_it_should_not(tmp_path: Path) -> None:
    """Catches: a threshold on the wrong side, a condition that nothing can meet, a summary that cannot be rendered."""
    copy(RULES_FILE, tmp_path)
    watchdog = _test({}, [_expected("WarroomWatchdog", 1, {}, "Prometheus and Alertmanager work")], 1)
    for step in {case.step for case in CASES}:
        cases = [case for case in CASES if case.step == step]
        tests = [*_packed([(case.bad, _firing(case)) for case in cases], step),
                 *_packed([(case.good, _quiet(case)) for case in cases], step), watchdog]  # fmt: skip
        file = tmp_path / f"{step}.yml"
        # The tool knows no order of groups by itself, and a recording may then be a look old.
        looks = {"rule_files": [RULES_FILE.name], "evaluation_interval": f"{step}m", "group_eval_order": groups()}
        file.write_text(yaml.safe_dump(looks | {"tests": tests}), encoding="utf-8")
        assert "SUCCESS" in check("promtool", "prometheus", "test", "rules", str(file), seconds=240)


def _packed(pieces: list[tuple[Mapping[str, str], list[Expected]]], step: int) -> list[dict[str, Any]]:
    """Tests of several cases each: all that have no metric in common and are looked at for as long.

    Each test evaluates all rules at every step, so that one a case takes minutes.
    """
    packs: list[tuple[int, set[str], dict[str, str], list[Expected]]] = []
    for series, alerts in pieces:
        names = {name.split("{")[0] for name in series}
        last = max(int(alert["eval_time"][:-1]) for alert in alerts)
        for until, taken, held, expected in packs:
            if series and until == last and not taken & names:
                taken.update(names)
                held.update(series)
                expected.extend(alerts)
                break
        else:
            # Nothing at all is a case of its own: what is absent must not come from another.
            packs.append((last if series else -1, set(names), dict(series), list(alerts)))
    return [_test(held, expected, step) for _, _, held, expected in packs]


def _firing(case: Case) -> list[Expected]:
    fires = [_expected(case.alert, case.at, dict(case.labels), case.summary)]
    early = [] if case.early is None else [_silent(case, case.early)]
    return fires + early


def _quiet(case: Case) -> list[Expected]:
    return [_silent(case, minute) for minute in sorted({case.at, case.at // 2, case.at - 5})]


def _silent(case: Case, minute: int) -> Expected:
    return {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": []}


def _test(series: Mapping[str, str], alerts: list[Expected], step: int) -> dict[str, Any]:
    found = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": f"{step}m", "input_series": found, "alert_rule_test": alerts}


def _expected(alert: str, minute: int, labels: dict[str, str], summary: str) -> Expected:
    rule = ALERTS[alert]
    annotations = {"summary": summary, "runbook": rule["annotations"]["runbook"]}
    return {
        "eval_time": f"{minute}m",
        "alertname": alert,
        "exp_alerts": [{"exp_labels": rule["labels"] | labels, "exp_annotations": annotations}],
    }


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "stock_out", "severity": "critical", "campaign_id": "c"}, "oncall"),
        ({"alertname": "traffic_spike", "severity": "warning", "campaign_id": "c"}, "room"),
        ({"alertname": "WarroomDown", "severity": "critical"}, "oncall"),
        ({"alertname": "WarroomDiskFillsUp", "severity": "warning"}, "operators"),
        ({"alertname": "WarroomWatchdog", "severity": "none"}, "heartbeat"),
    ],
)
def test_an_alert_goes_to_whom_it_concerns(labels: dict[str, str], receiver: str) -> None:
    given = [f"{name}={value}" for name, value in labels.items()]
    check(
        "amtool", "prometheus-alertmanager", "config", "routes", "test", f"--config.file={ALERTMANAGER}",
        f"--verify.receivers={receiver}", *given,
    )  # fmt: skip


def test_each_alert_has_a_route_of_its_kind() -> None:
    """Catches: a name that escapes the routes, so that the campaign's people hear of a full disk."""
    for name, rule in ALERTS.items():
        severity = rule["labels"]["severity"]
        wanted = "heartbeat" if name in ALWAYS else "oncall" if severity == "critical" else "operators"
        test_an_alert_goes_to_whom_it_concerns({"alertname": name, "severity": severity}, wanted)


def test_what_is_inhibited_is_there() -> None:
    """Catches: an alert that was renamed in the rules and not in the inhibitions."""
    config = yaml.safe_load(Path(ALERTMANAGER).read_text(encoding="utf-8"))
    text = " ".join(
        matcher
        for rule in config["inhibit_rules"]
        for side in ("source", "target")
        for matcher in rule[f"{side}_matchers"]
    )
    names = {name.strip('"') for part in text.replace('"', " ").split() for name in part.split("|")}
    for name in names:
        if name.startswith("Warroom"):
            assert any(alert.startswith(name.removesuffix(".+")) for alert in ALERTS), name
