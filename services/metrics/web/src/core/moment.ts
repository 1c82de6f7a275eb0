import { addDecimals } from "./sums.ts";
import { epoch } from "./time.ts";
import type { Metrics, Overview, Snapshot, Value } from "../feed/types.ts";

/** What happened since the last full minute before a moment. */
export type MinuteSoFar = Readonly<Partial<Record<"gmv" | "paid_gmv" | "orders_created" | "orders_paid", Value>>>;

/**
 * The overview of a moment to its very second: an overview ends at a full minute, and what the minute that has begun
 * brought until then is added to its sums. Net sales follow the paid amount, so that paid less refunded is net on the
 * screen; ratios and distinct counts stay those of the full minute.
 */
export function toTheSecond(overview: Overview, minute: MinuteSoFar | null | undefined): Overview {
  if (!minute) return overview;
  const metrics: Record<string, Value> = { ...overview.metrics };
  const add = (name: string, more: Value | undefined): void => {
    const sum = addDecimals(metrics[name], more);
    if (sum !== null) metrics[name] = typeof metrics[name] === "number" ? Number(sum) : sum;
  };
  for (const [name, more] of Object.entries(minute)) add(name, more);
  add("net_sales", minute.paid_gmv);
  return { ...overview, metrics: metrics satisfies Metrics };
}

/** A snapshot that was asked for a moment. */
export interface MomentSnapshot extends Snapshot {
  readonly current_minute?: MinuteSoFar | null;
}

interface Dated {
  readonly as_of: string;
  readonly watermark?: string | null;
}

/**
 * The snapshot of the moment `at` (epoch ms) in the form of a live one: all that it says is as of that moment. It was
 * counted today, so that what came late is in it, and it is complete to `at` unless the data is behind even that.
 */
export function asOfMoment(snapshot: MomentSnapshot, at: number): Snapshot {
  const then = new Date(at).toISOString();
  const dated = <Part>(part: Part): Part => {
    if (!isDated(part)) return part;
    const watermark = epoch(part.watermark);
    return { ...part, as_of: then, watermark: watermark === null ? null : new Date(Math.min(watermark, at)).toISOString() };
  };
  const parts = Object.entries(snapshot).map(([name, part]: [string, unknown]) => [name, dated(part)]);
  const told = dated(Object.fromEntries(parts) as MomentSnapshot);
  return told.overview === undefined ? told : { ...told, overview: toTheSecond(told.overview, snapshot.current_minute) };
}

function isDated(part: unknown): part is Dated {
  return typeof part === "object" && part !== null && typeof (part as { as_of?: unknown }).as_of === "string";
}
