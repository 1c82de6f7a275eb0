import type { PacingRow, TargetState, Value } from "../feed/types.ts";
import { epoch } from "./time.ts";

/** Where the marks of a goal's bar stand, as shares of its track. */
export interface GoalBar {
  readonly attained: number;
  readonly expected: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly target: number;
}

/** Money first, then orders, then people: what a war room asks for in that order. */
const ORDER = ["gmv", "paid_gmv", "net_sales", "orders_paid", "orders_created", "buyers", "uv", "new_buyers"];

function rank(metric: string): number {
  const index = ORDER.indexOf(metric);
  return index < 0 ? ORDER.length : index;
}

/** The goals of the whole campaign, or those of one phase, what a war room asks for first at the top. */
export function goalsOf(rows: readonly PacingRow[], phase: string | null): readonly PacingRow[] {
  return rows
    .filter((row) => (phase === null ? row.scope === "campaign" : row.scope === "phase" && row.phase === phase))
    .sort((a, b) => rank(a.metric) - rank(b.metric) || (a.metric < b.metric ? -1 : 1));
}

/** A track that holds the target, what is there and what is projected, none of them beyond its end. */
export function goalBar(row: PacingRow): GoalBar {
  const target = number(row.target);
  if (target === null || target <= 0) return { attained: 0, expected: null, low: null, high: null, target: 1 };
  const part = (value: Value | undefined): number | null => {
    const known = number(value);
    return known === null ? null : Math.max(0, known / target);
  };
  const attained = part(row.value) ?? Math.max(0, row.attained ?? 0);
  const high = part(row.projected_high) ?? part(row.projected);
  // A projection of many times the target would squeeze the rest to nothing: it leaves at the end of the track.
  const end = Math.min(Math.max(1, attained, Math.min(high ?? 0, 1.5)), 3);
  const place = (share: number | null): number | null => (share === null ? null : Math.min(1, share / end));
  return {
    attained: place(attained) ?? 0,
    expected: place(part(row.expected)),
    low: place(part(row.projected_low) ?? part(row.projected)),
    high: place(high),
    target: 1 / end,
  };
}

function number(value: Value | undefined): number | null {
  if (value === null || value === undefined) return null;
  const found = Number(value);
  return Number.isFinite(found) ? found : null;
}

/** Goals that were only declared, for as long as nothing has paced them. */
export function declaredGoals(states: Readonly<Record<string, TargetState>> | undefined, phase: string | null): readonly PacingRow[] {
  return Object.entries(states ?? {}).map(([metric, { target, value, attained }]) => ({
    metric,
    scope: phase === null ? "campaign" : "phase",
    phase,
    from: "",
    to: "",
    target,
    value: value ?? null,
    attained,
  }));
}

const MINUTE_MS = 60_000;
// Pacing is some seconds old and judged by whole minutes; what is older than that is no rate to go on with.
const MOST_MINUTES = 2;

/**
 * A goal with the value of this second, held against what was to be expected by `moment`: pacing is judged by whole
 * minutes and asked less often than the overview, and on one screen what is there, what was expected and the difference
 * must be of one moment.
 */
export function withLive(row: PacingRow, state: TargetState | undefined, moment: number | null): PacingRow {
  if (state === undefined || state.attained === null) return row;
  const live: PacingRow = { ...row, value: state.value ?? row.value ?? null, attained: state.attained };
  const expected = expectedBy(row, moment);
  const value = number(live.value);
  if (expected === null || value === null || row.state === "upcoming") return live;
  const sized = (amount: number): Value => (typeof row.expected === "string" ? amount.toFixed(2) : amount);
  return { ...live, expected: sized(expected), ahead: sized(value - expected), behind: value < expected };
}

function expectedBy(row: PacingRow, moment: number | null): number | null {
  const then = number(row.expected);
  const target = number(row.target);
  const judged = epoch(row.complete_until);
  if (then === null || target === null) return null;
  if (moment === null || judged === null) return then;
  const minutes = Math.min(Math.max(moment - judged, 0) / MINUTE_MS, MOST_MINUTES);
  return Math.min(Math.max(then, target), then + (row.expected_per_minute ?? 0) * minutes);
}

/** The moment up to which the numbers of an overview are in. */
export function knownUntil(overview: { readonly watermark?: string | null; readonly as_of?: string | null } | null): number | null {
  return epoch(overview?.watermark) ?? epoch(overview?.as_of);
}

export type Verdict = "ahead" | "behind" | "open";

/** Whether a goal is ahead of what was expected by now; open where nothing was, or before it begins. */
export function verdictOf(row: PacingRow): Verdict {
  if (row.behind === null || row.behind === undefined || row.state === "upcoming") return "open";
  return row.behind ? "behind" : "ahead";
}

/** An amount without its sign, which a word beside it tells. */
export function magnitude(value: Value | undefined): Value {
  if (typeof value === "number") return Math.abs(value);
  return value === null || value === undefined ? null : value.replace(/^-/, "");
}
