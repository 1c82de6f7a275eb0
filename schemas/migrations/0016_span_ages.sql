-- How old what is kept by span is: the last day on which a fold added to it. What a person did is kept there under a hash
-- of their id, and a retention has to find it, also in the spans that hold a whole campaign and begin at 0.
ALTER TABLE funnel_by_span ADD COLUMN IF NOT EXISTS folded_on SimpleAggregateFunction(max, Date) DEFAULT today();

ALTER TABLE uniques_by_span ADD COLUMN IF NOT EXISTS folded_on SimpleAggregateFunction(max, Date) DEFAULT today();
