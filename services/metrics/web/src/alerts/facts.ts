import { epoch, formatSpan } from "../core/time.ts";
import { phaseName, translateName } from "../i18n.ts";
import { moment, unitName } from "./naming.ts";
import { basisOf } from "./texts.ts";
import type { FeedAlert } from "./model.ts";
import type { View } from "../ui/panel.ts";

/** What is known of an alert in figures and names, each with what it is called. */
export function factsOf(view: View, alert: FeedAlert): readonly (readonly [name: string, value: string])[] {
  const { fmt } = view;
  const over = alert.state === "resolved";
  const began = epoch(alert.starts_at) ?? view.now;
  const ended = over ? epoch(alert.ends_at) : null;
  const unit = alert.evidence?.["unit"];
  const inUnit = typeof unit === "string" ? ` ${unitName(view.locale, unit)}` : "";
  const facts: (readonly [string, string])[] = [
    [view.t("drawer.value"), `${fmt.number(alert.value)}${inUnit}`],
    [view.t("drawer.threshold"), fmt.number(alert.threshold)],
    [view.t("drawer.since"), moment(view, alert.starts_at)],
  ];
  if (ended !== null) facts.push([view.t("drawer.until"), moment(view, alert.ends_at)]);
  facts.push([view.t("drawer.lasted"), formatSpan((ended ?? view.now) - began, view.t("unit.day"))]);
  facts.push([view.t("drawer.complete"), moment(view, alert.complete_until)]);
  if (alert.impact) {
    // What it rests on is said in figures, too.
    const basis = fmt.hidden ? "" : ` (${basisOf(alert.impact, view.locale)})`;
    facts.push([view.t("drawer.loss"), `${view.t("drawer.perMinute", { amount: fmt.money(alert.impact.loss_per_minute) })}${basis}`]);
  }
  if (alert.acknowledged_by) {
    facts.push([view.t("drawer.taken"), view.t("feed.by", { name: alert.acknowledged_by, time: moment(view, alert.acknowledged_at) })]);
  }
  if (alert.owner) facts.push([view.t("drawer.owner"), alert.owner]);
  if (alert.phase) facts.push([view.t("drawer.phase"), phaseName(view.locale, alert.phase)]);
  if (alert.mute != null && !over) {
    facts.push([view.t("drawer.receivers"), alert.mute === "" ? view.t("drawer.told") : translateName(view.locale, "mute", alert.mute)]);
  }
  return facts;
}
