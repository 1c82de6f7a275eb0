import { DataTable, type Cell } from "../ui/table.ts";
import { fittingRows } from "../ui/fit.ts";
import { filterOffer } from "../ui/filtering.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { NONE } from "../core/format.ts";
import { RISK_MARKS, stockRisk } from "../core/stock.ts";
import { timeLeft } from "../ui/words.ts";
import type { ItemRow, StockRow } from "../feed/types.ts";

const ROW_REM = 1.95;
const HEAD_REM = 1.6;

/** What sells best, and whether there is enough of it. */
export class Items implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("items");
  private readonly table = new DataTable("items-table");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.body.append(this.table.element, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("items.title"));
    this.frame.trust(view, "items");
    const rows = view.board.items ?? [];
    showEmpty(this.empty, rows.length === 0 ? view.t("empty") : null);
    const stock = new Map((view.board.inventory ?? []).map((row) => [row.item_id, row]));
    const most = rows.reduce((top, row) => Math.max(top, Number(row.gmv ?? 0)), 0);
    this.table.update(
      [view.t("items.item"), view.t("metric.gmv"), view.t("items.units"), view.t("items.stock"), view.t("items.eta")],
      rows
        .slice(0, fittingRows(this.frame.body, ROW_REM, 10, HEAD_REM))
        .map((row) => cells(view, row, stock.get(row.item_id), most)),
    );
  }
}

function cells(view: View, row: ItemRow, stock: StockRow | undefined, most: number): readonly Cell[] {
  const risk = stock === undefined ? "none" : stockRisk(stock, view.now);
  const tone = risk === "out" ? "critical" : risk === "none" ? "" : "warning";
  return [
    { text: row.item_id, id: true, share: most > 0 ? Number(row.gmv ?? 0) / most : 0, filter: filterOffer(view, "item_id", row.item_id) },
    { text: view.fmt.amount(row.gmv) },
    { text: view.fmt.short(row.orders_paid) },
    { text: stock === undefined ? NONE : `${RISK_MARKS[risk]} ${view.fmt.short(stock.available)}`.trim(), tone },
    { text: stock === undefined ? NONE : timeLeft(view, stock), tone },
  ];
}
