import { toPlot } from "./decimal.ts";
import { epoch } from "./time.ts";
import type { DayRow } from "../feed/types.ts";

export type Point = readonly [at: number, value: number | null];

export interface DayCurve {
  /** Buckets that are over and wholly in; each stands at its middle. */
  readonly settled: readonly Point[];
  /** From the last settled bucket on: begun, or events of it may still come. */
  readonly open: readonly Point[];
  readonly baseline: readonly Point[];
  /** Length of a bucket, ms. */
  readonly bucketMs: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of "5m" or "1h"; null for what is no interval. */
export function intervalMs(text: string | null | undefined): number | null {
  const match = /^(\d+)([smhd])$/.exec(text ?? "");
  const size = Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ""] ?? 0);
  return size > 0 ? size : null;
}

/**
 * The curve from the server's buckets. A bucket that is not wholly before `completeUntil` (epoch ms; null: nothing is
 * known to be complete) shows less than it will hold, so it is kept apart: drawn as the rest, it would look as a fall
 * of trade at the right edge of every screen.
 */
export function dayCurve(rows: readonly DayRow[], interval: string | null | undefined, completeUntil: number | null): DayCurve {
  const times = rows.map((row) => epoch(row.time));
  const [first, second] = times;
  const apart = first != null && second != null ? second - first : 0;
  const bucketMs = intervalMs(interval) ?? Math.max(apart, UNITS["m"] ?? 1);
  const settled: Point[] = [];
  const open: Point[] = [];
  const baseline: Point[] = [];
  rows.forEach((row, index) => {
    const start = times[index];
    if (start == null) return;
    const at = start + bucketMs / 2;
    const before = toPlot(row.baseline_gmv);
    if (before !== null) baseline.push([at, before]);
    const value = toPlot(row.gmv);
    if (value === null) return;
    if (completeUntil !== null && start + bucketMs <= completeUntil && open.length === 0) settled.push([at, value]);
    else open.push([at, value]);
  });
  const joint = settled.at(-1);
  return { settled, open: open.length > 0 && joint !== undefined ? [joint, ...open] : open, baseline, bucketMs };
}

/** The bucket with the most in it, of those that are settled; null while none is. */
export function peakOf(curve: DayCurve): Point | null {
  return curve.settled.reduce<Point | null>((best, point) => ((point[1] ?? 0) > (best?.[1] ?? 0) ? point : best), null);
}
