import { NONE, type Locale } from "../core/format.ts";
import { DIMENSIONS, type Dimension } from "../core/lens.ts";
import { calendarDate, clockTime, epoch } from "../core/time.ts";
import { translate, translateName, valueName } from "../i18n.ts";
import { roughSpan } from "../ui/words.ts";
import { labelsOf, shownValue } from "./texts.ts";
import type { FeedAlert } from "./model.ts";
import type { Failure } from "./outcome.ts";
import type { Severity } from "../feed/types.ts";
import type { View } from "../ui/panel.ts";

/** Shapes as well as colours, so that no severity is told by colour alone. */
export const MARKS: Readonly<Record<Severity, string>> = { critical: "▲", warning: "◆", info: "●" };

/** What stands behind a metric in a unit. */
const MEASURES = [
  [" per minute", "evidence.perMinute"],
  [" as a share of the baseline's", "evidence.ofBaseline"],
] as const;

export function dimensionOf(name: string): Dimension | null {
  return DIMENSIONS.find((dimension) => dimension === name) ?? null;
}

export function labelName(view: View, name: string): string {
  return translateName(view.locale, dimensionOf(name) === null ? "label" : "dimension", name);
}

export function labelValue(view: View, name: string, value: string): string {
  const dimension = dimensionOf(name);
  if (dimension !== null) return valueName(view.locale, dimension, value);
  if (name === "rule") return ruleName(view, value);
  return name === "severity" ? translateName(view.locale, "severity", value) : shownValue(name, value);
}

export function ruleName(view: View, rule: string): string {
  return translateName(view.locale, "rule", rule);
}

/** What evidence is counted in. A rule on a metric names that: "uv per minute". */
export function unitName(locale: Locale, unit: string): string {
  const known = translateName(locale, "evidence", unit);
  if (known !== unit) return known;
  for (const [end, key] of MEASURES) {
    if (unit.endsWith(end)) return translate(locale, key, { metric: translateName(locale, "metric", unit.slice(0, -end.length)) });
  }
  return translateName(locale, "metric", unit);
}

/** What it is about: "sku-1", "Shanghai · App". */
export function culprit(view: View, alert: FeedAlert): string {
  return labelsOf(alert).map(([name, value]) => labelValue(view, name, value)).join(" · ");
}

/** "Stock out · sku-1". */
export function title(view: View, alert: FeedAlert): string {
  return [ruleName(view, alert.rule), culprit(view, alert)].filter((part) => part !== "").join(" · ");
}

/** A moment on the campaign's clock, with its date unless that is today. */
export function moment(view: View, time: string | null | undefined): string {
  const at = epoch(time);
  if (at === null) return NONE;
  const date = calendarDate(at, view.zone);
  return date === calendarDate(view.now, view.zone) ? clockTime(at, view.zone) : `${date} ${clockTime(at, view.zone)}`;
}

/** An age that ticks: to the second within the first hour. */
export function ticking(view: View, milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60 || seconds >= 3600) return roughSpan(view, milliseconds);
  const gap = view.locale === "zh" ? "" : " ";
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}${gap}${view.t("unit.minute")}${gap}${rest}${gap}${view.t("unit.second")}`;
}

export function failureText(view: View, failure: Failure): string {
  return view.t(`failure.${failure.why}`, { detail: failure.detail ?? "" });
}

/** What the service wrote into a timeline, in the language of the page; what people wrote stays as it is. */
export function noteText(view: View, note: string): string {
  const silenced = /^silenced by (.+)$/s.exec(note)?.[1];
  if (silenced !== undefined) return view.t("note.silenced", { name: silenced });
  const cause = /^not paged: (\w+) is its cause \(\w+\)$/.exec(note)?.[1];
  if (cause !== undefined) return view.t("note.cause", { rule: ruleName(view, cause) });
  const belongs = /^belongs to the incident of (\w+) \(\w+\)$/.exec(note)?.[1];
  if (belongs !== undefined) return view.t("note.belongs", { rule: ruleName(view, belongs) });
  return translateName(view.locale, "note", note);
}
