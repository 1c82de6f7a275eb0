/**
 * What the server sends. Money is a decimal string, a count a number, a ratio a number or null.
 * A key that is absent from a snapshot means "as before", so everything but the overview is optional.
 */

export type Value = string | number | null;
export type Metrics = Readonly<Record<string, Value>>;

export interface Phase {
  readonly name: string;
  readonly start: string;
  readonly end: string;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly start: string;
  readonly end: string | null;
  readonly timezone?: string | null;
  readonly phases?: readonly Phase[] | null;
  readonly targets?: unknown;
  readonly budgets?: Readonly<Record<string, string | number>> | null;
  readonly note?: string | null;
  readonly currency?: string | null;
  readonly current_phase?: string | null;
}

export interface TargetState {
  readonly target: Value;
  readonly value?: Value;
  readonly attained: number | null;
}

export interface TargetStates {
  readonly total?: Readonly<Record<string, TargetState>>;
  readonly phases?: Readonly<Record<string, Readonly<Record<string, TargetState>>>>;
}

export interface Overview {
  readonly campaign_id: string;
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly watermark: string | null;
  readonly metrics: Metrics;
  readonly targets?: TargetStates | null;
  readonly baseline?: { readonly campaign_id: string; readonly metrics: Metrics } | null;
}

export interface PulseRow {
  readonly time: string;
  readonly events: number;
  readonly orders_created: number;
  readonly orders_paid: number;
  readonly gmv: Value;
  readonly paid_gmv: Value;
}

export interface FunnelRow {
  readonly step: string;
  readonly users: number;
  readonly step_conversion: number | null;
  readonly overall_conversion: number | null;
}

export interface ChannelRow {
  readonly channel: string;
  readonly gmv: Value;
  readonly paid_gmv?: Value;
  readonly uv?: Value;
  readonly buyers?: Value;
  readonly conversion_rate?: number | null;
  readonly ad_cost?: Value;
  readonly roas?: number | null;
  readonly roi?: number | null;
}

export interface RegionRow {
  readonly region: string;
  readonly gmv: Value;
  readonly uv?: Value;
}

export interface ItemRow {
  readonly item_id: string;
  readonly gmv: Value;
  readonly orders_paid: Value;
}

export interface StockRow {
  readonly item_id: string;
  readonly item_category?: string | null;
  readonly available: number | null;
  readonly safety_stock?: number | null;
  readonly sell_rate_per_minute?: number | null;
  readonly stockout_eta?: string | null;
}

export type Severity = "info" | "warning" | "critical";
export type AlertState = "pending" | "firing" | "acknowledged" | "resolved";

export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly state: AlertState;
  readonly campaign_id?: string | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly summary?: string | null;
  readonly runbook?: string | null;
  readonly starts_at: string;
  readonly ends_at?: string | null;
}

export interface Table<Row> {
  readonly columns?: readonly string[];
  readonly rows: readonly Row[];
}

export interface Snapshot {
  readonly campaign?: Campaign;
  readonly overview?: Overview;
  readonly pulse?: Table<PulseRow>;
  readonly funnel?: Table<FunnelRow>;
  readonly channels?: Table<ChannelRow>;
  readonly regions?: Table<RegionRow>;
  readonly items?: Table<ItemRow>;
  readonly inventory?: Table<StockRow>;
  readonly alerts?: Table<Alert>;
}

export interface CatalogueRow {
  readonly name: string;
  readonly title?: string;
  readonly title_zh?: string;
  readonly definition?: string;
  readonly unit?: string;
}
