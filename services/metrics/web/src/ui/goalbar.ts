import { el, setVariable } from "./dom.ts";
import type { GoalBar } from "../core/standing.ts";

/** A track with what is there, what was expected by now, what is projected, and the target. */
export function createGoalBar(): HTMLElement {
  const bar = el("div", "goal-bar", el("div", "goal-range"), el("div", "goal-fill"), el("div", "goal-target"), el("div", "goal-expected"));
  bar.setAttribute("aria-hidden", "true");
  return bar;
}

export function updateGoalBar(bar: HTMLElement, marks: GoalBar): void {
  const [range, , , expected] = [...bar.children] as HTMLElement[];
  setVariable(bar, "--share", marks.attained.toFixed(4));
  setVariable(bar, "--target", marks.target.toFixed(4));
  setVariable(bar, "--expected", (marks.expected ?? 0).toFixed(4));
  setVariable(bar, "--low", (marks.low ?? 0).toFixed(4));
  setVariable(bar, "--high", (marks.high ?? 0).toFixed(4));
  if (expected !== undefined) expected.hidden = marks.expected === null;
  if (range !== undefined) range.hidden = marks.high === null;
}
