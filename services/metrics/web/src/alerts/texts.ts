import type { Locale } from "../core/format.ts";
import type { FeedAlert } from "./model.ts";

/** So much of a pseudonym tells suspects apart, and is of no use to anyone who is not allowed to look it up. */
const SHOWN_OF_PSEUDONYM = 4;
const PSEUDONYM_LABEL = "suspect";

/** A label's value as a screen may show it: the pseudonym of an account or a device only in short. */
export function shownValue(name: string, value: string): string {
  return name === PSEUDONYM_LABEL && value.length > SHOWN_OF_PSEUDONYM ? `${value.slice(0, SHOWN_OF_PSEUDONYM)}…` : value;
}

/** A text without the whole pseudonym that its labels hold. */
export function shownText(alert: FeedAlert, text: string): string {
  const suspect = alert.labels?.[PSEUDONYM_LABEL];
  return suspect ? text.replaceAll(suspect, shownValue(PSEUDONYM_LABEL, suspect)) : text;
}

function annotation(alert: FeedAlert, name: "summary" | "runbook", locale: Locale): string {
  const ours = alert.annotations?.[locale === "zh" ? `${name}_zh` : name];
  return shownText(alert, ours || alert[name] || "").trim();
}

/** What it says in the language of the page, or in the one that it has. */
export function summaryOf(alert: FeedAlert, locale: Locale): string {
  return annotation(alert, "summary", locale);
}

export function runbookOf(alert: FeedAlert, locale: Locale): string {
  return annotation(alert, "runbook", locale);
}

/** What the estimate of its cost rests on. Alerts of before there were two languages say it in English. */
export function basisOf(impact: NonNullable<FeedAlert["impact"]>, locale: Locale): string {
  return (locale === "zh" && impact.basis_zh) || impact.basis;
}

/** Labels with their values as they may be shown; the campaign is the one on the screen anyway. */
export function labelsOf(alert: FeedAlert): readonly (readonly [name: string, value: string])[] {
  return Object.entries(alert.labels ?? {}).filter(([name]) => name !== "campaign_id");
}

/** A part of a text: a plain one, or the address of a page. */
export interface Part {
  readonly text: string;
  readonly link: boolean;
}

/** A text by its addresses. Only http and https are links: a rule's text must not run anything. */
export function linked(text: string): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'）)，。；]+[^\s<>"'）)，。；.,;:!?]/g)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), link: false });
    parts.push({ text: match[0], link: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), link: false });
  return parts;
}
