import { DataTable, type Cell } from "../ui/table.ts";
import { fittingRows } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { parseDecimal, ratio } from "../core/decimal.ts";
import { formatCompact, formatPercent, formatTimes } from "../core/format.ts";
import { translateName } from "../i18n.ts";
import type { ChannelRow } from "../feed/types.ts";

const ROW_REM = 2.05;
const HEAD_REM = 1.7;

/** What each channel brings and costs. */
export class Channels implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("channels");
  private readonly table = new DataTable("channels-table");
  private readonly empty = emptyLine();

  constructor() {
    this.element = this.frame.element;
    this.frame.body.append(this.table.element, this.empty);
  }

  update(view: View): void {
    this.frame.title(view.t("channels.title"));
    const rows = view.board.channels ?? [];
    showEmpty(this.empty, rows.length === 0 ? view.t("empty") : null);
    const most = rows.reduce((top, row) => Math.max(top, Number(row.gmv ?? 0)), 0);
    const shown = rows.slice(0, fittingRows(this.frame.body, ROW_REM, 20, HEAD_REM));
    this.table.update(
      [
        view.t("channels.channel"),
        view.t("metric.gmv"),
        view.t("channels.conversion"),
        view.t("channels.cost"),
        "ROAS",
        "ROI",
      ],
      shown.map((row) => cells(view, row, most)),
    );
  }
}

function cells(view: View, row: ChannelRow, most: number): readonly Cell[] {
  const budget = view.board.campaign?.budgets?.[row.channel];
  const spent = ratio(parseDecimal(row.ad_cost), parseDecimal(budget));
  const cost = formatCompact(row.ad_cost, view.locale, view.sign);
  return [
    {
      text: translateName(view.locale, "channel", row.channel),
      share: most > 0 ? Number(row.gmv ?? 0) / most : 0,
    },
    { text: formatCompact(row.gmv, view.locale, view.sign) },
    { text: formatPercent(row.conversion_rate) },
    spent === null
      ? { text: cost }
      : {
          text: cost,
          share: Math.min(1, spent),
          title: view.t("channels.budget", {
            share: formatPercent(spent, 0),
            budget: formatCompact(budget, view.locale, view.sign),
          }),
          tone: spent > 1 ? "warning" : "",
        },
    { text: formatTimes(row.roas) },
    { text: formatTimes(row.roi) },
  ];
}
