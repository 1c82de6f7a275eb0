import type { View } from "../ui/panel.ts";
import { compare, parseDecimal } from "../core/decimal.ts";
import { isFiltered } from "../core/lens.ts";
import { declaredGoals, goalsOf, knownUntil, magnitude, verdictOf, withLive } from "../core/standing.ts";
import type { PacingRow } from "../feed/types.ts";

/** Signs of ahead and behind, beside the words and the colours. */
export const UP = "▲";
export const DOWN = "▼";

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly tone: "" | "good" | "warning";
}

/** The goal of the whole campaign's GMV with the value of this second; null without one, and for a part of the events. */
export function gmvGoal(view: View): PacingRow | null {
  if (isFiltered(view.lens.filters)) return null;
  const states = view.board.overview?.targets?.total;
  const rows = view.board.pacing ?? declaredGoals(states, null);
  const goal = goalsOf(rows, null).find(({ metric }) => metric === "gmv");
  return goal === undefined ? null : withLive(goal, states?.["gmv"], knownUntil(view.board.overview));
}

/** What stands under the number: against the target and the baseline where there are such, else the money behind it. */
export function heroFacts(view: View, goal: PacingRow | null): readonly Fact[] {
  const money = moneyFacts(view);
  const facts = [...(goal === null ? [] : goalFacts(view, goal)), ...baselineFacts(view)];
  return [...facts, ...money].slice(0, Math.max(facts.length, 4));
}

function goalFacts(view: View, goal: PacingRow): readonly Fact[] {
  const { fmt } = view;
  const facts: Fact[] = [
    {
      label: view.t("hero.attained"),
      value: fmt.percent(goal.attained, 1),
      note: view.t("hero.target", { target: fmt.amount(goal.target) }),
      tone: "",
    },
  ];
  const verdict = verdictOf(goal);
  if (verdict !== "open") {
    facts.push({
      label: view.t(verdict === "ahead" ? "hero.ahead" : "hero.behind"),
      value: `${verdict === "ahead" ? UP : DOWN} ${fmt.amount(magnitude(goal.ahead))}`,
      note: view.t("hero.expected", { expected: fmt.amount(goal.expected) }),
      tone: verdict === "ahead" ? "good" : "warning",
    });
  }
  if (goal.projected !== null && goal.projected !== undefined && goal.state !== "ended") {
    const high = parseDecimal(goal.projected_high ?? goal.projected);
    const target = parseDecimal(goal.target);
    const short = high !== null && target !== null && compare(high, target) < 0;
    facts.push({
      label: view.t(short ? "hero.projectedShort" : "hero.projected"),
      value: `${short ? `${DOWN} ` : ""}${fmt.amount(goal.projected)}`,
      note: goal.projected_low == null || goal.projected_high == null ? "" : `${fmt.amount(goal.projected_low)} – ${fmt.amount(goal.projected_high)}`,
      tone: short ? "warning" : "",
    });
  }
  return facts;
}

function baselineFacts(view: View): readonly Fact[] {
  const { overview } = view.board;
  const before = overview?.baseline?.metrics["gmv"];
  const change = view.fmt.change(overview?.metrics["gmv"], before);
  if (!overview?.baseline || change === null) return [];
  const below = !(Number(overview.metrics["gmv"]) >= Number(before));
  return [
    {
      label: view.t(below ? "hero.belowBaseline" : "hero.aboveBaseline"),
      value: `${below ? DOWN : UP} ${change}`,
      note: view.t("hero.baselineThen", { value: view.fmt.amount(before) }),
      tone: below ? "warning" : "good",
    },
  ];
}

function moneyFacts(view: View): readonly Fact[] {
  const metrics = view.board.overview?.metrics;
  const fact = (label: string, metric: string): Fact => ({ label, value: view.fmt.amount(metrics?.[metric]), note: "", tone: "" });
  return [
    fact(view.t("hero.paid"), "paid_gmv"),
    fact(view.t("hero.net"), "net_sales"),
    fact(view.t("hero.refunds"), "refund_amount"),
  ];
}
