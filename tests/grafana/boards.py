"""The dashboards as Grafana reads them: their panels, and every query that they hold, by where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RULES_FILE = DEPLOY / "prometheus" / "warroom-rules.yml"


@dataclass(frozen=True)
class Asked:
    """A query. `kind` is `panel`, `variable` or `annotation`; `text` is PromQL or SQL, `where` tells people."""

    where: str
    kind: str
    text: str
    prometheus: bool
    instant: bool = False
    series: bool = False


def boards() -> dict[str, Any]:
    """Every dashboard by its file's name."""
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    }


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, rows and what is folded away in them included."""
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def queries(board: dict[str, Any]) -> Iterator[Asked]:
    """Every query of a dashboard."""
    title = board["title"]
    for variable in board["templating"]["list"]:
        prometheus = variable["datasource"]["type"] == "prometheus"
        text = variable["query"]["query" if prometheus else "rawSql"]
        yield Asked(f"{title} / ${variable['name']}", "variable", text, prometheus)
    for annotation in board["annotations"]["list"]:
        yield Asked(f"{title} / {annotation['name']}", "annotation", annotation["target"]["rawSql"], prometheus=False)
    for panel in panels(board):
        for target in panel.get("targets", ()):
            where = f"{title} / {panel['title']} {target['refId']}"
            if target["datasource"]["type"] == "prometheus":
                yield Asked(where, "panel", target["expr"], prometheus=True, instant=target["instant"])
            else:
                yield Asked(where, "panel", target["rawSql"], prometheus=False, series=target["format"] == 0)


def asked() -> list[Asked]:
    """Every query of every dashboard."""
    return [query for board in boards().values() for query in queries(board)]


def groups() -> list[str]:
    """The groups of rules, in order."""
    return [group["name"] for group in yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"]]


def rules() -> list[dict[str, Any]]:
    """Every recording and alerting rule."""
    found = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"]
    return [rule for group in found for rule in group["rules"]]
