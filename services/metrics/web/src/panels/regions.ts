import { el, setText } from "../ui/dom.ts";
import { DataTable } from "../ui/table.ts";
import { fittingRows } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { formatCompact } from "../core/format.ts";
import { regionName } from "../i18n.ts";

const ROW_REM = 2.05;

/** Where the money comes from: bars, as lengths are compared better than areas from afar. */
export class Regions implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("regions");
  private readonly table = new DataTable("bars-table");
  private readonly more = el("span", "aside-value");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.more);
    this.frame.body.append(this.table.element, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("regions.title"));
    const rows = [...(view.board.regions ?? [])].sort((a, b) => Number(b.gmv ?? 0) - Number(a.gmv ?? 0));
    showEmpty(this.empty, rows.length === 0 ? view.t("empty") : null);
    const shown = rows.slice(0, fittingRows(this.frame.body, ROW_REM, 10));
    const rest = rows.length - shown.length;
    setText(this.more, rest > 0 ? view.t("regions.more", { count: rest }) : "");
    const most = Number(rows[0]?.gmv ?? 0);
    this.table.update(
      [],
      shown.map((row) => [
        { text: regionName(view.locale, row.region), share: most > 0 ? Number(row.gmv ?? 0) / most : 0 },
        { text: formatCompact(row.gmv, view.locale, view.sign) },
      ]),
    );
  }
}
