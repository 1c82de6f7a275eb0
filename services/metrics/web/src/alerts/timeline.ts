import { epoch } from "../core/time.ts";
import { el } from "../ui/dom.ts";
import { moment, noteText } from "./naming.ts";
import type { Moment } from "./model.ts";
import type { View } from "../ui/panel.ts";

/** The moments that are to be shown: while the past is looked at, what was so by then. */
export function until(timeline: readonly Moment[], at: number | null): readonly Moment[] {
  return at === null ? timeline : timeline.filter((entry) => (epoch(entry.at) ?? 0) <= at);
}

/** Fills `list` with what happened to an alert, the first thing first; nothing is touched while nothing changed. */
export function drawTimeline(list: HTMLElement, view: View, timeline: readonly Moment[]): void {
  const shown = until(timeline, view.lens.at);
  const stamp = JSON.stringify([view.locale, view.zone, view.fmt.hidden, shown]);
  if (list.dataset["stamp"] === stamp) return;
  list.dataset["stamp"] = stamp;
  list.replaceChildren(...shown.map((entry) => row(view, entry)));
}

function row(view: View, entry: Moment): HTMLElement {
  const time = el("time", "moment-at", moment(view, entry.at));
  time.dateTime = entry.at;
  const what = el("div", "moment-what", el("span", `moment-state moment-${entry.state}`, view.t(`state.${entry.state}`)));
  if (entry.by) what.append(el("span", "moment-by", entry.by));
  // What people write may hold figures.
  const note = entry.note && !view.fmt.hidden ? noteText(view, entry.note) : "";
  if (note !== "") what.append(el("p", "moment-note", note));
  for (const { receiver, outcome, at } of entry.deliveries ?? []) {
    const told = view.t(`told.${outcome}`, { receiver });
    what.append(el("p", `moment-told told-${outcome}`, at ? `${told} · ${moment(view, at)}` : told));
  }
  return el("li", "moment", time, what);
}
