"""The files themselves: a dashboard rots quietly, and is found empty on the night when it is needed."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from scripts.grafana import files
from tests.grafana.boards import DEPLOY, ROOT, asked, boards, panels, queries, rules
from tests.grafana.expressions import declared, metrics_of

BOARDS = boards()
PROVISIONED = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/warroom.yml").read_text(encoding="utf-8"))
# Looked up among the value formats of @grafana/data 12.1.
UNITS = {"none", "locale", "percentunit", "s", "bytes", "cps", "reqps"}
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")


def test_the_dashboards_are_as_they_are_generated() -> None:
    """Catches: a change by hand that the next `make generate` undoes, and one that was not generated."""
    held = {path.name: path.read_text(encoding="utf-8") for path in (DEPLOY / "grafana/dashboards").glob("*")}
    assert held == files()


def test_no_two_dashboards_are_taken_for_each_other() -> None:
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)
    for name, board in BOARDS.items():
        assert name == f"{board['uid']}.json"
        assert len(board["uid"]) <= 40, "Grafana takes no longer uid"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in panels(board)]
    assert len(set(numbers)) == len(numbers)
    for group in [board["panels"], *(panel["panels"] for panel in board["panels"] if panel.get("panels"))]:
        for panel in group:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24, panel["title"]
        for one, other in combinations(group, 2):
            a, b = one["gridPos"], other["gridPos"]
            apart = (
                a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
                or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            )  # fmt: skip
            assert apart, f"{one['title']} lies over {other['title']}"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_each_panel_says_what_it_shows_and_in_which_unit(board: dict[str, Any]) -> None:
    for panel in panels(board):
        if panel["type"] == "row":
            continue
        assert len(panel["description"]) > 8, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["type"] == "text" or panel["targets"], panel["title"]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_each_data_source_is_provisioned(board: dict[str, Any]) -> None:
    known = {(source["uid"], source["type"]) for source in PROVISIONED["datasources"]}
    for where in _with_key(board, "datasource"):
        source = where["datasource"]
        assert (source["uid"], source["type"]) in known, source
    assert len(known) == 2


def _with_key(value: Any, key: str) -> list[dict[str, Any]]:
    """Every object within a value that has the key."""
    found = [value] if isinstance(value, dict) and key in value else []
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [each for child in children for each in _with_key(child, key)]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_each_variable_is_declared_and_used(board: dict[str, Any]) -> None:
    text = json.dumps({name: part for name, part in board.items() if name != "templating"})
    used = set(re.findall(r"\$\{?(?!__)([a-z]\w*)", text))
    names = {variable["name"] for variable in board["templating"]["list"]}
    # What is written in runbooks is no query.
    assert used == names


def test_no_address_is_written_down() -> None:
    """Catches: a dashboard that works on its author's machine."""
    for path in (DEPLOY / "grafana").rglob("*"):
        if path.is_file():
            lines = [
                line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
            ]
            assert not re.search(r"https?://|localhost|127\.0\.0\.1|\d+\.\d+\.\d+\.\d+", "\n".join(lines)), path.name


def test_each_variable_of_the_provisioning_is_explained() -> None:
    document = (ROOT / "docs" / "grafana.md").read_text(encoding="utf-8")
    text = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY / "grafana/provisioning").rglob("*.yml"))
    names = set(re.findall(r"\$(\w+)", text)) - {"__rate_interval"}
    assert len(names) == 6
    assert all(f"`{name}`" in document for name in names)


def test_each_metric_of_dashboards_and_rules_is_declared() -> None:
    known = declared()
    for query in asked():
        if query.prometheus:
            text = re.sub(r"^label_values\((.+), *\w+\)$", r"\1", query.text)
            assert metrics_of(text), query.where
            assert metrics_of(text) <= known, f"{query.where}: {metrics_of(text) - known}"
    for rule in rules():
        if rule["expr"] != "vector(1)":
            assert metrics_of(rule["expr"]), rule
            assert metrics_of(rule["expr"]) <= known, f"{rule}: {metrics_of(rule['expr']) - known}"


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (kind) (rate(a_total{x="b_total"}[$__rate_interval])) or vector(0)', {"a_total"}),
        ('a{c="$d"} / on (e) group_left (f) g:h:i{j="k"} - 1', {"a", "g:h:i"}),
        ("histogram_quantile(0.99, sum by (t, le) (rate(b_bucket[5m]))) > bool 14.4 * 0.005", {"b_bucket"}),
        ("max(a) > 60 and b unless c", {"a", "b", "c"}),
    ],
)
def test_names_are_found_in_an_expression(expression: str, names: set[str]) -> None:
    assert metrics_of(expression) == names


def test_each_alert_says_for_how_long_how_grave_what_and_what_to_do() -> None:
    chapters = re.findall(r"^### (\w+)$", RUNBOOKS, flags=re.MULTILINE)
    alerts = [rule for rule in rules() if "alert" in rule]
    for rule in alerts:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")
        assert rule["annotations"].keys() == {"summary", "runbook"}
        assert rule["annotations"]["runbook"].endswith(f" docs/runbooks.md#{rule['alert'].lower()}")
    assert sorted(chapters) == sorted(rule["alert"] for rule in alerts)


def test_each_runbook_stands_at_the_foot_of_a_dashboard() -> None:
    """Catches: a chapter that no dashboard shows."""
    shown = "\n".join(
        panel["options"]["content"] for board in BOARDS.values() for panel in panels(board) if panel["type"] == "text"
    )
    for rule in rules():
        if "alert" in rule:
            assert f"### {rule['alert']}\n" in shown, rule["alert"]


def test_rows_of_several_queries_have_the_same_labels() -> None:
    """Catches: a table in which every channel stands once for each column, as the series' names keep rows apart."""
    for board in BOARDS.values():
        for panel in panels(board):
            if panel["type"] == "table" and len(panel["targets"]) > 1:
                kept = {re.match(r"max by \([\w, ]+\) ", target["expr"]) for target in panel["targets"]}
                assert None not in kept
                assert len({match.group() for match in kept if match}) == 1, panel["title"]


def test_numbers_of_a_campaign_are_those_of_one_instance() -> None:
    """Catches: a panel with two numbers, or twice the number, where two metrics services are scraped."""
    for query in queries(BOARDS["warroom-campaign.json"]):
        if query.kind == "panel" and query.prometheus and "warroom_campaign_" in query.text:
            assert re.fullmatch(r"(max( by \(\w+(, \w+)*\))? ?\([^()]+\)( / | - 1| \* |$))+", query.text), query.where


def test_what_is_recorded_is_used() -> None:
    """Catches: a recording rule that costs and serves nobody."""
    used = {name for query in asked() if query.prometheus for name in metrics_of(query.text)}
    used |= {name for rule in rules() for name in metrics_of(rule["expr"])}
    assert {rule["record"] for rule in rules() if "record" in rule} <= used


def test_statements_take_values_of_variables_quoted_and_are_bounded() -> None:
    for board in BOARDS.values():
        for query in queries(board):
            if not query.prometheus:
                for name, form in re.findall(r"\$\{(\w+)(?::(\w+))?\}", query.text):
                    assert form == "singlequote", f"{query.where}: {name}"
                assert re.match(r"SELECT\b", query.text), query.where
