import type { Campaign, Phase } from "../feed/types.ts";

/** Epoch milliseconds of an RFC 3339 time; null when absent or unreadable. */
export function epoch(time: string | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  const milliseconds = Date.parse(time);
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** A zone name that this browser knows; anything else becomes UTC, and the page says UTC. */
export function knownZone(timezone: string | null | undefined): string {
  if (timezone === null || timezone === undefined || timezone === "") return "UTC";
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    return timezone;
  } catch {
    return "UTC";
  }
}

function parts(at: number, zone: string): Readonly<Record<string, string>> {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formatters.set(zone, formatter);
  }
  return Object.fromEntries(formatter.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** "13:05:22" in `zone`. */
export function clockTime(at: number, zone: string): string {
  const { hour, minute, second } = parts(at, zone);
  return `${hour}:${minute}:${second}`;
}

/** "13:05" in `zone`. */
export function minuteTime(at: number, zone: string): string {
  const { hour, minute } = parts(at, zone);
  return `${hour}:${minute}`;
}

/** "2025-11-11" in `zone`. */
export function calendarDate(at: number, zone: string): string {
  const { year, month, day } = parts(at, zone);
  return `${year}-${month}-${day}`;
}

/** "2025-11-11 13:05:22" in `zone`. */
export function fullTime(at: number, zone: string): string {
  return `${calendarDate(at, zone)} ${clockTime(at, zone)}`;
}

/** "2 d 03:12:44" or "03:12:44"; the day's letter is the caller's language. */
export function formatSpan(milliseconds: number, dayLetter: string): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(total / 86_400);
  const clock = [Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return days > 0 ? `${days}${dayLetter} ${clock}` : clock;
}

export type Moment = "before" | "running" | "after";

/** Where `now` lies in the campaign; one without an end runs on. */
export function momentOf(campaign: Pick<Campaign, "start" | "end">, now: number): Moment {
  const start = epoch(campaign.start);
  const end = epoch(campaign.end);
  if (start !== null && now < start) return "before";
  if (end !== null && now >= end) return "after";
  return "running";
}

/** The phase that holds `now`: the server's word for it, else by its bounds. */
export function currentPhase(campaign: Campaign, now: number): Phase | null {
  const phases = campaign.phases ?? [];
  const named = phases.find((phase) => phase.name === campaign.current_phase);
  if (named !== undefined) return named;
  if (campaign.current_phase !== undefined) return null;
  return phases.find((phase) => momentOf(phase, now) === "running") ?? null;
}

/** How much of [start, end) has gone by at `now`, 0 to 1; null without both bounds. */
export function elapsedShare(span: { start: string; end: string | null }, now: number): number | null {
  const start = epoch(span.start);
  const end = epoch(span.end);
  if (start === null || end === null || end <= start) return null;
  return Math.min(1, Math.max(0, (now - start) / (end - start)));
}
