import { el, setText } from "../ui/dom.ts";
import { DataTable, type Cell } from "../ui/table.ts";
import { fittingRows } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { formatCompact, formatRate } from "../core/format.ts";
import { stockRisk, type StockRisk } from "../core/stock.ts";
import { timeLeft } from "../ui/words.ts";
import type { StockRow } from "../feed/types.ts";

const ROW_REM = 2.05;
const HEAD_REM = 1.7;

/** Shapes as well as colours, so that no risk is told by colour alone. */
const MARKS: Readonly<Record<StockRisk, string>> = { out: "✕", low: "▼", soon: "◔", none: "" };

/** Items that are sold out, under their safety stock or about to be sold out; only those. */
export class Stock implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("stock");
  private readonly count = el("span", "aside-value");
  private readonly table = new DataTable("stock-table");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.count);
    this.frame.body.append(this.table.element, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("stock.title"));
    const { inventory } = view.board;
    const risky = (inventory ?? []).filter((row) => stockRisk(row, view.now) !== "none");
    showEmpty(
      this.empty,
      inventory === null || inventory.length === 0 ? view.t("empty") : risky.length === 0 ? view.t("stock.none") : null,
    );
    setText(this.count, risky.length === 0 ? "" : view.t("stock.count", { count: risky.length }));
    this.table.update(
      [view.t("items.item"), view.t("stock.left"), view.t("stock.rate"), view.t("stock.eta")],
      risky.slice(0, fittingRows(this.frame.body, ROW_REM, 20, HEAD_REM)).map((row) => cells(view, row)),
    );
  }
}

function cells(view: View, row: StockRow): readonly Cell[] {
  const risk = stockRisk(row, view.now);
  const tone = risk === "out" ? "critical" : "warning";
  return [
    { text: `${MARKS[risk]} ${row.item_id}`, tone },
    { text: formatCompact(row.available, view.locale) },
    { text: formatRate(row.sell_rate_per_minute) },
    { text: timeLeft(view, row), tone },
  ];
}
