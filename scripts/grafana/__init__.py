"""The dashboards of deploy/grafana, written from Python: `python -m scripts.grafana` (part of `make generate`).

They are generated because a dashboard is two thousand lines of JSON of which fifty say something; a test compares the
files with what comes out here.
"""

from __future__ import annotations

import json

from scripts.grafana.alerting import alerting
from scripts.grafana.clickhouse import clickhouse
from scripts.grafana.ingest import ingest
from scripts.grafana.model import Dashboard
from scripts.grafana.shared import ROOT
from scripts.grafana.war_room import WAR_ROOM

DIRECTORY = ROOT / "deploy" / "grafana" / "dashboards"


def dashboards() -> list[Dashboard]:
    """All of them."""
    return [WAR_ROOM, ingest(), alerting(), clickhouse()]


def files() -> dict[str, str]:
    """The text of each file by its name."""
    return {
        f"{dashboard.uid}.json": json.dumps(dashboard.json(), indent=2, ensure_ascii=False) + "\n"
        for dashboard in dashboards()
    }
