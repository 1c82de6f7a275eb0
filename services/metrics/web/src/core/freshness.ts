/**
 * How much the numbers on the screen can be trusted, decided from times that are passed in.
 *
 *   connecting     nothing was received yet
 *   fresh          snapshots arrive and their data is complete up to (nearly) now
 *   late           snapshots arrive, but events are behind: the watermark trails
 *   stale          the connection stands, but no new snapshot came
 *   disconnected   there is no connection to the server
 *   replay         a moment of the past is shown on purpose; not judged here
 */
export type Freshness = "connecting" | "fresh" | "late" | "stale" | "disconnected" | "replay";

/** A wall screen has to look stale within three seconds, so the decision falls before that. */
export const STALE_AFTER_MS = 2_500;
/** A reconnect that takes less than this leaves the screen calm. */
export const DISCONNECTED_AFTER_MS = 1_500;
/** Data further behind than this is called late. */
export const LATE_AFTER_MS = 20_000;

/** A snapshot that was this old when it came is stale although it just arrived: something in between holds it up. */
export const OLD_AFTER_MS = 5_000;

/** All in milliseconds; `age` and `lag` on the server's clock. */
export interface FreshnessInput {
  /** Since when the connection is gone; null while it stands. */
  readonly downForMs: number | null;
  /** How long ago the newest snapshot arrived, one that repeats the last does not count; null before the first. */
  readonly silentForMs: number | null;
  /** Age of the newest snapshot; null before the first. */
  readonly ageMs: number | null;
  /** How far the watermark trails; null when the server knows none. */
  readonly lagMs: number | null;
  /** Whether the campaign is running, so that a missing watermark means missing data. */
  readonly running: boolean;
}

export function judgeFreshness(input: FreshnessInput): Freshness {
  if (input.downForMs !== null && input.downForMs >= DISCONNECTED_AFTER_MS) return "disconnected";
  if (input.silentForMs === null || input.ageMs === null) return "connecting";
  const down = input.downForMs !== null;
  if (input.silentForMs >= STALE_AFTER_MS) return down ? "disconnected" : "stale";
  if (input.ageMs >= OLD_AFTER_MS) return "stale";
  if (input.lagMs === null) return input.running ? "late" : "fresh";
  return input.lagMs >= LATE_AFTER_MS ? "late" : "fresh";
}

/** Whether the numbers must look untrustworthy. */
export function looksStale(freshness: Freshness): boolean {
  return freshness === "stale" || freshness === "disconnected";
}

/**
 * How far the data is behind what it could be. After the campaign's end nothing more is due, so a watermark
 * past the end is complete however old it is. Null without a watermark.
 */
export function watermarkLag(asOf: number, watermark: number | null, end: number | null): number | null {
  if (watermark === null) return null;
  const due = end === null ? asOf : Math.min(asOf, end);
  return Math.max(0, due - watermark);
}
