import { el, setAttribute, setClass, setText } from "./dom.ts";
import type { View } from "./panel.ts";
import type { TableName } from "../core/state.ts";
import { epoch, clockTime, formatSpan } from "../core/time.ts";
import { panelTrust } from "../core/trust.ts";

/** The small sign of a panel's freshness and completeness: a tick while all is well, words when it is not. */
export class TrustBadge {
  readonly element = el("span", "trust");
  private readonly mark = el("span", "trust-mark");
  private readonly words = el("span", "trust-words");

  constructor() {
    this.mark.setAttribute("aria-hidden", "true");
    this.element.append(this.mark, this.words);
    this.element.hidden = true;
  }

  update(view: View, table: TableName): void {
    const { screen, campaign, abouts } = view.board;
    const found = panelTrust(abouts[table], screen, epoch(campaign?.end));
    this.element.hidden = found.trust === "unknown";
    if (found.asOf === null) return;
    const time = (at: number | null): string => (at === null ? view.t("trust.unknown") : clockTime(at, view.zone));
    const whole = found.complete
      ? view.t("trust.complete", { time: time(found.asOf) })
      : view.t("trust.until", { time: time(found.asOf), until: time(found.watermark) });
    const span = (milliseconds: number): string => formatSpan(milliseconds, view.t("unit.day"));
    const loud =
      found.trust === "old"
        ? view.t("trust.old", { span: span(found.ageMs) })
        : found.trust === "behind"
          ? found.lagMs === null
            ? view.t("trust.behindUnknown")
            : view.t("trust.behind", { span: span(found.lagMs) })
          : null;
    setClass(this.element, `trust trust-${found.trust}`);
    setText(this.mark, loud === null ? "✓" : "◷");
    setText(this.words, loud ?? whole);
    setAttribute(this.element, "title", whole);
  }
}
