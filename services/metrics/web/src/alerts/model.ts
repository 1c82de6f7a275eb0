import type * as api from "../api/schema.ts";
import type { Alert } from "../feed/types.ts";

/** An alert as the feed tells it: all that an older server may leave out is optional. */
export type FeedAlert = Alert;

/** One line of a timeline. */
export type Moment = Pick<api.Moment, "at" | "state"> & Partial<Pick<api.Moment, "by" | "note" | "deliveries">>;

export type AlertDetail = FeedAlert & { readonly timeline: readonly Moment[] };

export type Matcher = string | api.Matcher;
export type Matchers = api.Silence["matchers"];
export type Silence = Pick<api.Silence, "id" | "matchers" | "starts_at" | "ends_at" | "state" | "by" | "comment">;

/** Ends at a moment and not after a duration: asked for twice, that would be another silence. */
export interface NewSilence extends Pick<api.NewSilence, "comment"> {
  readonly by: string;
  readonly matchers: Readonly<Record<string, string>>;
  readonly ends_at: string;
}

export function told(alerts: readonly Alert[] | null): readonly FeedAlert[] {
  return alerts ?? [];
}
