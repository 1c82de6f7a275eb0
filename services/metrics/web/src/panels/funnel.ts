import { el, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { formatCompact, formatPercent } from "../core/format.ts";
import { translateName } from "../i18n.ts";
import type { FunnelRow } from "../feed/types.ts";

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
    const steps = view.board.funnel ?? [];
    this.frame.title(view.t("funnel.title"));
    const last = steps.at(-1);
    setText(this.overall, last ? `${view.t("funnel.overall")} ${formatPercent(last.overall_conversion)}` : "");
    showEmpty(this.empty, steps.length === 0 ? view.t("empty") : null);
    const most = Math.max(1, ...steps.map(({ users }) => users));
    const worst = worstStep(steps);
    syncChildren(this.rows, steps.length, createStep, (row, index) => {
      const step = steps[index];
      if (step === undefined) return;
      const [name, bar, users, kept, lost] = [...row.children] as HTMLElement[];
      if (!name || !bar || !users || !kept || !lost) return;
      const previous = index === 0 ? null : (steps[index - 1]?.users ?? null);
      row.classList.toggle("worst", index === worst);
      setText(name, translateName(view.locale, "funnel", step.step));
      setVariable(bar, "--share", String(step.users / most));
      setVariable(bar, "--before", String((previous ?? step.users) / most));
      setText(users, formatCompact(step.users, view.locale));
      setText(kept, previous === null ? "" : formatPercent(step.step_conversion, 1));
      setText(
        lost,
        previous === null ? "" : view.t("funnel.lost", { lost: formatCompact(Math.max(0, previous - step.users), view.locale) }),
      );
    });
  }
}

function createStep(): HTMLElement {
  const bar = el("div", "funnel-bar", el("div", "funnel-lost"), el("div", "funnel-kept"));
  return el("li", "funnel-step", el("span", "funnel-name"), bar, el("span", "funnel-users"), el("span", "funnel-rate"), el("span", "funnel-loss"));
}

/** The step that keeps the smallest share, which is where to look first. */
function worstStep(steps: readonly FunnelRow[]): number {
  let worst = -1;
  let least = Infinity;
  steps.forEach((step, index) => {
    if (index > 0 && step.step_conversion !== null && step.step_conversion < least) {
      least = step.step_conversion;
      worst = index;
    }
  });
  return worst;
}
