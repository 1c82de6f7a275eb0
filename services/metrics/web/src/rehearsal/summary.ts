import { formatPercent, type Locale } from "../core/format.ts";
import { translateName } from "../i18n.ts";
import { el } from "../ui/dom.ts";
import type { Scorecard } from "./card.ts";
import { delayText, word } from "../words/rehearsal.ts";

/** The figures that count, large. */
export function totalsOf(card: Scorecard, locale: Locale): HTMLElement[] {
  const { totals, rehearsed } = card;
  const share = totals.found_share;
  return [
    figure(word(locale, "found"), share === null ? "–" : formatPercent(share), word(locale, "found.of", { found: totals.found, injected: totals.injected }), tone(share, 0.95, 0.8)),
    figure(
      word(locale, "falsePages"),
      String(Math.round(totals.false_pages_per_festival * 10) / 10),
      word(locale, "falsePages.of", { count: totals.false_pages, festivals: totals.festivals }),
      tone(-totals.false_pages_per_festival, -1, -3),
    ),
    figure(word(locale, "median"), delayText(locale, totals.delay_median_seconds), "", ""),
    figure(word(locale, "p90"), delayText(locale, totals.delay_p90_seconds), "", ""),
    figure(
      word(locale, "events"),
      totals.events.toLocaleString("en"),
      word(locale, "events.of", {
        festivals: totals.festivals,
        hours: Math.round(rehearsed.hours * 10) / 10,
        variant: rehearsed.variant,
        seed: rehearsed.seed,
      }),
      "",
    ),
  ];
}

/** The marks of a rehearsal that passes, and of one that hardly does. */
function tone(value: number | null, good: number, poor: number): string {
  return value === null ? "" : value >= good ? "good" : value >= poor ? "warning" : "critical";
}

function figure(name: string, value: string, more: string, tone: string): HTMLElement {
  return el("div", `figure ${tone}`.trim(), el("span", "figure-name", name), el("strong", "figure-value", value), el("span", "figure-more", more));
}

/** By rule: what was injected, and what became of it. */
export function tableOf(card: Scorecard, locale: Locale): HTMLTableElement {
  const heads = ["injected", "found.count", "missed", "false", "accepted", "median.short", "p90.short"] as const;
  const head = el("tr", "", th(word(locale, "rule"), "col"), ...heads.map((name) => th(word(locale, name), "col")));
  const rows = Object.entries(card.rules).map(([rule, score]) => {
    const cells = [
      [score.injected, ""],
      [score.found, score.found > 0 ? "good" : ""],
      [score.missed, score.missed > 0 ? "critical" : ""],
      [score.false, score.false > 0 ? "critical" : ""],
      [score.accepted, ""],
      [delayText(locale, score.delay_median_seconds), ""],
      [delayText(locale, score.delay_p90_seconds), ""],
    ] as const;
    return el("tr", "", th(translateName(locale, "rule", rule), "row"), ...cells.map(([value, tone]) => el("td", tone, value === 0 ? "·" : String(value))));
  });
  return el("table", "rules", el("caption", "visually-hidden", word(locale, "table")), el("thead", "", head), el("tbody", "", ...rows));
}

function th(text: string, scope: "col" | "row"): HTMLTableCellElement {
  const cell = el("th", "", text);
  cell.scope = scope;
  return cell;
}
