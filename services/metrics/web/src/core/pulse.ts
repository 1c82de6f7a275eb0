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
 * (late events raise it), and seconds older than ten minutes before the newest fall off. Rows without a
 * readable time are left out. The result is ordered by time and has each second at most once.
 */
export function mergePulse(known: readonly PulsePoint[], rows: readonly PulseRow[]): readonly PulsePoint[] {
  const bySecond = new Map<number, PulsePoint>();
  for (const point of known) bySecond.set(point.at, point);
  for (const row of rows) {
    const at = epochSecond(row.time);
    if (at !== null) bySecond.set(at, { ...row, at });
  }
  const points = [...bySecond.values()].sort((a, b) => a.at - b.at);
  const newest = points.at(-1);
  if (newest === undefined) return [];
  return points.filter((point) => point.at > newest.at - PULSE_SECONDS);
}
