import { el, setText } from "../ui/dom.ts";
import { DataTable, type Cell } from "../ui/table.ts";
import { fittingRows } from "../ui/fit.ts";
import { filterOffer } from "../ui/filtering.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { RISK_MARKS, RISK_ORDER, stockRisk } from "../core/stock.ts";
import { timeLeft } from "../ui/words.ts";
import type { StockRow } from "../feed/types.ts";

const ROW_REM = 1.95;
const HEAD_REM = 1.6;

/** What is sold out, under its safety stock or about to be sold out, and after that what lasts the shortest. */
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
    this.frame.trust(view, "inventory");
    const inventory = view.board.inventory ?? [];
    const rows = [...inventory].sort((a, b) => RISK_ORDER[stockRisk(a, view.now)] - RISK_ORDER[stockRisk(b, view.now)]);
    const risky = rows.filter((row) => stockRisk(row, view.now) !== "none").length;
    showEmpty(this.empty, inventory.length === 0 ? view.t("empty") : null);
    setText(this.count, inventory.length === 0 ? "" : risky === 0 ? view.t("stock.none") : view.t("stock.count", { count: risky }));
    this.table.update(
      [view.t("items.item"), view.t("stock.left"), view.t("stock.rate"), view.t("stock.eta")],
      rows.slice(0, fittingRows(this.frame.body, ROW_REM, 20, HEAD_REM)).map((row) => cells(view, row)),
    );
  }
}

function cells(view: View, row: StockRow): readonly Cell[] {
  const risk = stockRisk(row, view.now);
  const tone = risk === "out" ? "critical" : risk === "none" ? "" : "warning";
  return [
    { text: `${RISK_MARKS[risk]} ${row.item_id}`.trim(), id: true, tone, title: row.item_id, filter: filterOffer(view, "item_id", row.item_id) },
    { text: view.fmt.short(row.available) },
    { text: view.fmt.rate(row.sell_rate_per_minute) },
    { text: timeLeft(view, row), tone },
  ];
}
