"""What all dashboards share: variables, links, marks, and what is said of each alert."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.grafana.model import Annotation, Json, Prom, Row, Text, Variable

ROOT = Path(__file__).resolve().parents[2]

WALL = Variable("warroom", "Address of Warroom", Prom("label_values(warroom_external_url_info, url)"), hidden=True)
CURRENCY = Variable(
    "currency", "Currency", Prom("label_values(warroom_reporting_currency_info, currency)"), hidden=True
)
CAMPAIGN = Variable("campaign", "Campaign", Prom("label_values(warroom_campaign_gmv_total, campaign)"))
CHANNEL = Variable(
    "channel",
    "Channel",
    Prom('label_values(warroom_campaign_channel_gmv_total{campaign="$campaign"}, channel)'),
    several=True,
    everything=".+",
)

IN_CAMPAIGN = "campaign = ${campaign:singlequote}"
IN_CHANNEL = "$__conditionalAll(channel IN (${channel:singlequote}), $channel)"

DASHBOARDS: Json = {
    "type": "dashboards", "title": "Warroom", "tags": ["warroom"], "asDropdown": True,
    "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": "",
}  # fmt: skip


def link(title: str, path: str) -> Json:
    """A link of a dashboard to a path of Warroom itself."""
    return {
        "type": "link", "title": title, "url": f"${{warroom}}{path}", "targetBlank": True, "icon": "external link",
        "tooltip": "", "tags": [], "asDropdown": False, "includeVars": False, "keepTime": False,
    }  # fmt: skip


ALERTS = Annotation(
    "Alerts",
    "orange",
    f"""
SELECT starts_at AS time, ifNull(ends_at, now64(3)) AS timeEnd, summary AS text,
    concat(rule, ',', severity) AS tags
FROM bi_alerts
WHERE {IN_CAMPAIGN} AND starts_at <= $__toTime AND ifNull(ends_at, now64(3)) >= $__fromTime
ORDER BY time
LIMIT 500
""",
)
PHASES = Annotation(
    "Phases and events",
    "blue",
    f"""
SELECT starts_at AS time, ifNull(ends_at, starts_at) AS timeEnd, name AS text, kind AS tags
FROM bi_plan
WHERE {IN_CAMPAIGN} AND starts_at <= $__toTime AND timeEnd >= $__fromTime
ORDER BY time
LIMIT 500
""",
)
ALL_ALERTS = Annotation(
    "Alerts",
    "orange",
    """
SELECT starts_at AS time, ifNull(ends_at, now64(3)) AS timeEnd, summary AS text,
    concat(rule, ',', severity) AS tags
FROM bi_alerts
WHERE starts_at <= $__toTime AND ifNull(ends_at, now64(3)) >= $__fromTime
ORDER BY time
LIMIT 500
""",
)


def runbooks(*chapters: str) -> Row:
    """What docs/runbooks.md says of alerts, folded away at the end of a dashboard.

    So it is at hand where there is no way to the project's files. Raises `KeyError` for an unknown chapter.
    """
    text = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    # Links lead to files of the project, which Grafana does not have.
    plain = {title: re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", body).strip() for title, body in found.items()}
    return Row(
        "What to do",
        [Text(f"Alerts: {chapter}", plain[chapter], height=20) for chapter in chapters],
        collapsed=True,
    )
