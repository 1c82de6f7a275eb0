/**
 * What the server sends, as the page reads it: the types of the OpenAPI document under the names of the wall.
 * Money is a decimal string, a count a number, a ratio a number or null. What a panel can do without may be absent:
 * the page outlives servers that know less.
 */

import type * as api from "../api/schema.ts";

/** `Told` with only `Needed` for certain. */
type Sparse<Told, Needed extends keyof Told> = Pick<Told, Needed> & { readonly [Field in keyof Told]?: Told[Field] };

export type Value = string | number | null;
export type Metrics = Readonly<Record<string, Value>>;

export type Phase = api.PhaseSpan;
export type PlannedEvent = api.PlannedEvent;
export type Campaign = Sparse<api.CampaignRow, "id" | "name" | "start" | "end">;

export type TargetState = Sparse<api.TargetState, "target" | "attained">;
export interface TargetStates {
  readonly total?: Readonly<Record<string, TargetState>>;
  readonly phases?: Readonly<Record<string, Readonly<Record<string, TargetState>>>>;
}

export type Baseline = Sparse<Omit<api.Baseline, "metrics">, "campaign_id"> & { readonly metrics: Metrics };
export type Overview = Sparse<
  Omit<api.Overview, "metrics" | "targets" | "baseline">,
  "campaign_id" | "from" | "to" | "as_of" | "watermark"
> & {
  readonly metrics: Metrics;
  readonly targets?: TargetStates | null;
  readonly baseline?: Baseline | null;
};

export type PulseRow = api.PulseRow;
export type FunnelRow = Sparse<api.FunnelRow, "step" | "users" | "step_conversion" | "overall_conversion">;
export type ChannelRow = Sparse<api.ChannelRow, "channel" | "gmv">;
export type RegionRow = Sparse<api.RegionRow, "region" | "gmv">;
export type ItemRow = api.ItemRow;
export type StockRow = Sparse<api.StockRow, "item_id" | "available">;
export type LadderRow = Sparse<api.LadderRow, "rung" | "amount">;
export type PacingRow = Sparse<api.PacingRow, "metric" | "scope" | "from" | "to" | "target">;
export type DayRow = api.DayRow;

export type Severity = api.FeedAlert["severity"];
export type AlertState = api.FeedAlert["state"];
export type Alert = Sparse<api.FeedAlert, "id" | "rule" | "severity" | "state" | "starts_at">;
export type AlertDetail = api.AlertDetail;
export type TimelineMoment = api.Moment;
export type Silence = api.Silence;
export type Rule = api.Rule;
export type Problem = api.Problem;

export interface Table<Row> extends Partial<Pick<api.ChannelPanel, "as_of" | "watermark" | "watermarks" | "complete">> {
  readonly columns?: readonly string[];
  readonly rows: readonly Row[];
}

export interface Day extends Table<DayRow> {
  readonly interval: string;
}

export type Lens = api.Lens;

/** A key that is absent means "as before". */
export interface Snapshot extends Partial<Pick<api.Snapshot, "as_of" | "watermark" | "complete">> {
  readonly campaign?: Campaign;
  readonly overview?: Overview;
  readonly pulse?: Table<PulseRow>;
  readonly funnel?: Table<FunnelRow>;
  readonly channels?: Table<ChannelRow>;
  readonly regions?: Table<RegionRow>;
  readonly items?: Table<ItemRow>;
  readonly inventory?: Table<StockRow>;
  readonly alerts?: Table<Alert>;
  readonly pacing?: Table<PacingRow>;
  readonly ladder?: Table<LadderRow>;
  readonly day?: Day;
  readonly lens?: Lens;
}

export type CatalogueRow = Sparse<api.CatalogueRow, "name">;
