import type { FeedAlert } from "./model.ts";

/** What a listener knows already: ids of critical alerts that fire. Null before the first look. */
export type Known = ReadonlySet<string> | null;

/** Critical alerts that began to fire since the last look. Whoever just arrived is told by the screen, not by a voice. */
export function newlyCritical(known: Known, alerts: readonly FeedAlert[]): { readonly known: Known; readonly news: readonly FeedAlert[] } {
  const firing = alerts.filter(({ severity, state, mute }) => severity === "critical" && state === "firing" && (mute ?? "") === "");
  const news = known === null ? [] : firing.filter(({ id }) => !known.has(id));
  return { known: new Set(firing.map(({ id }) => id)), news };
}
