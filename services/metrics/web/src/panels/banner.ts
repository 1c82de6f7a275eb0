import { el, setText } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { looksStale } from "../core/freshness.ts";
import { clockTime, epoch, formatSpan } from "../core/time.ts";

/** The bar that says, in words, that the numbers below are old. */
export class Banner implements Panel {
  readonly element = el("div", "banner");

  constructor() {
    this.element.setAttribute("role", "alert");
    this.element.hidden = true;
  }

  update(view: View): void {
    const asOf = epoch(view.board.overview?.as_of);
    const show = looksStale(view.freshness) && asOf !== null && view.ageMs !== null;
    this.element.hidden = !show;
    if (!show) return;
    setText(
      this.element,
      view.t(view.freshness === "stale" ? "fresh.staleBanner" : "fresh.downBanner", {
        span: formatSpan(view.ageMs, view.t("unit.day")),
        time: clockTime(asOf, view.zone),
      }),
    );
  }
}
