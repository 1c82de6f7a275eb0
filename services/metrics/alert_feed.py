"""The alerts of a campaign as its page shows them, read from what the alerts service has written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from services.common.clock import to_ms
from services.common.store import StorePool
from services.common.tabular import time_text

# Alerts about the pipeline concern every campaign.
_EVERY_CAMPAIGN = "*"

_LATEST = """
SELECT
    alert_id, seq, at, rule, severity, state, campaign_id, labels, value, threshold, summary, runbook,
    starts_at, ends_at, complete_until, evidence, details
FROM
(
    SELECT *
    FROM alert_transitions
    WHERE campaign_id IN ({campaign_id:String}, {every:String})
        AND (alert_id, seq, term) NOT IN (SELECT alert_id, seq, term FROM alert_overtaken)
    ORDER BY seq DESC
    LIMIT 1 BY alert_id
)
WHERE state != 'pending'
ORDER BY state = 'resolved', alert_id DESC
LIMIT {limit:UInt32}
"""


@dataclass(frozen=True, slots=True)
class FeedAlert:
    """An alert as it is told, with the number and the moment (epoch ms) of its latest transition."""

    seq: int
    at_ms: int
    told: dict[str, Any]


async def read_alert_feed(pool: StorePool, campaign_id: str, *, limit: int = 40) -> list[FeedAlert]:
    """Open alerts first, then those that ended last."""
    rows = await pool.query(_LATEST, {"campaign_id": campaign_id, "every": _EVERY_CAMPAIGN, "limit": limit})
    return [FeedAlert(row["seq"], to_ms(row["at"]), _alert(row)) for row in rows]


def _alert(row: dict[str, Any]) -> dict[str, Any]:
    details = json.loads(row["details"])
    return {
        "id": row["alert_id"],
        "rule": row["rule"],
        "severity": row["severity"],
        "state": row["state"],
        "campaign_id": row["campaign_id"],
        "labels": json.loads(row["labels"]),
        "value": row["value"],
        "threshold": row["threshold"],
        "summary": row["summary"],
        "runbook": row["runbook"],
        "starts_at": time_text(row["starts_at"]),
        "ends_at": None if row["ends_at"] is None else time_text(row["ends_at"]),
        "complete_until": time_text(row["complete_until"]),
        "evidence": json.loads(row["evidence"]),
        "incident": details.get("incident") or row["alert_id"],
        "owner": details.get("owner", ""),
        "phase": details.get("phase", ""),
        "impact": details.get("impact"),
        "annotations": details.get("annotations", {}),
    }
