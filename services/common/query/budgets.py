"""When budgets were used up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from services.common.query.question import Question
from services.common.store import StorePool

_USED_UP = """
SELECT name, min(ms) AS ms
FROM
(
    SELECT
        toString(channel) AS name,
        toUnixTimestamp64Milli(event_time) AS ms,
        sum(toDecimal128(cost, 2)) OVER
            (PARTITION BY name ORDER BY ms RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS spent
    FROM spend_events
    WHERE campaign_id = {campaign_id:String}
        AND event_time < toDateTime({end:UInt32}, 'UTC')
        AND channel IN {channels:Array(String)}
)
WHERE spent >= toDecimal128(arrayElement({budgets:Array(String)}, indexOf({channels:Array(String)}, name)), 2)
GROUP BY name
"""


async def used_up(pool: StorePool, question: Question, budgets: Mapping[str, Decimal]) -> dict[str, int]:
    """By channel the moment (epoch ms) of the `ad_spend` before the period's end that used its budget up.

    A channel whose budget was not is absent.
    """
    if not budgets:
        return {}
    rows = await pool.query(
        _USED_UP,
        {
            "campaign_id": question.campaign_id,
            "end": question.end_ms // 1000,
            "channels": list(budgets),
            # Costs are in whole cents: a budget is reached when the cents above it are.
            "budgets": [str(budget.quantize(Decimal("0.01"), rounding=ROUND_CEILING)) for budget in budgets.values()],
        },
    )
    return {row["name"]: int(row["ms"]) for row in rows}
