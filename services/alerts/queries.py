"""Every question that the alerts service asks of ClickHouse.

Those about campaigns take `ids Array(String)` and read rollups, or events within a minute of time, so that their
cost does not grow with the events behind them. Times come back as epoch milliseconds or, in series, seconds.
"""

from __future__ import annotations

PROGRESS = """
SELECT
    toString(topic) AS topic,
    kafka_partition,
    next_offset,
    end_offset,
    toUnixTimestamp64Milli(watermark) AS watermark,
    toUnixTimestamp64Milli(updated_at) AS updated_at
FROM ingest_progress FINAL
"""

CAMPAIGNS = """
SELECT
    campaign_id,
    max(campaigns.version) AS latest,
    argMax(body, campaigns.version) AS declared
FROM campaigns
GROUP BY campaign_id
"""

# Traffic by channel and second, and all that the pulse holds beside it.
PULSE = """
SELECT
    toString(campaign_id) AS campaign_id,
    toString(channel) AS channel,
    toUnixTimestamp(second) AS bucket,
    sum(traffic) AS traffic,
    sum(orders_created + orders_paid) AS orders,
    sum(orders_paid) AS paid
FROM pulse_by_second
WHERE campaign_id IN {ids:Array(String)}
    AND second >= toDateTime({from:UInt32}, 'UTC') AND second < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, channel, bucket
"""

# The same in buckets of `step` seconds.
PULSE_HISTORY = """
SELECT
    toString(campaign_id) AS campaign_id,
    toString(channel) AS channel,
    intDiv(toUnixTimestamp(second) - {from:UInt32}, {step:UInt32}) AS bucket,
    sum(traffic) AS traffic,
    sum(orders_created + orders_paid) AS orders,
    sum(orders_paid) AS paid
FROM pulse_by_second
WHERE campaign_id IN {ids:Array(String)}
    AND second >= toDateTime({from:UInt32}, 'UTC') AND second < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, channel, bucket
"""

# In how many seconds of each bucket anything happened.
PULSE_OCCUPIED = """
SELECT
    toString(campaign_id) AS campaign_id,
    intDiv(toUnixTimestamp(second) - {from:UInt32}, {step:UInt32}) AS bucket,
    uniqExact(second) AS occupied
FROM pulse_by_second
WHERE campaign_id IN {ids:Array(String)}
    AND second >= toDateTime({from:UInt32}, 'UTC') AND second < toDateTime({to:UInt32}, 'UTC')
GROUP BY campaign_id, bucket
"""

STOCK = """
SELECT
    toString(campaign_id) AS campaign_id,
    item_id,
    toString(warehouse_id) AS warehouse_id,
    toUnixTimestamp(max(minute)) AS newest_minute,
    argMaxMerge(level) AS newest,
    newest.1 AS available,
    newest.2 AS safety_stock
FROM stock_by_minute
WHERE campaign_id IN {ids:Array(String)}
    AND minute >= toDateTime({from:UInt32}, 'UTC')
    AND day >= toDate(toDateTime(greatest({from:UInt32}, 900) - 900, 'UTC'))
GROUP BY campaign_id, item_id, warehouse_id
"""

# What each item sold; items that sold nothing are absent. The minute of `present` is not over.
SOLD = """
SELECT
    toString(campaign_id) AS campaign_id,
    item_id,
    sum(minute_units) AS units,
    toFloat64(sum(minute_gmv)) AS amount,
    sum(minute_orders) AS orders,
    maxIf(minute_orders, minute < toDateTime({present:UInt32}, 'UTC')) AS busiest,
    sumIf(minute_orders, minute >= toDateTime({present:UInt32}, 'UTC')) AS present_orders
FROM
(
    SELECT
        campaign_id,
        minute,
        orders_by_minute.value AS item_id,
        sum(orders_by_minute.paid_units) AS minute_units,
        sum(orders_by_minute.paid_gmv) AS minute_gmv,
        sum(orders_by_minute.orders_paid) AS minute_orders
    FROM orders_by_minute
    WHERE campaign_id IN {ids:Array(String)}
        AND dimension = 'item_id'
        AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')
        AND day >= toDate(toDateTime({from:UInt32} - 900, 'UTC'))
    GROUP BY campaign_id, item_id, minute
)
GROUP BY campaign_id, item_id
HAVING units > 0
"""

# An order that is refunded in several parts is one customer's doing: the first part counts.
REFUNDS_RECENT = """
SELECT
    campaign_id,
    channel,
    items,
    intDiv(toUnixTimestamp64Milli(refunded_at), 1000) AS second,
    count() AS refunds
FROM
(
    SELECT
        toString(order_events.campaign_id) AS campaign_id,
        toString(order_events.channel) AS channel,
        arraySort(if(empty(line_item_id), ['unknown'], arrayDistinct(line_item_id))) AS items,
        min(event_time) AS refunded_at
    FROM order_events
    WHERE order_events.campaign_id IN {ids:Array(String)}
        AND event_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND event_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND event_name = 'order_refunded'
    GROUP BY campaign_id, channel, items, order_id
)
GROUP BY campaign_id, channel, items, second
ORDER BY campaign_id, second, channel, items
"""

# Items without refunds count too: `items` of the campaign is the number of its rows. Paid and refunded are those
# before the minute of `lately`.
REFUNDS_HOUR = """
SELECT
    toString(campaign_id) AS campaign_id,
    orders_by_minute.value AS item_id,
    sum(orders_refunded) AS refunds,
    sumIf(orders_paid, minute < toDateTime({lately:UInt32}, 'UTC')) AS paid_before,
    sumIf(orders_refunded, minute < toDateTime({lately:UInt32}, 'UTC')) AS refunded_before
FROM orders_by_minute
WHERE campaign_id IN {ids:Array(String)}
    AND dimension = 'item_id'
    AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')
    AND day >= toDate(toDateTime({from:UInt32} - 900, 'UTC'))
GROUP BY campaign_id, item_id
"""

REFUSED = """
SELECT toString(topic) AS topic, count() AS records
FROM dead_letters
WHERE arrived_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
GROUP BY topic
"""

# For how long, of the minute before a campaign's last event, events arrived as they happened: an import ends within a
# second or two of such. Asked only for a campaign that has fallen silent.
LIVE_SECONDS = """
SELECT if(uniqExact(arrival) < 3, 0, toUInt64(max(arrival) - min(arrival))) AS seconds
FROM
(
    SELECT toUnixTimestamp(arrived_at) AS arrival
    FROM traffic_events
    WHERE campaign_id = {id:String}
        AND event_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND event_time <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND arrived_at < event_time + INTERVAL 20 SECOND
    UNION ALL
    SELECT toUnixTimestamp(arrived_at) AS arrival
    FROM order_events
    WHERE campaign_id = {id:String}
        AND event_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND event_time <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND arrived_at < event_time + INTERVAL 20 SECOND
)
"""

# Transitions that were recorded in a term that was over count for nothing; see schemas/migrations.
_IN_TERM = "(t.alert_id, t.seq, t.term) NOT IN (SELECT alert_id, seq, term FROM alert_overtaken)"

# The alert as it stands: its last transition.
_CURRENT = (
    """
SELECT
    alert_id,
    max(t.seq) AS last_seq,
    argMaxIf(t.notice, t.seq, t.notice IN ('firing', 'resolved')) = 'firing' AS notified,
    argMax(t.state, t.seq) AS state,
    argMax(t.rule, t.seq) AS rule,
    argMax(t.severity, t.seq) AS severity,
    argMax(t.campaign_id, t.seq) AS campaign_id,
    argMax(t.labels, t.seq) AS labels,
    argMax(t.evidence, t.seq) AS evidence,
    argMax(t.fingerprint, t.seq) AS fingerprint,
    argMax(t.value, t.seq) AS value,
    argMax(t.threshold, t.seq) AS threshold,
    argMax(t.summary, t.seq) AS summary,
    argMax(t.runbook, t.seq) AS runbook,
    argMax(t.details, t.seq) AS details,
    toUnixTimestamp64Milli(argMax(t.starts_at, t.seq)) AS starts_at,
    toUnixTimestamp64Milli(argMax(t.fired_at, t.seq)) AS fired_at,
    toUnixTimestamp64Milli(argMax(t.complete_until, t.seq)) AS complete_until,
    -- argMax passes over NULL.
    toUnixTimestamp64Milli(argMax(tuple(t.ends_at), t.seq).1) AS ends_at
FROM alert_transitions AS t
WHERE """
    + _IN_TERM
)

# In the order in which they began.
# Which are open is told by two narrow columns: an instance that stands by asks every second, and must not
# read all that was ever said of alerts that are over.
OPEN_ALERTS = (
    _CURRENT
    + """
    AND t.alert_id IN
    (
        SELECT t.alert_id
        FROM alert_transitions AS t
        WHERE """
    + _IN_TERM
    + """
        GROUP BY t.alert_id
        HAVING argMax(t.state, t.seq) IN ('firing', 'acknowledged')
    )
GROUP BY alert_id
ORDER BY alert_id
"""
)

# Of one thing the last alert.
ENDED_LATELY = (
    "SELECT * FROM ("
    + _CURRENT
    + """
GROUP BY alert_id
HAVING state = 'resolved' AND max(t.at) >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
)
ORDER BY alert_id DESC
LIMIT 1 BY fingerprint
"""
)

# Empty strings ask for all.
ALERTS = (
    _CURRENT
    + """
    AND ({campaign_id:String} = '' OR t.campaign_id = {campaign_id:String})
    AND ({severity:String} = '' OR t.severity = {severity:String})
    AND ({campaigns:String} = '' OR t.campaign_id = '*' OR match(t.campaign_id, {campaigns:String}))
GROUP BY alert_id
HAVING ({state:String} = '' OR state = {state:String})
    AND ({incident:String} = '' OR JSONExtractString(details, 'incident') = {incident:String})
ORDER BY starts_at DESC, alert_id DESC
LIMIT {limit:UInt32}
"""
)

ALERT = _CURRENT + " AND t.alert_id = {alert_id:String} GROUP BY alert_id"

TIMELINE = (
    """
SELECT
    seq,
    toUnixTimestamp64Milli(t.at) AS at,
    toString(t.state) AS state,
    t.actor AS actor,
    t.note AS note,
    toString(t.notice) AS notice,
    groupArray((
        toString(d.receiver), toString(d.outcome), d.attempts, d.detail, toUnixTimestamp64Milli(d.at)
    )) AS deliveries
FROM alert_transitions AS t
LEFT JOIN alert_deliveries AS d ON d.alert_id = t.alert_id AND d.seq = t.seq
WHERE t.alert_id = {alert_id:String}
    AND """
    + _IN_TERM
    + """
GROUP BY seq, at, state, actor, note, notice
ORDER BY seq
"""
)

KNOWN_SINCE = """
SELECT count() AS rows, minIf(toUnixTimestamp64Milli(at), outcome = 'since') AS since
FROM alert_deliveries
WHERE receiver = {receiver:String}
"""

RECEIVERS_SINCE = """
SELECT toString(receiver) AS receiver, max(toUnixTimestamp64Milli(at)) AS since
FROM alert_deliveries
WHERE alert_id = '' AND outcome = 'since'
GROUP BY receiver
"""

WAS_TOLD = """
SELECT 1 AS told
FROM alert_deliveries
WHERE alert_id = {alert_id:String} AND receiver = {receiver:String} AND outcome = 'delivered'
LIMIT 1
"""

# Notices that nobody has delivered or given up, in the order in which they were made.
UNDELIVERED = (
    """
SELECT
    alert_id,
    t.seq AS last_seq,
    toString(t.notice) AS notice,
    t.actor AS actor,
    t.note AS note,
    toUnixTimestamp64Milli(t.at) AS at,
    toString(t.state) AS state,
    toString(t.rule) AS rule,
    toString(t.severity) AS severity,
    toString(t.campaign_id) AS campaign_id,
    t.labels AS labels,
    t.evidence AS evidence,
    t.fingerprint AS fingerprint,
    t.value AS value,
    t.threshold AS threshold,
    t.summary AS summary,
    t.runbook AS runbook,
    t.details AS details,
    toUnixTimestamp64Milli(t.starts_at) AS starts_at,
    toUnixTimestamp64Milli(t.fired_at) AS fired_at,
    toUnixTimestamp64Milli(t.complete_until) AS complete_until,
    toUnixTimestamp64Milli(t.ends_at) AS ends_at,
    1 AS notified
FROM alert_transitions AS t
WHERE notice != ''
    AND t.at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND (alert_id, t.seq) NOT IN (SELECT alert_id, seq FROM alert_deliveries WHERE receiver = {receiver:String})
    AND """
    + _IN_TERM
    + """
ORDER BY t.at, alert_id, last_seq
-- An insert whose answer was lost may have been repeated with others in its company.
LIMIT 1 BY alert_id, last_seq
"""
)

# Each as it stands; one that was ended before its time is over since then.
SILENCES = """
SELECT *
FROM
(
    SELECT
        silence_id,
        s.version AS last_version,
        matchers,
        toUnixTimestamp64Milli(s.starts_at) AS starts_at,
        toUnixTimestamp64Milli(s.ends_at) AS ends_at,
        created_by,
        comment,
        toUnixTimestamp64Milli(s.created_at) AS created_at,
        repeats,
        ended_by
    FROM alert_silences AS s
    ORDER BY last_version DESC
    LIMIT 1 BY silence_id
)
WHERE ends_at >= {from:Int64}
"""

# The lease as it stands; nothing before the first term. Of many terms only the last few can still be in anybody's mind.
LEASE = """
SELECT
    terms[1].1 AS term,
    terms[1].2 AS holder,
    terms[1].3 AS renewed_at,
    terms[1].4 AS released,
    arrayMax(arrayPushBack(arrayMap(t -> if(t.4, 0, t.3), arrayPopFront(terms)), 0)) AS earlier_at,
    toUnixTimestamp64Milli(now64(3)) AS now
FROM
(
    SELECT arrayReverseSort(groupArray((term, holder, at, released))) AS terms
    FROM
    (
        SELECT
            term,
            max(moments.holder) AS holder,
            max(toUnixTimestamp64Milli(moments.at)) AS at,
            max(moments.released) AS released
        FROM
        (
            SELECT term, holder, taken_at AS at, false AS released FROM alert_leases
            UNION ALL
            SELECT term, '' AS holder, at, released FROM alert_lease_renewals
        ) AS moments
        WHERE term + 50 > (SELECT max(term) FROM alert_leases)
        GROUP BY term
    )
)
WHERE notEmpty(terms)
"""

# Of the last hour: who asks later than that has been told that it did not work.
REQUESTS = """
SELECT alert_id, toUnixTimestamp64Milli(fired_at) AS fired_at, actor, note
FROM alert_requests
WHERE at >= now64(3) - INTERVAL 1 HOUR
ORDER BY at
"""

PENDING = """
SELECT since, toUnixTimestamp64Milli(p.seen_at) AS seen_at
FROM alert_pending AS p
WHERE name = 'pending'
ORDER BY p.seen_at DESC
LIMIT 1
"""
