import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { createGoalBar, updateGoalBar } from "../ui/goalbar.ts";
import type { Panel, View } from "../ui/panel.ts";
import { TrustBadge } from "../ui/trust.ts";
import { parseDecimal, type Decimal } from "../core/decimal.ts";
import { currentRate } from "../core/curve.ts";
import { HIDDEN } from "../core/figures.ts";
import { NONE, type Locale } from "../core/format.ts";
import { headline, headlineEms, isShortened } from "../core/headline.ts";
import { goalBar } from "../core/standing.ts";
import { epoch } from "../core/time.ts";
import { Tween } from "../core/tween.ts";
import type { PacingRow } from "../feed/types.ts";
import { gmvGoal, heroFacts } from "./hero-facts.ts";

// Just under a second, so that the number stands on its true value before the next snapshot comes.
const TICK_MS = 850;

/** The one number that everyone looks at, and the money behind it. */
export class Hero implements Panel {
  readonly element: HTMLElement;
  private readonly label = el("h2", "hero-label");
  private readonly exact = el("span", "hero-exact");
  private readonly rate = el("span", "hero-rate");
  private readonly number = el("div", "hero-number");
  private readonly signText = el("span", "hero-sign");
  private readonly whole = el("span", "hero-whole");
  private readonly cents = el("span", "hero-cents");
  private readonly suffix = el("span", "hero-suffix");
  private readonly bar = createGoalBar();
  private readonly facts = el("dl", "hero-facts");
  private readonly tween = new Tween(TICK_MS);
  private campaign: string | null = null;
  private target: Decimal | null = null;
  private locale: Locale = "en";
  private frame: number | undefined;
  private veiled = false;
  private readonly trust = new TrustBadge();

  constructor() {
    this.number.append(this.signText, this.whole, this.cents, this.suffix);
    this.number.dataset["metric"] = "gmv";
    // A screen reader is given the true value by the label below, not sixty changes a second.
    for (const part of [this.signText, this.whole, this.cents, this.suffix]) part.setAttribute("aria-hidden", "true");
    this.number.setAttribute("role", "img");
    this.element = el(
      "section",
      "panel hero",
      el("div", "hero-head", this.label, this.trust.element, this.exact, this.rate),
      el("div", "hero-stage", this.number),
      this.bar,
      this.facts,
    );
    this.element.dataset["panel"] = "hero";
  }

  update(view: View): void {
    const { overview, campaign } = view.board;
    const gmv = overview?.metrics["gmv"] ?? null;
    setText(this.label, view.t("hero.gmv"));
    this.trust.update(view, "overview");
    setText(this.signText, view.sign);
    setAttribute(this.number, "data-value", gmv === null || view.fmt.hidden ? null : String(gmv));
    this.veiled = view.fmt.hidden && gmv !== null;
    setAttribute(this.number, "aria-label", `${view.t("hero.gmv")} ${view.fmt.money(gmv)}`);
    this.updateRate(view);
    this.updateGoal(view, gmvGoal(view));
    const now = performance.now();
    const other = campaign?.id !== this.campaign;
    this.campaign = campaign?.id ?? null;
    this.target = parseDecimal(gmv);
    this.locale = view.locale;
    this.tween.set(this.target, now, view.still || other);
    const parts = this.target === null ? null : headline(this.target, this.target, view.locale);
    setVariable(this.number, "--ems", (parts === null ? 4 : Math.max(headlineEms(parts, view.sign), 4)).toFixed(3));
    this.exact.hidden = this.target === null || !isShortened(this.target);
    setText(this.exact, view.fmt.money(gmv));
    this.draw();
  }

  private updateRate(view: View): void {
    const rate = currentRate(view.board.pulse, "gmv", epoch(view.board.overview?.watermark));
    setText(this.rate, rate === null ? "" : view.t("hero.rate", { rate: view.fmt.amount(rate.toFixed(rate < 1000 ? 2 : 0)) }));
  }

  private updateGoal(view: View, goal: PacingRow | null): void {
    this.bar.hidden = goal === null;
    if (goal !== null) updateGoalBar(this.bar, goalBar(goal));
    const facts = heroFacts(view, goal);
    syncChildren(
      this.facts,
      facts.length,
      () => el("div", "hero-fact", el("dt"), el("dd"), el("dd", "hero-note")),
      (element, index) => {
        const fact = facts[index];
        const [label, value, note] = [...element.children];
        if (fact === undefined || !label || !value || !note) return;
        setClass(element, `hero-fact ${fact.tone}`);
        setText(label, fact.label);
        setText(value, fact.value);
        setText(note, fact.note);
      },
    );
  }

  private draw(): void {
    if (this.frame !== undefined) return;
    const now = performance.now();
    const value = this.tween.at(now);
    if (this.veiled) {
      setText(this.whole, HIDDEN);
      setText(this.cents, "");
      setText(this.suffix, "");
      setClass(this.number, "hero-number");
      return;
    }
    const parts = value === null || this.target === null ? null : headline(value, this.target, this.locale);
    setText(this.whole, parts?.whole ?? NONE);
    setText(this.cents, parts?.fraction ?? "");
    setText(this.suffix, parts?.suffix ?? "");
    setClass(this.number, parts === null ? "hero-number hero-unknown" : parts.suffix === "" ? "hero-number" : "hero-number hero-short");
    if (this.tween.restsAt(now)) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }
}
