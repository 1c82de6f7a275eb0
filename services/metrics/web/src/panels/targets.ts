import { el, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { formatMetric, formatPercent } from "../core/format.ts";
import { phaseTargets, totalTargets, type TargetRow } from "../core/targets.ts";
import { currentPhase, elapsedShare } from "../core/time.ts";
import { phaseName } from "../i18n.ts";

const MOST_ROWS = 4;

class Group {
  readonly element: HTMLElement;
  private readonly title = el("h3", "target-title");
  private readonly rows = el("ul", "target-rows");

  constructor() {
    this.element = el("div", "target-group", this.title, this.rows);
  }

  update(view: View, title: string, rows: readonly TargetRow[], elapsed: number | null): void {
    this.element.hidden = rows.length === 0;
    setText(this.title, title);
    syncChildren(this.rows, Math.min(rows.length, MOST_ROWS), createRow, (element, index) => {
      const row = rows[index];
      if (row !== undefined) updateRow(element, view, row, elapsed);
    });
  }
}

function createRow(): HTMLElement {
  const bar = el("div", "target-bar", el("div", "target-fill"), el("div", "target-elapsed"));
  return el("li", "target", el("span", "target-name"), el("span", "target-detail"), el("span", "target-share"), bar);
}

function updateRow(element: HTMLElement, view: View, row: TargetRow, elapsed: number | null): void {
  const [name, detail, share, bar] = [...element.children] as HTMLElement[];
  if (name === undefined || share === undefined || bar === undefined || detail === undefined) return;
  const unit = view.catalogue.get(row.metric)?.unit ?? (row.metric.includes("gmv") ? "money" : undefined);
  const show = (value: TargetRow["value"]): string => formatMetric(row.metric, unit, value, view.locale, view.sign);
  setText(name, view.metric(row.metric));
  setText(share, formatPercent(row.attained, 1));
  setText(detail, view.t("targets.of", { value: show(row.value), target: show(row.target) }));
  setVariable(bar, "--share", String(Math.min(1, Math.max(0, row.attained ?? 0))));
  setVariable(bar, "--elapsed", String(elapsed ?? 0));
  const pace = row.attained === null || elapsed === null ? "" : row.attained >= elapsed ? " ahead" : " behind";
  setClass(element, `target${elapsed === null ? " timeless" : ""}${pace}`);
}

/** How much of what was promised is there, beside how much of the time is gone. */
export class Targets implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("targets");
  private readonly legend = el("span", "target-legend");
  private readonly total = new Group();
  private readonly phase = new Group();
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.legend);
    this.frame.body.append(this.total.element, this.phase.element, this.empty);
  }

  update(view: View): void {
    const { overview, campaign } = view.board;
    this.frame.title(view.t("targets.title"));
    setText(this.legend, view.t("targets.elapsed"));
    const phase = campaign === null ? null : currentPhase(campaign, view.now);
    const total = totalTargets(overview?.targets, overview?.metrics ?? {});
    const phased = phaseTargets(overview?.targets, phase?.name ?? null);
    this.legend.hidden = total.length + phased.length === 0;
    showEmpty(this.empty, total.length + phased.length === 0 ? view.t("targets.none") : null);
    this.total.update(view, view.t("targets.total"), total, campaign && elapsedShare(campaign, view.now));
    this.phase.update(
      view,
      view.t("targets.phase", { phase: phaseName(view.locale, phase?.name ?? "") }),
      phased,
      phase && elapsedShare(phase, view.now),
    );
  }
}
