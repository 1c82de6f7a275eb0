"""The contract's first page in DuckDB's SQL: which records count, and what each says.

Nothing here is shared with the product: the JSON is read by DuckDB, money is DuckDB's DECIMAL.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tests.conformance.records import Record

# Ingest freezes what it finds in memory, and DuckDB's binding complains at exit of what was never collected.
atexit.register(gc.unfreeze)

_JUDGED = """
CREATE TABLE judged AS
WITH
shaped AS (
    SELECT ordinal, kind, octet_length(value) AS bytes, decode(value) AS text FROM records
),
read AS (
    SELECT ordinal, kind, bytes,
        coalesce(json_type(try_cast(text AS JSON)) = 'OBJECT', false) AS is_object,
        try_cast(text AS JSON) AS j
    FROM shaped
),
told AS (
    SELECT ordinal, kind, bytes, is_object, j,
        j->>'$.event_id' AS event_id,
        j->>'$.event_name' AS name,
        upper(j->>'$.event_time') AS time_text,
        j->>'$.campaign_id' AS campaign,
        j->>'$.user_id' AS user_id,
        j->>'$.currency' AS currency,
        CASE kind WHEN 'orders' THEN j->>'$.value' WHEN 'spend' THEN j->>'$.cost' ELSE j->>'$.face_value' END AS amount
    FROM read
),
timed AS (
    SELECT *,
        -- What is finer than a millisecond is cut off before anything rounds it.
        try_cast(regexp_replace(time_text, '([.][0-9]{3})[0-9]+', '\\1') AS TIMESTAMPTZ) AS happened
    FROM told
)
SELECT *, CASE
    WHEN bytes > 256 * 1024 THEN 'too_large'
    WHEN NOT is_object THEN 'invalid_json'
    WHEN NOT coalesce(CASE kind
        WHEN 'traffic' THEN regexp_full_match(name, '[a-z][a-z0-9_]{0,63}')
        WHEN 'orders' THEN name IN
            ('order_created', 'order_paid', 'payment_failed', 'order_cancelled', 'order_refunded')
        WHEN 'coupons' THEN name IN ('coupon_issued', 'coupon_claimed', 'coupon_redeemed', 'coupon_expired')
        WHEN 'inventory' THEN name = 'stock_level'
        WHEN 'spend' THEN name = 'ad_spend' END, false) THEN 'unknown_event_name'
    WHEN NOT coalesce(length(event_id) BETWEEN 1 AND 64, false)
        OR NOT coalesce(regexp_full_match(campaign, '[A-Za-z0-9_.-]{1,64}'), false)
        OR happened IS NULL
        OR (kind IN ('traffic', 'orders', 'coupons') AND NOT coalesce(length(user_id) BETWEEN 1 AND 128, false))
        OR (kind = 'orders' AND j->>'$.order_id' IS NULL)
        OR (kind = 'coupons' AND (j->>'$.coupon_id' IS NULL OR j->>'$.batch_id' IS NULL))
        OR (kind = 'inventory' AND (j->>'$.item_id' IS NULL OR NOT coalesce((j->>'$.available')::HUGEINT >= 0, false)))
        OR ((kind IN ('orders', 'spend') OR name = 'coupon_redeemed') AND (amount IS NULL OR currency IS NULL))
        OR NOT coalesce(regexp_full_match(amount, '[0-9]+([.][0-9]{1,2}0*)?'), amount IS NULL)
        OR len(list_filter((j->'$.items')::JSON[], lambda item: (item->>'$.quantity')::INT < 1)) > 0
        THEN 'schema_violation'
    WHEN currency IS NOT NULL AND currency NOT IN (SELECT currency FROM rates) THEN 'unsupported_currency'
    WHEN happened < '2000-01-01T00:00:00Z'::TIMESTAMPTZ OR happened > now() + INTERVAL 10 MINUTE
        THEN 'event_time_out_of_range'
    END AS reason
FROM timed
"""

# Of those with one id in one topic the first that arrived counts; each in its phase, with its money converted.
_EVENTS = """
CREATE TABLE events AS
SELECT
    told.ordinal, told.kind, told.name, told.event_id, told.campaign, told.happened, told.user_id, told.j,
    coalesce(j->>'$.channel', 'unknown') AS channel,
    coalesce(j->>'$.region', 'unknown') AS region,
    coalesce(j->>'$.utm_source', 'unknown') AS utm_source,
    coalesce(phases.phase, 'unknown') AS phase,
    coalesce(rates.rate, 1) AS rate,
    round(amount::DECIMAL(18, 2) * coalesce(rates.rate, 1), 2)::DECIMAL(18, 2) AS amount
FROM judged AS told
LEFT JOIN rates USING (currency)
LEFT JOIN phases ON phases.campaign = told.campaign
    -- Bounds of time count in whole minutes, those of phases too.
    AND told.happened >= date_trunc('minute', phases.start) AND told.happened < date_trunc('minute', phases.stop)
WHERE reason IS NULL
QUALIFY row_number() OVER (PARTITION BY told.kind, told.event_id ORDER BY told.ordinal) = 1
"""

_TRAFFIC = """
CREATE TABLE traffic AS
SELECT * EXCLUDE (j, kind, amount, rate),
    j->>'$.session_id' AS session_id,
    coalesce(j->>'$.item_id', 'unknown') AS item_id,
    coalesce(j->>'$.item_category', 'unknown') AS item_category,
    coalesce(j->>'$.device_category', 'unknown') AS device_category,
    j->>'$.utm_source' AS mark_source, j->>'$.utm_medium' AS mark_medium, j->>'$.utm_campaign' AS mark_campaign,
    j->>'$.experiment' AS experiment, j->>'$.variant' AS variant
FROM events WHERE kind = 'traffic'
"""

_ORDERS = """
CREATE TABLE orders AS
SELECT * EXCLUDE (kind),
    j->>'$.order_id' AS order_id,
    j->>'$.device_id' AS device_id,
    (j->>'$.new_customer')::BOOLEAN AS new_customer,
    CASE (j->>'$.new_customer')::BOOLEAN WHEN true THEN 'new' WHEN false THEN 'returning' ELSE 'unknown' END
        AS customer_type
FROM events WHERE kind = 'orders'
"""

# What of an order is some item's; an order without items is one line of nothing known.
_LINES = """
CREATE TABLE lines AS
WITH split AS (SELECT *, unnest((j->'$.items')::JSON[]) AS line FROM orders)
SELECT * EXCLUDE (j, line, amount, rate),
    line->>'$.item_id' AS item_id,
    coalesce(line->>'$.item_category', 'unknown') AS item_category,
    (line->>'$.quantity')::INT AS quantity,
    round((line->>'$.quantity')::INT * (line->>'$.price')::DECIMAL(18, 2) * rate, 2)::DECIMAL(18, 2) AS amount
FROM split
UNION ALL BY NAME
SELECT * EXCLUDE (j, rate), 'unknown' AS item_id, 'unknown' AS item_category, 0 AS quantity
FROM orders WHERE coalesce(len((j->'$.items')::JSON[]), 0) = 0
"""

_REST = """
CREATE TABLE coupons AS SELECT * EXCLUDE (kind, j, rate) FROM events WHERE kind = 'coupons';
CREATE TABLE spend AS
SELECT * EXCLUDE (kind, j, rate),
    coalesce((j->>'$.impressions')::BIGINT, 0) AS impressions, coalesce((j->>'$.clicks')::BIGINT, 0) AS clicks
FROM events WHERE kind = 'spend';
CREATE TABLE inventory AS
SELECT campaign, happened, event_id, j->>'$.item_id' AS item_id, (j->>'$.available')::BIGINT AS available,
    coalesce(j->>'$.warehouse_id', 'default') AS warehouse
FROM events WHERE kind = 'inventory'
"""


class Duck:
    """DuckDB with everything that was sent, and the declared campaigns."""

    def __init__(
        self,
        records: Sequence[Record],
        campaigns: Mapping[str, Mapping[str, Any]],
        rates: Mapping[str, str],
        currency: str = "CNY",
    ) -> None:
        self._connection = duckdb.connect()
        self.campaigns = campaigns
        self.query("SET TimeZone = 'UTC'")
        self.query("SET threads = 2")
        table = pa.table(
            {
                "ordinal": pa.array(range(len(records)), pa.int64()),
                "kind": pa.array([record.kind for record in records]),
                "value": pa.array([record.value for record in records], pa.binary()),
            }
        )
        self._connection.register("records", table)
        self.query("CREATE TABLE rates (currency VARCHAR, rate DECIMAL(18, 6))")
        for code, rate in {**rates, currency: "1"}.items():
            self.query("INSERT INTO rates VALUES ($code, $rate)", code=code, rate=rate)
        self.query("CREATE TABLE phases (campaign VARCHAR, phase VARCHAR, start TIMESTAMPTZ, stop TIMESTAMPTZ)")
        for name, body in campaigns.items():
            for phase in body.get("phases", ()):
                self.query(
                    "INSERT INTO phases VALUES ($name, $phase, $start, $stop)",
                    name=name, phase=phase["name"], start=phase["start"], stop=phase["end"],
                )  # fmt: skip
        for statement in (_JUDGED, _EVENTS, _TRAFFIC, _ORDERS, _LINES, *_REST.split(";")):
            self.query(statement)
        self._connection.unregister("records")

    def query(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows as DuckDB answers them; money is Decimal, moments are asked for as `epoch_ms`."""
        named = {name: value for name, value in parameters.items() if f"${name}" in sql}
        found = self._connection.execute(sql, named)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def one(self, sql: str, **parameters: Any) -> dict[str, Any]:
        """The only row."""
        (row,) = self.query(sql, **parameters)
        return row

    def refused(self) -> dict[str, int]:
        """How many records are refused, by reason."""
        rows = self.query("SELECT reason, count(*) AS n FROM judged WHERE reason IS NOT NULL GROUP BY reason")
        return {row["reason"]: row["n"] for row in rows}
