import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { stepsOf, type Step } from "../core/loss.ts";
import { translateName } from "../i18n.ts";

/** Where visitors are lost on the way from the visit to the payment. */
export class Funnel implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("funnel");
  private readonly overall = el("span", "aside-value");
  private readonly rows = el("ol", "funnel-rows");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.overall);
    this.frame.body.append(this.rows, this.empty);
  }

  update(view: View): void {
    const rows = view.board.funnel ?? [];
    this.frame.title(view.t("funnel.title"));
    this.frame.trust(view, "funnel");
    const last = rows.at(-1);
    setText(this.overall, last ? `${view.t("funnel.overall")} ${view.fmt.percent(last.overall_conversion)}` : "");
    showEmpty(this.empty, rows.length === 0 ? view.t("empty") : null);
    const steps = stepsOf(rows);
    const most = Math.max(1, ...steps.map(({ users }) => users ?? 0));
    syncChildren(this.rows, steps.length, createStep, (row, index) => {
      const step = steps[index];
      if (step !== undefined) updateStep(row, view, step, most);
    });
  }
}

function createStep(): HTMLElement {
  const bar = el("div", "funnel-bar", el("div", "funnel-lost"), el("div", "funnel-kept"));
  return el("li", "funnel-step", el("span", "funnel-name"), bar, el("span", "funnel-users"), el("span", "funnel-rate"), el("span", "funnel-loss"));
}

function updateStep(row: HTMLElement, view: View, step: Step, most: number): void {
  const [name, bar, users, kept, lost] = [...row.children] as HTMLElement[];
  if (!name || !bar || !users || !kept || !lost) return;
  setClass(row, step.largest ? "funnel-step worst" : "funnel-step");
  setText(name, translateName(view.locale, "funnel", step.step));
  setVariable(bar, "--share", String((step.users ?? 0) / most));
  setVariable(bar, "--before", String((step.before ?? step.users ?? 0) / most));
  setText(users, view.fmt.short(step.users));
  setText(kept, step.before === null ? "" : view.fmt.percent(step.kept, 1));
  setText(lost, step.lost === null ? "" : `${step.largest ? "▼ " : ""}${view.t("funnel.lost", { lost: view.fmt.short(step.lost) })}`);
  setAttribute(row, "title", step.largest ? view.t("funnel.largest") : null);
}
