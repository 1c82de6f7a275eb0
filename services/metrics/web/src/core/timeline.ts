import { calendarDate, clockTime, epoch, minuteTime } from "./time.ts";
import type { Alert, Campaign, Severity } from "../feed/types.ts";

/** The stretch of time that the bar shows, epoch ms; `open` while its end is now and moves. */
export interface Track {
  readonly from: number;
  readonly to: number;
  readonly open: boolean;
}

/** Moments are whole seconds: the server counts a replayed minute by the second. */
export const SECOND_MS = 1_000;

/** From the campaign's start to `now`, or to its end when that has passed; null before it begins. */
export function trackOf(campaign: Pick<Campaign, "start" | "end">, now: number): Track | null {
  const from = epoch(campaign.start);
  if (from === null) return null;
  const end = epoch(campaign.end);
  const over = end !== null && end <= now;
  const to = wholeSecond(over ? end : now);
  return to > from ? { from, to, open: !over } : null;
}

export function wholeSecond(at: number): number {
  return Math.floor(at / SECOND_MS) * SECOND_MS;
}

/** Where `at` lies on the track, 0 to 1. */
export function shareOf(track: Track, at: number): number {
  return Math.min(1, Math.max(0, (at - track.from) / (track.to - track.from)));
}

/** The moment at `share` of the track, to the second. */
export function momentAt(track: Track, share: number): number {
  return clamp(track, track.from + Math.min(1, Math.max(0, share)) * (track.to - track.from));
}

/** `at` within the track, to the second. A start within a second is rounded up, so as not to lie before it. */
export function clamp(track: Track, at: number): number {
  const first = Math.ceil(track.from / SECOND_MS) * SECOND_MS;
  return Math.max(first, Math.min(track.to, wholeSecond(at)));
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -10, ArrowDown: -10, ArrowRight: 10, ArrowUp: 10 };

/**
 * The moment that a key leads to from `at`: arrows go 10 s, with shift a minute, page keys ten minutes, Home and End to
 * the ends. Null for a key that does not move.
 */
export function movedBy(track: Track, at: number, key: string, shift: boolean): number | null {
  if (key === "Home") return clamp(track, track.from);
  if (key === "End") return track.to;
  const step = key === "PageUp" ? 600 : key === "PageDown" ? -600 : (STEPS[key] ?? 0) * (shift ? 6 : 1);
  return step === 0 ? null : clamp(track, at + step * SECOND_MS);
}

/** A named stretch of the bar, as shares of it. */
export interface Band {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The named spans that lie on the track, cut to it. */
export function bandsOf(track: Track, spans: readonly { name: string; start: string; end: string }[]): readonly Band[] {
  const bands: Band[] = [];
  for (const { name, start, end } of spans) {
    const [from, to] = [epoch(start), epoch(end)];
    if (from === null || to === null || to <= track.from || from >= track.to) continue;
    bands.push({ name, from: shareOf(track, from), to: shareOf(track, to) });
  }
  return bands;
}

/** Alerts that began at (nearly) one place of the bar: the gravest stands for all. */
export interface Mark {
  readonly share: number;
  readonly at: number;
  readonly severity: Severity;
  readonly rules: readonly string[];
  readonly count: number;
}

const GRAVITY: Readonly<Record<Severity, number>> = { critical: 2, warning: 1, info: 0 };

/** Marks of the alerts that began on the track, at least `apart` (a share) from each other. */
export function marksOf(track: Track, alerts: readonly Alert[], apart: number): readonly Mark[] {
  const begun = alerts
    .map((alert) => ({ alert, at: epoch(alert.starts_at) ?? NaN }))
    .filter(({ at }) => at >= track.from && at <= track.to)
    .sort((a, b) => a.at - b.at);
  const marks: Mark[] = [];
  for (const { alert, at } of begun) {
    const share = shareOf(track, at);
    const last = marks.at(-1);
    if (last === undefined || share - last.share >= apart) {
      marks.push({ share, at, severity: alert.severity, rules: [alert.rule], count: 1 });
      continue;
    }
    const graver = GRAVITY[alert.severity] > GRAVITY[last.severity] ? alert.severity : last.severity;
    const rules = last.rules.includes(alert.rule) ? last.rules : [...last.rules, alert.rule];
    marks[marks.length - 1] = { ...last, severity: graver, rules, count: last.count + 1 };
  }
  return marks;
}

export interface Tick {
  readonly at: number;
  readonly share: number;
  readonly label: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const TICK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14_400].map((each) => each * MINUTE_MS);

/** The smallest step of clocks, ms, of which a length holds at most `most`. */
export function roundStep(length: number, most: number): number {
  return TICK_STEPS.find((each) => length / each <= most) ?? Math.ceil(length / most / DAY_MS) * DAY_MS;
}

/** At most `most` labelled moments that are round on the clocks of `zone`; midnight is told by its date. */
export function ticksOf(track: Track, zone: string, most: number): readonly Tick[] {
  const step = roundStep(track.to - track.from, most);
  const offset = zoneOffset(track.from, zone);
  const ticks: Tick[] = [];
  for (let at = Math.ceil((track.from + offset) / step) * step - offset; at <= track.to; at += step) {
    const time = minuteTime(at, zone);
    ticks.push({ at, share: shareOf(track, at), label: time === "00:00" ? calendarDate(at, zone).slice(5) : time });
  }
  return ticks;
}

// A change to or from summer time on the way puts later ticks off the round hour by one; they say so themselves.
function zoneOffset(at: number, zone: string): number {
  const second = wholeSecond(at);
  return Date.parse(`${calendarDate(second, zone)}T${clockTime(second, zone)}Z`) - second;
}
