import { clusterMarks, spanWithin, type Cluster, type Span } from "./marks.ts";
import { epoch } from "./time.ts";
import type { Alert, Campaign, Severity } from "../feed/types.ts";

export interface Band {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly place: Span;
}

/** The phases that lie between two moments, in the order of time. */
export function phaseBands(campaign: Campaign, from: number, to: number): readonly Band[] {
  return bands(campaign.phases ?? [], from, to);
}

/** What is planned; an event without an end is a moment, which has a band of no width. */
export function plannedBands(campaign: Campaign, from: number, to: number): readonly Band[] {
  return bands(campaign.calendar ?? [], from, to);
}

function bands(
  spans: readonly { readonly name: string; readonly start: string; readonly end?: string | null }[],
  from: number,
  to: number,
): readonly Band[] {
  const found: Band[] = [];
  for (const { name, start, end } of spans) {
    const first = epoch(start);
    if (first === null) continue;
    const last = epoch(end) ?? first;
    const place = last > first ? spanWithin(first, last, from, to) : momentWithin(first, from, to);
    if (place !== null) found.push({ name, start: first, end: last, place });
  }
  return found.sort((a, b) => a.start - b.start);
}

function momentWithin(at: number, from: number, to: number): Span | null {
  return at < from || at >= to ? null : { left: (at - from) / (to - from), width: 0 };
}

export interface AlertMark {
  readonly at: number;
  readonly alert: Alert;
}

const GRAVITY: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/**
 * Alerts where they began, as shares of `[from, to)`, those too close for a mark each put together with the gravest
 * first. One that is only pending is no alert yet.
 */
export function alertMarks(alerts: readonly Alert[], from: number, to: number, apart: number): readonly Cluster<AlertMark>[] {
  const marks: AlertMark[] = [];
  for (const alert of alerts) {
    const at = epoch(alert.starts_at);
    if (alert.state === "pending" || at === null || at < from || at >= to) continue;
    marks.push({ at: (at - from) / (to - from), alert });
  }
  const rank = ({ alert }: AlertMark): number => (alert.state === "resolved" ? 3 : 0) + GRAVITY[alert.severity];
  return clusterMarks(marks, apart).map(({ at, members }) => ({
    at,
    members: [...members].sort((a, b) => rank(a) - rank(b) || a.at - b.at),
  }));
}
