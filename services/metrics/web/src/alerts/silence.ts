import type { FeedAlert, Matcher, NewSilence, Silence } from "./model.ts";

export const SPANS = ["15m", "1h", "4h", "campaign"] as const;
export type Span = (typeof SPANS)[number];
export const USUAL_SPAN: Span = "1h";

const MINUTE_MS = 60_000;
const LENGTH_MS: Readonly<Record<Exclude<Span, "campaign">, number>> = {
  "15m": 15 * MINUTE_MS,
  "1h": 60 * MINUTE_MS,
  "4h": 240 * MINUTE_MS,
};
/** The server refuses longer ones. */
const LONGEST_MS = 400 * 24 * 60 * MINUTE_MS;

/** When a silence that begins now ends, epoch ms; null where the campaign has no end to come. */
export function endOf(span: Span, now: number, campaignEnd: number | null): number | null {
  if (span !== "campaign") return now + LENGTH_MS[span];
  return campaignEnd !== null && campaignEnd > now && campaignEnd - now <= LONGEST_MS ? campaignEnd : null;
}

/** What a silence of this alert matches by default: its rule, and all of its labels. */
export function matchersOf(alert: FeedAlert): Readonly<Record<string, string>> {
  return { rule: alert.rule, ...alert.labels };
}

export function newSilence(matchers: Readonly<Record<string, string>>, endsAt: number, by: string, comment: string): NewSilence {
  return { matchers, ends_at: new Date(endsAt).toISOString(), by, comment: comment.trim() };
}

/** Whether a silence that was asked for is there already: an answer that was lost on its way is no reason for a second. */
export function isThere(silences: readonly Silence[], asked: NewSilence): boolean {
  const wanted = Object.entries(asked.matchers);
  return silences.some(
    (silence) =>
      silence.state !== "expired" &&
      silence.by === asked.by &&
      silence.comment === asked.comment &&
      Date.parse(silence.ends_at) === Date.parse(asked.ends_at) &&
      Object.keys(silence.matchers).length === wanted.length &&
      wanted.every(([name, value]) => silence.matchers[name] === value),
  );
}

/** "a", "≠ a", "~ a.*": how a matcher reads. */
export function matcherText(matcher: Matcher): string {
  if (typeof matcher === "string") return matcher;
  const sign = `${matcher.isEqual === false ? "≠" : ""}${matcher.isRegex === true ? "~" : ""}`;
  return sign === "" ? matcher.value : `${sign} ${matcher.value}`;
}

/** Those that have not ended, the next to end first. */
export function inForce(silences: readonly Silence[], now: number): readonly Silence[] {
  return silences
    .filter(({ state, ends_at }) => state !== "expired" && Date.parse(ends_at) > now)
    .sort((a, b) => Date.parse(a.ends_at) - Date.parse(b.ends_at) || (a.id < b.id ? -1 : 1));
}
