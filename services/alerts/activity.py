"""Which campaigns there are, and when something last came of them. Times come back as epoch milliseconds."""

from __future__ import annotations

_ACTIVITY = """
SELECT
    toString(campaign_id) AS campaign_id,
    toString(kind) AS kind,
    sum(campaign_activity.events) AS events,
    toUnixTimestamp64Milli(min(campaign_activity.first_event)) AS first_event,
    toUnixTimestamp64Milli(max(campaign_activity.last_event)) AS last_event,
    toUnixTimestamp64Milli(max(campaign_activity.last_arrival)) AS last_arrival
FROM campaign_activity
"""

ALL_ACTIVITY = f"{_ACTIVITY}GROUP BY campaign_id, kind\n"

# Whoever sends events invents campaigns: of those that are active so many are read, first those that somebody declared
# or that have alerts, then the largest. And those that are compared with.
ACTIVITY = (
    _ACTIVITY
    + """WHERE
    campaign_id IN (SELECT JSONExtractString(body, 'baseline_campaign_id') FROM campaigns)
    OR campaign_id IN
    (
        SELECT campaign_id
        FROM campaign_activity
        GROUP BY campaign_id
        HAVING
            toUnixTimestamp64Milli(max(campaign_activity.last_arrival)) >= {active_since:Int64}
            OR has({also:Array(String)}, toString(campaign_id))
        ORDER BY
            has({also:Array(String)}, toString(campaign_id)) DESC,
            campaign_id IN (SELECT campaign_id FROM campaigns) DESC,
            sum(campaign_activity.events) DESC,
            campaign_id
        LIMIT {most:UInt32}
    )
GROUP BY campaign_id, kind
"""
)
