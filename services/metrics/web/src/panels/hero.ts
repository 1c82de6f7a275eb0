import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { groupDigits, parseDecimal, type Decimal } from "../core/decimal.ts";
import { currentRate } from "../core/curve.ts";
import { formatChange, formatCompact, formatMoney, NONE } from "../core/format.ts";
import { epoch } from "../core/time.ts";
import { Tween } from "../core/tween.ts";

// Just under a second, so that the number stands on its true value before the next snapshot comes.
const TICK_MS = 850;

/** The one number that everyone looks at, and the money behind it. */
export class Hero implements Panel {
  readonly element: HTMLElement;
  private readonly label = el("h2", "hero-label");
  private readonly change = el("span", "hero-change");
  private readonly number = el("div", "hero-number");
  private readonly signText = el("span", "hero-sign");
  private readonly whole = el("span", "hero-whole");
  private readonly cents = el("span", "hero-cents");
  private readonly facts = el("dl", "hero-facts");
  private readonly tween = new Tween(TICK_MS);
  private campaign: string | null = null;
  private frame: number | undefined;

  constructor() {
    this.number.append(this.signText, this.whole, this.cents);
    this.number.dataset["metric"] = "gmv";
    // A screen reader is given the true value by the label below, not sixty changes a second.
    for (const part of [this.signText, this.whole, this.cents]) part.setAttribute("aria-hidden", "true");
    this.number.setAttribute("role", "img");
    this.element = el(
      "section",
      "panel hero",
      el("div", "hero-head", this.label, this.change),
      el("div", "hero-stage", this.number),
      this.facts,
    );
    this.element.dataset["panel"] = "hero";
  }

  update(view: View): void {
    const { overview, campaign } = view.board;
    const gmv = overview?.metrics["gmv"] ?? null;
    setText(this.label, view.t("hero.gmv"));
    setText(this.signText, view.sign);
    setAttribute(this.number, "data-value", gmv === null ? null : String(gmv));
    setAttribute(this.number, "aria-label", `${view.t("hero.gmv")} ${formatMoney(gmv, view.sign)}`);
    this.updateChange(view);
    this.updateFacts(view);
    const now = performance.now();
    const other = campaign?.id !== this.campaign;
    this.campaign = campaign?.id ?? null;
    this.tween.set(parseDecimal(gmv), now, view.still || other);
    this.fit(parseDecimal(gmv), view.sign);
    this.draw();
  }

  private updateChange(view: View): void {
    const baseline = view.board.overview?.baseline;
    const change = formatChange(view.board.overview?.metrics["gmv"], baseline?.metrics["gmv"]);
    this.change.hidden = change === null;
    if (change !== null && baseline) {
      setText(this.change, `${change} ${view.t("hero.baseline", { id: baseline.campaign_id })}`);
    }
  }

  private updateFacts(view: View): void {
    const metrics = view.board.overview?.metrics;
    const rate = currentRate(view.board.pulse, "gmv", epoch(view.board.overview?.watermark));
    const facts: readonly (readonly [string, string])[] = [
      [view.t("hero.paid"), formatMoney(metrics?.["paid_gmv"], view.sign)],
      [view.t("hero.net"), formatMoney(metrics?.["net_sales"], view.sign)],
      [view.t("hero.refunds"), formatCompact(metrics?.["refund_amount"], view.locale, view.sign)],
      [view.t("hero.perSecond"), rate === null ? NONE : formatCompact(rate.toFixed(2), view.locale, view.sign)],
    ];
    syncChildren(
      this.facts,
      facts.length,
      () => el("div", "hero-fact", el("dt"), el("dd")),
      (fact, index) => {
        const [label, value] = facts[index] ?? ["", ""];
        setText(fact.children[0] as Element, label);
        setText(fact.children[1] as Element, value);
      },
    );
  }

  // The size follows from the number of digits, so that no frame has to measure the layout.
  private fit(gmv: Decimal | null, sign: string): void {
    const text = gmv === null ? NONE : groupDigits(gmv, 2);
    const [whole = "", cents = ""] = text.split(".");
    const commas = whole.split(",").length - 1;
    const ems = (whole.length - commas) * 0.6 + commas * 0.28 + (cents.length * 0.6 + 0.28) * 0.5 + sign.length * 0.4;
    setVariable(this.number, "--ems", Math.max(ems, 4).toFixed(3));
  }

  private draw(): void {
    if (this.frame !== undefined) return;
    const now = performance.now();
    const value = this.tween.at(now);
    const [whole = NONE, cents] = value === null ? [NONE] : groupDigits(value, 2).split(".");
    setText(this.whole, whole);
    setText(this.cents, cents === undefined ? "" : `.${cents}`);
    setClass(this.number, value === null ? "hero-number hero-unknown" : "hero-number");
    if (this.tween.restsAt(now)) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }
}
