import type { PulseRow } from "../feed/types.ts";

export const PULSE_SECONDS = 600;

/** One second of the curve; `at` is its epoch second. */
export interface PulsePoint extends PulseRow {
  readonly at: number;
}

export function epochSecond(time: string): number | null {
  const milliseconds = Date.parse(time);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

/**
 * Merges the seconds of a snapshot into the curve: a second that comes again replaces what was known of it
 * (late events raise it), and seconds older than ten minutes before `asOf` (epoch ms) fall off. Rows without a
 * readable time are left out. The result is ordered by time and has each second at most once.
 */
export function mergePulse(known: readonly PulsePoint[], rows: readonly PulseRow[], asOf: number): readonly PulsePoint[] {
  const oldest = Math.floor(asOf / 1000) - PULSE_SECONDS;
  const bySecond = new Map<number, PulsePoint>();
  for (const point of known) bySecond.set(point.at, point);
  for (const row of rows) {
    const at = epochSecond(row.time);
    if (at !== null) bySecond.set(at, { ...row, at });
  }
  return [...bySecond.values()].filter(({ at }) => at >= oldest).sort((a, b) => a.at - b.at);
}

/** What the curve may claim about seconds without a row; all epoch ms. */
export interface PulseBounds {
  readonly asOf: number;
  /** Up to here everything that was sent is counted; null when the server knows no such moment. */
  readonly watermark: number | null;
  readonly campaignStart: number | null;
}

/**
 * The last ten minutes, a point a second. The server sends only seconds in which something happened: one
 * without a row is a true zero before the watermark, and unknown (left out) after it or before the campaign.
 */
export function completePulse(points: readonly PulsePoint[], bounds: PulseBounds): readonly PulsePoint[] {
  const last = Math.floor(bounds.asOf / 1000);
  const from = Math.max(last - PULSE_SECONDS, Math.floor((bounds.campaignStart ?? 0) / 1000));
  const quietUntil = bounds.watermark === null ? from : Math.min(last, Math.floor(bounds.watermark / 1000));
  const bySecond = new Map(points.map((point) => [point.at, point]));
  const complete: PulsePoint[] = [];
  for (let at = from; at <= last; at += 1) {
    const point = bySecond.get(at);
    if (point !== undefined) complete.push(point);
    else if (at < quietUntil) complete.push(quietSecond(at));
  }
  return complete;
}

function quietSecond(at: number): PulsePoint {
  return { at, time: new Date(at * 1000).toISOString(), events: 0, orders_created: 0, orders_paid: 0, gmv: "0.00", paid_gmv: "0.00" };
}
