import { el, setAttribute, setText } from "../ui/dom.ts";
import { DataTable, type Cell } from "../ui/table.ts";
import { filterOffer } from "../ui/filtering.ts";
import { fittingRows } from "../ui/fit.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { isFiltered } from "../core/lens.ts";
import { channelState, orderChannels, type ChannelOrder } from "../core/shares.ts";
import { translateName } from "../i18n.ts";
import type { ChannelRow } from "../feed/types.ts";

const ROW_REM = 1.95;
const HEAD_REM = 1.6;
const MOST_ON_PHONE = 20;

/** What each channel brings and costs. */
export class Channels implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("channels");
  private readonly table = new DataTable("channels-table");
  private readonly more = el("span", "aside-value");
  private readonly order = el("button", "aside-button");
  private readonly empty = emptyLine();
  private by: ChannelOrder = "gmv";
  private view: View | null = null;

  constructor() {
    this.element = this.frame.element;
    this.order.type = "button";
    this.order.dataset["action"] = "channel-order";
    this.order.addEventListener("click", () => {
      this.by = this.by === "gmv" ? "roi" : "gmv";
      if (this.view !== null) this.update(this.view);
    });
    this.frame.aside.append(this.more, this.order);
    this.frame.body.append(this.table.element, this.empty);
  }

  update(view: View): void {
    this.view = view;
    this.frame.title(view.t("channels.title"));
    this.frame.trust(view, "channels");
    const rows = orderChannels(view.board.channels ?? [], this.by);
    showEmpty(this.empty, rows.length === 0 ? view.t("empty") : null);
    const most = rows.reduce((top, row) => Math.max(top, Number(row.gmv ?? 0)), 0);
    const shown = rows.slice(0, fittingRows(this.frame.body, ROW_REM, MOST_ON_PHONE, HEAD_REM));
    setText(this.more, rows.length > shown.length ? view.t("channels.more", { count: rows.length - shown.length }) : "");
    this.order.hidden = rows.length < 2;
    setText(this.order, view.t(this.by === "gmv" ? "channels.byGmv" : "channels.byRoi"));
    setAttribute(this.order, "title", view.t("channels.order"));
    this.table.update(
      [view.t("channels.channel"), view.t("metric.gmv"), view.t("channels.conversion"), view.t("channels.cost"), "ROAS", "ROI"],
      shown.map((row) => cells(view, row, most)),
    );
  }
}

function cells(view: View, row: ChannelRow, most: number): readonly Cell[] {
  // A budget is for all that a channel spends: what is spent on a part of it says nothing of the budget.
  const budget = isFiltered(view.lens.filters, "channel") ? undefined : view.board.campaign?.budgets?.[row.channel];
  const state = channelState(row, budget);
  const cost = view.fmt.amount(row.ad_cost);
  const name = translateName(view.locale, "channel", row.channel);
  return [
    { text: name, share: most > 0 ? Number(row.gmv ?? 0) / most : 0, filter: filterOffer(view, "channel", row.channel) },
    { text: view.fmt.amount(row.gmv) },
    { text: view.fmt.percent(row.conversion_rate) },
    {
      text: state.overBudget ? `▲\u202f${cost}` : cost,
      ...(state.spent === null ? {} : { share: Math.min(1, state.spent) }),
      ...(budget === undefined
        ? {}
        : {
            title: view.t(state.overBudget ? "channels.overBudget" : "channels.budget", {
              share: view.fmt.percent(state.spent, 0),
              budget: view.fmt.amount(budget),
            }),
          }),
      tone: state.overBudget ? "warning" : "",
    },
    { text: view.fmt.times(row.roas) },
    {
      text: state.losing ? `▼\u202f${view.fmt.times(row.roi)}` : view.fmt.times(row.roi),
      tone: state.losing ? "critical" : "",
      ...(state.losing ? { title: view.t("channels.losing") } : {}),
    },
  ];
}
