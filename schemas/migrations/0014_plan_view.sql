-- What is planned in a campaign, for the marks on charts of BI tools: its phases, and the events of its calendar.
CREATE VIEW IF NOT EXISTS bi_plan
(
    campaign String COMMENT 'Id of the campaign',
    kind String COMMENT 'phase, or event of the calendar',
    name String COMMENT 'Its name',
    starts_at DateTime('UTC') COMMENT 'Its start',
    ends_at Nullable(DateTime('UTC')) COMMENT 'Its end, excluded; null for an event that is a moment'
)
SQL SECURITY DEFINER AS
SELECT
    campaign,
    entry.1 AS kind,
    JSONExtractString(entry.2, 'name') AS name,
    parseDateTimeBestEffort(JSONExtractString(entry.2, 'start'), 'UTC') AS starts_at,
    parseDateTimeBestEffortOrNull(JSONExtractString(entry.2, 'end'), 'UTC') AS ends_at
FROM
(
    SELECT campaign_id AS campaign, argMax(campaigns.body, version) AS declared
    FROM campaigns
    GROUP BY campaign_id
)
ARRAY JOIN arrayConcat(
    arrayMap(phase -> ('phase', phase), JSONExtractArrayRaw(declared, 'phases')),
    arrayMap(event -> ('event', event), JSONExtractArrayRaw(declared, 'calendar'))
) AS entry
COMMENT 'Phases and planned events of campaigns';
