import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { parseDecimal } from "../core/decimal.ts";
import { rungsOf, type Rung } from "../core/rungs.ts";
import { translateName } from "../i18n.ts";

/** What was placed, what of it was paid, and what remains of that after refunds and what is suspected to be brushing. */
export class Ladder implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("ladder");
  private readonly rows = el("ol", "ladder-rows");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.body.append(this.rows, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("ladder.title"));
    this.frame.trust(view, "ladder");
    const rungs = rungsOf(view.board.ladder ?? []);
    showEmpty(this.empty, rungs.length === 0 ? view.t("empty") : null);
    syncChildren(this.rows, rungs.length, createRung, (row, index) => {
      const rung = rungs[index];
      if (rung !== undefined) updateRung(row, view, rung, index);
    });
  }
}

function createRung(): HTMLElement {
  const bar = el("div", "rung-bar", el("div", "rung-lost"), el("div", "rung-kept"));
  return el("li", "rung", el("span", "rung-name"), el("span", "rung-amount"), bar, el("span", "rung-share"), el("span", "rung-less"));
}

function updateRung(row: HTMLElement, view: View, rung: Rung, index: number): void {
  const [name, amount, bar, share, less] = [...row.children] as HTMLElement[];
  if (!name || !amount || !bar || !share || !less) return;
  const below = (parseDecimal(rung.amount)?.units ?? 0n) < 0n;
  const fell = (parseDecimal(rung.less)?.units ?? 0n) > 0n;
  setClass(row, below ? "rung below-zero" : "rung");
  setText(name, translateName(view.locale, "ladder", rung.rung));
  setText(amount, `${below ? "▼ " : ""}${view.fmt.amount(rung.amount)}`);
  setVariable(bar, "--share", String(rung.width));
  setVariable(bar, "--before", String(rung.above));
  setText(share, index === 0 || rung.share === null ? "" : view.t("ladder.ofPlaced", { share: view.fmt.percent(rung.share, 1) }));
  setText(less, fell ? view.t("ladder.less", { amount: view.fmt.amount(rung.less) }) : "");
  setAttribute(row, "title", rung.orders === null ? null : view.t("ladder.orders", { count: view.fmt.count(rung.orders) }));
}
