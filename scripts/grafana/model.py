"""What a dashboard is made of, and the JSON that Grafana reads.

The form is that of Grafana's dashboard JSON model, schema version 39
(https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/); that of a ClickHouse
query is the plugin's `CHSqlQuery` (https://github.com/grafana/clickhouse-datasource, src/types/sql.ts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

SCHEMA_VERSION = 39
COLUMNS = 24

PROMETHEUS = {"type": "prometheus", "uid": "warroom-prometheus"}
CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "warroom-clickhouse"}

Json = dict[str, Any]


class Query(Protocol):
    """A query of a panel."""

    def json(self, ref: str, *, table: bool) -> Json:
        """The target of this name; `table` says that the panel shows rows and no lines."""
        ...


@dataclass(frozen=True, slots=True)
class Prom:
    """A PromQL expression. `instant` asks for the present value alone."""

    expr: str
    legend: str = ""
    instant: bool = False

    def json(self, ref: str, *, table: bool) -> Json:
        instant = self.instant or table
        return {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr,
            "format": "table" if table else "time_series",
            "instant": instant,
            "range": not instant,
            "legendFormat": self.legend or "__auto",
            "refId": ref,
        }


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement of ClickHouse with the plugin's macros. `series` says that its rows are lines over `time`."""

    text: str
    series: bool = False

    def json(self, ref: str, *, table: bool) -> Json:
        return {
            "datasource": CLICKHOUSE,
            "editorType": "sql",
            # sqlds: 0 is a time series, 1 is a table.
            "format": 0 if self.series else 1,
            "pluginVersion": "",
            "queryType": "timeseries" if self.series else "table",
            "rawSql": _trimmed(self.text),
            "refId": ref,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on the colour is this one; None is the base."""

    value: float | None
    colour: str


NEUTRAL = (Step(None, "blue"),)


def rising(warning: float, critical: float) -> tuple[Step, ...]:
    """Good while it is small. Blue, orange and vermilion are told apart with any colour vision."""
    return Step(None, "blue"), Step(warning, "orange"), Step(critical, "#D55E00")


def falling(critical: float, good: float) -> tuple[Step, ...]:
    """Good while it is large."""
    return Step(None, "#D55E00"), Step(critical, "orange"), Step(good, "blue")


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of a kind of Grafana's. `unit` is an id of Grafana's units; `width` is in columns of 24.

    `options`, `custom`, `overrides` and `transformations` are Grafana's own, beside what the kind brings.
    """

    kind: str
    title: str
    description: str
    queries: Sequence[Query]
    unit: str
    width: int
    height: int = 8
    decimals: int | None = None
    steps: tuple[Step, ...] = NEUTRAL
    minimum: float | None = None
    maximum: float | None = None
    interval: str | None = None
    line_name: str | None = None
    links: Sequence[Json] = ()
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    mappings: Sequence[Json] = ()

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel with its id at its place."""
        table = self.kind == "table"
        defaults: Json = {
            "color": {"mode": "palette-classic" if self.kind in ("timeseries", "piechart") else "thresholds"},
            "custom": _custom(self.kind) | self.custom,
            "mappings": list(self.mappings),
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": step.colour, "value": step.value} for step in self.steps],
            },
            "unit": self.unit,
        }
        for name, value in (
            ("decimals", self.decimals),
            ("min", self.minimum),
            ("max", self.maximum),
            ("displayName", self.line_name),
        ):
            if value is not None:
                defaults[name] = value
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": _datasource(self.queries),
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "targets": [query.json(_ref(n), table=table) for n, query in enumerate(self.queries)],
            "fieldConfig": {"defaults": defaults, "overrides": list(self.overrides)},
            "options": _options(self.kind) | self.options,
            "transformations": list(self.transformations),
            **({"interval": self.interval} if self.interval else {}),
            **({"links": list(self.links)} if self.links else {}),
        }


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown."""

    title: str
    markdown: str
    width: int = COLUMNS
    height: int = 12

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel with its id at its place."""
        return {
            "id": number,
            "type": "text",
            "title": self.title,
            "description": "From the project's documents.",
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "options": {"mode": "markdown", "content": self.markdown},
            "targets": [],
            "fieldConfig": {"defaults": {"unit": "none"}, "overrides": []},
            "transformations": [],
        }


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading; they fill lines of 24 columns from left to right. A click opens a collapsed one."""

    title: str
    panels: Sequence[Panel | Text]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable whose values a query finds. `everything` is what All stands for in PromQL."""

    name: str
    label: str
    query: Prom | Sql
    several: bool = False
    everything: str | None = None
    hidden: bool = False

    def json(self) -> Json:
        """The variable as Grafana reads it; it asks again whenever the time range changes."""
        found: Json = {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "hide": 2 if self.hidden else 0,
            "refresh": 2,
            "sort": 1,
            "regex": "",
            "multi": self.several,
            "includeAll": self.several,
            "current": {"text": ["All"], "value": ["$__all"]} if self.several else {},
            "options": [],
        }
        if isinstance(self.query, Prom):
            found |= {
                "datasource": PROMETHEUS,
                "definition": self.query.expr,
                "query": {"qryType": 1, "query": self.query.expr, "refId": "variable"},
            }
        else:
            text = _trimmed(self.query.text)
            found |= {
                "datasource": CLICKHOUSE,
                "definition": text,
                "query": {"queryType": "sql", "rawSql": text, "refId": "variable"},
            }
        return found | ({"allValue": self.everything} if self.everything else {})


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks on every chart: the statement gives `time`, `timeEnd` where it is a span, `text` and `tags`."""

    name: str
    colour: str
    sql: str

    def json(self) -> Json:
        """The annotation as Grafana reads it."""
        return {
            "name": self.name,
            "datasource": CLICKHOUSE,
            "enable": True,
            "hide": False,
            "iconColor": self.colour,
            "target": Sql(self.sql).json("annotation", table=True),
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard with a fixed uid, so that links to it last."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()
    annotations: Sequence[Annotation] = ()
    links: Sequence[Json] = ()
    since: str = "now-3h"
    refresh: str = "30s"

    def json(self) -> Json:
        """The file that Grafana provisions. Panels are numbered and placed in order."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["warroom"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            # The crosshair is shared, so that one moment is read across all charts.
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.since, "to": "now"},
            "refresh": self.refresh,
            "timepicker": {"refresh_intervals": ["10s", "30s", "1m", "5m"]},
            "templating": {"list": [variable.json() for variable in self.variables]},
            "annotations": {"list": [annotation.json() for annotation in self.annotations]},
            "links": list(self.links),
            "panels": _placed(self.rows),
        }


def _placed(rows: Sequence[Row]) -> list[Json]:
    panels: list[Json] = []
    number, y = 1, 0
    for row in rows:
        heading: Json = {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
            "panels": [],
        }
        panels.append(heading)
        number, y = number + 1, y + 1
        into = heading["panels"] if row.collapsed else panels
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            into.append(panel.json(number, x, y))
            number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
        # What is folded away takes no room.
        y += 0 if row.collapsed else tallest
    return panels


def _datasource(queries: Sequence[Query]) -> Mapping[str, str]:
    kinds = {type(query) for query in queries}
    if kinds == {Prom}:
        return PROMETHEUS
    return CLICKHOUSE if kinds == {Sql} else {"type": "datasource", "uid": "-- Mixed --"}


def _custom(kind: str) -> Json:
    if kind == "timeseries":
        return {"lineWidth": 2, "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return {"align": "auto", "cellOptions": {"type": "auto"}} if kind == "table" else {}


def _options(kind: str) -> Json:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    known: dict[str, Json] = {
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "stat": {"reduceOptions": last, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
        "gauge": {"reduceOptions": last, "showThresholdMarkers": True},
        "bargauge": {"reduceOptions": last, "orientation": "horizontal", "displayMode": "gradient"},
        "table": {"showHeader": True, "cellHeight": "sm"},
    }
    return known[kind]


def _ref(number: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number]


def _trimmed(sql: str) -> str:
    return "\n".join(line.rstrip() for line in sql.strip().splitlines())
