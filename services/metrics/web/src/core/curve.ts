import type { PulsePoint } from "./pulse.ts";
import { toPlot } from "./decimal.ts";

export const AVERAGE_SECONDS = 10;

export type Series = "gmv" | "orders_created" | "orders_paid" | "events";

/** One series as [epoch ms, value]; a second that was never reported is a gap, not a zero. */
export function seriesOf(points: readonly PulsePoint[], series: Series): [number, number | null][] {
  const line: [number, number | null][] = [];
  let previous: number | null = null;
  for (const point of points) {
    if (previous !== null && point.at - previous > 1) line.push([(previous + 1) * 1000, null]);
    line.push([point.at * 1000, toPlot(point[series])]);
    previous = point.at;
  }
  return line;
}

/**
 * The mean of each second and the nine before it, as far as they are known. It makes a sparse series
 * readable from afar; the page says that it is a mean and draws the seconds themselves behind it.
 */
export function trailingMean(line: readonly (readonly [number, number | null])[]): [number, number | null][] {
  const window: (readonly [number, number | null])[] = [];
  return line.map((point) => {
    const [at, value] = point;
    window.push(point);
    while ((window[0]?.[0] ?? at) <= at - AVERAGE_SECONDS * 1000) window.shift();
    if (value === null) return [at, null];
    const known = window.map(([, seen]) => seen).filter((seen): seen is number => seen !== null);
    return [at, known.reduce((sum, seen) => sum + seen, 0) / known.length];
  });
}

/**
 * The mean of the last ten seconds before `watermark` (epoch ms); null when none is known, or when nothing says
 * which seconds are complete.
 */
export function currentRate(points: readonly PulsePoint[], series: Series, watermark: number | null): number | null {
  if (watermark === null) return null;
  const until = Math.floor(watermark / 1000);
  const known = points
    .filter((point) => point.at < until && point.at >= until - AVERAGE_SECONDS)
    .map((point) => toPlot(point[series]))
    .filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
