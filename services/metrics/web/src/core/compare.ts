import type { DayCurve } from "./day.ts";
import { toPlot } from "./decimal.ts";
import { epoch } from "./time.ts";
import { wholeSecond } from "./timeline.ts";
import type { Campaign, Value } from "../feed/types.ts";

/** The moment of the other campaign that lies as long after its start as `at` lies after this one's. */
export interface Beside {
  /** Epoch ms. */
  readonly at: number;
  /** How long after the start, ms. */
  readonly elapsed: number;
  /** The other has not come so far: `at` is now, and less time has gone by in it. */
  readonly short: boolean;
}

/** Null before this campaign's start, or before the other's. All times epoch ms; `now` is the server's. */
export function sameElapsed(
  campaign: Pick<Campaign, "start">,
  other: Pick<Campaign, "start">,
  at: number,
  now: number,
): Beside | null {
  const [start, otherStart] = [epoch(campaign.start), epoch(other.start)];
  if (start === null || otherStart === null || at < start || otherStart >= now) return null;
  const same = otherStart + (at - start);
  const short = same > now;
  const moment = Math.max(wholeSecond(short ? now : same), Math.ceil(otherStart / 1000) * 1000);
  return { at: moment, elapsed: moment - otherStart, short };
}

/**
 * The moment of `campaign` to compare when none is asked for: now, but not after its end, and not later after its start
 * than the other has come: what is over is compared with what runs at the time that both have had.
 */
export function fairMoment(
  campaign: Pick<Campaign, "start" | "end">,
  other: Pick<Campaign, "start">,
  asOf: number,
  now: number,
): number {
  const [start, end, otherStart] = [epoch(campaign.start), epoch(campaign.end), epoch(other.start)];
  const latest = Math.min(asOf, end ?? asOf);
  if (start === null || otherStart === null || otherStart >= now) return latest;
  return Math.min(latest, start + (wholeSecond(now) - otherStart));
}

/**
 * The settled part of a day as [ms since the campaign's start, GMV a minute], so that two campaigns that are counted in
 * buckets of other lengths stand on one axis.
 */
export function elapsedLine(curve: Pick<DayCurve, "settled" | "bucketMs">, start: number): [number, number | null][] {
  const minutes = curve.bucketMs / 60_000;
  return curve.settled.map(([at, value]) => [at - start, value === null ? null : value / minutes]);
}

/** Rows of two tables by their name, in the order of the first; what only the second has comes last. */
export function paired<Row>(
  ours: readonly Row[],
  theirs: readonly Row[],
  name: (row: Row) => string,
): readonly (readonly [name: string, ours: Row | null, theirs: Row | null])[] {
  const right = new Map(theirs.map((row) => [name(row), row]));
  const left = new Map(ours.map((row) => [name(row), row]));
  return [...new Set([...left.keys(), ...right.keys()])].map((key) => [key, left.get(key) ?? null, right.get(key) ?? null]);
}

/** The difference of two ratios in percentage points, "+1.2"; null where one is unknown. */
export function pointsApart(ours: Value | undefined, theirs: Value | undefined): string | null {
  const [left, right] = [toPlot(ours), toPlot(theirs)];
  if (left === null || right === null) return null;
  const points = (left - right) * 100;
  const rounded = Math.abs(points).toFixed(1);
  return `${rounded === "0.0" ? "±" : points > 0 ? "+" : "−"}${rounded}`;
}

/** Metrics whose difference is told in percentage points; other ratios are amounts or multiples, told in percent. */
const SHARES: ReadonlySet<string> = new Set(["conversion_rate", "refund_rate", "payment_rate", "coupon_redemption_rate"]);

export function isShare(metric: string): boolean {
  return SHARES.has(metric);
}
