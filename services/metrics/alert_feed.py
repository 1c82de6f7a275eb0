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

# Ids of orders and coupons: a screen that hangs in a room shows none, and so it gets none.
_NOT_TOLD = {"events"}

# The last moment of a DateTime64 in milliseconds that every version of ClickHouse knows.
_FOREVER_MS = 10_413_791_999_999

# Who acknowledged it stands in that transition alone; one that has fired again since is nobody's.
_LATEST = """
SELECT
    alert_id, seq, at, rule, severity, state, campaign_id, labels, value, threshold, summary, runbook,
    starts_at, ends_at, complete_until, evidence, details, taken_seq > fired_seq AS taken, taken_by, taken_at
FROM
(
    SELECT *
    FROM alert_transitions
    WHERE campaign_id IN ({campaign_id:String}, {every:String})
        AND at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        AND (alert_id, seq, term) NOT IN (SELECT alert_id, seq, term FROM alert_overtaken)
    ORDER BY seq DESC
    LIMIT 1 BY alert_id
) AS latest
INNER JOIN
(
    SELECT
        alert_id,
        maxIf(t.seq, t.state = 'firing') AS fired_seq,
        maxIf(t.seq, t.state = 'acknowledged' AND t.actor != '') AS taken_seq,
        argMaxIf(t.actor, t.seq, t.state = 'acknowledged' AND t.actor != '') AS taken_by,
        argMaxIf(t.at, t.seq, t.state = 'acknowledged' AND t.actor != '') AS taken_at
    FROM alert_transitions AS t
    WHERE t.campaign_id IN ({campaign_id:String}, {every:String})
        AND t.at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        AND (t.alert_id, t.seq, t.term) NOT IN (SELECT alert_id, seq, term FROM alert_overtaken)
    GROUP BY alert_id
) AS people USING alert_id
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


async def read_alert_feed(
    pool: StorePool, campaign_id: str, *, limit: int = 40, until_ms: int = _FOREVER_MS
) -> list[FeedAlert]:
    """Open alerts first, then those that ended last, each as it stood at `until_ms` (epoch ms; default now)."""
    given = {"campaign_id": campaign_id, "every": _EVERY_CAMPAIGN, "limit": limit, "until": until_ms}
    rows = await pool.query(_LATEST, given)
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
        "evidence": {name: value for name, value in json.loads(row["evidence"]).items() if name not in _NOT_TOLD},
        "incident": details.get("incident") or row["alert_id"],
        "owner": details.get("owner", ""),
        "phase": details.get("phase", ""),
        "impact": details.get("impact"),
        "annotations": details.get("annotations", {}),
        "mute": details.get("mute", ""),
        "acknowledged_by": row["taken_by"] if row["taken"] else None,
        "acknowledged_at": time_text(row["taken_at"]) if row["taken"] else None,
    }
