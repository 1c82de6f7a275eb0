import { el, setAttribute, setClass, setText, syncChildren } from "../ui/dom.ts";
import { createGoalBar, updateGoalBar } from "../ui/goalbar.ts";
import { isNarrow } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { isFiltered } from "../core/lens.ts";
import { declaredGoals, goalBar, goalsOf, knownUntil, magnitude, verdictOf, withLive } from "../core/standing.ts";
import { currentPhase } from "../core/time.ts";
import type { PacingRow, TargetState, Value } from "../feed/types.ts";
import { phaseName } from "../i18n.ts";
import { DOWN, UP } from "./hero-facts.ts";

const ROW_REM = 2.75;
const TITLE_REM = 1.5;
const MOST_ON_PHONE = 6;

class Group {
  readonly element: HTMLElement;
  private readonly title = el("h3", "target-title");
  private readonly rows = el("ul", "target-rows");

  constructor() {
    this.element = el("div", "target-group", this.title, this.rows);
  }

  update(view: View, title: string, goals: readonly PacingRow[]): void {
    this.element.hidden = goals.length === 0;
    setText(this.title, title);
    syncChildren(this.rows, goals.length, createRow, (element, index) => {
      const goal = goals[index];
      if (goal !== undefined) updateRow(element, view, goal);
    });
  }
}

function createRow(): HTMLElement {
  return el("li", "target", el("span", "target-name"), el("span", "target-detail"), el("span", "target-share"), createGoalBar());
}

function updateRow(element: HTMLElement, view: View, goal: PacingRow): void {
  const [name, detail, share, bar] = [...element.children] as HTMLElement[];
  if (name === undefined || detail === undefined || share === undefined || bar === undefined) return;
  const unit = view.catalogue.get(goal.metric)?.unit ?? (typeof goal.target === "string" ? "money" : undefined);
  const show = (value: Value | undefined): string => view.fmt.metric(goal.metric, unit, value);
  const verdict = verdictOf(goal);
  setText(name, view.metric(goal.metric));
  setText(detail, view.t("targets.of", { value: show(goal.value), target: show(goal.target) }));
  setText(share, `${verdict === "open" ? "" : `${verdict === "ahead" ? UP : DOWN} `}${view.fmt.percent(goal.attained, 1)}`);
  updateGoalBar(bar, goalBar(goal));
  setClass(element, `target ${verdict}`);
  const words = [
    verdict === "open" ? "" : view.t(verdict === "ahead" ? "targets.ahead" : "targets.behind", { difference: show(magnitude(goal.ahead)), expected: show(goal.expected) }),
    goal.projected === null || goal.projected === undefined ? "" : view.t("targets.projected", { projected: show(goal.projected) }),
  ].filter((text) => text !== "");
  setAttribute(element, "title", words.length === 0 ? null : words.join("\n"));
  // A name is allowed on what has a role only.
  setAttribute(share, "role", words.length === 0 ? null : "img");
  setAttribute(share, "aria-label", words.length === 0 ? null : [view.fmt.percent(goal.attained, 1), ...words].join(", "));
}

/** How much of what was promised is there, beside how much was expected by now and what it will come to. */
export class Targets implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("targets");
  private readonly legend = el("span", "target-legend", el("span", "key-expected"), el("span", "key-projected"));
  private readonly scope = el("span", "target-scope");
  private readonly total = new Group();
  private readonly phase = new Group();
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.scope, this.legend);
    this.frame.body.append(this.total.element, this.phase.element, this.empty);
  }

  update(view: View): void {
    const { overview, campaign, pacing } = view.board;
    this.frame.title(view.t("targets.title"));
    this.frame.trust(view, "pacing");
    const [expected, projected] = [...this.legend.children];
    if (expected) setText(expected, view.t("targets.keyExpected"));
    if (projected) setText(projected, view.t("targets.keyProjected"));
    const phase = (campaign === null ? null : currentPhase(campaign, view.now))?.name ?? null;
    // Goals are the whole campaign's: a value of a part of its events is not held against them.
    const filtered = isFiltered(view.lens.filters);
    const states = filtered ? undefined : overview?.targets;
    const total = live(pacing, states?.total, null, knownUntil(overview));
    const phased = phase === null ? [] : live(pacing, states?.phases?.[phase], phase, knownUntil(overview));
    setText(this.scope, filtered ? view.t("targets.unfiltered") : "");
    this.legend.hidden = filtered || total.length + phased.length === 0;
    showEmpty(this.empty, total.length + phased.length === 0 ? view.t("targets.none") : null);
    // Without targets the panel gives its room to its neighbours.
    this.element.classList.toggle("absent", pacing !== null && total.length + phased.length === 0);
    const [first, second] = this.split(total.length, phased.length);
    this.total.update(view, view.t("targets.total"), total.slice(0, first));
    this.phase.update(view, view.t("targets.phase", { phase: phaseName(view.locale, phase ?? "") }), phased.slice(0, second));
  }

  /** How many rows of each group have room: the phase's at least one, the campaign's what remains. */
  private split(total: number, phased: number): readonly [number, number] {
    if (isNarrow()) return [Math.min(total, MOST_ON_PHONE), Math.min(phased, MOST_ON_PHONE)];
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const titles = (total > 0 ? 1 : 0) + (phased > 0 ? 1 : 0);
    const room = Math.max(1, Math.floor((this.frame.body.clientHeight / rem - titles * TITLE_REM) / ROW_REM));
    const ofTotal = Math.min(total, Math.max(room - phased, Math.ceil(room / 2)));
    return [ofTotal, Math.min(phased, Math.max(room - ofTotal, 0))];
  }
}

function live(
  pacing: readonly PacingRow[] | null,
  states: Readonly<Record<string, TargetState>> | undefined,
  phase: string | null,
  moment: number | null,
): readonly PacingRow[] {
  return goalsOf(pacing ?? declaredGoals(states, phase), phase).map((goal) => withLive(goal, states?.[goal.metric], moment));
}
