import { el, setAttribute, setText, setVariable, syncChildren } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";

const METRICS = [
  "uv",
  "pv",
  "orders_paid",
  "buyers",
  "new_buyers",
  "conversion_rate",
  "aov",
  "roi",
  "refund_rate",
  "coupons_redeemed",
] as const;

/** Units of the tiles, for the moments before the catalogue is there. */
const UNITS: Readonly<Record<(typeof METRICS)[number], string>> = {
  uv: "count",
  pv: "count",
  orders_paid: "count",
  buyers: "count",
  new_buyers: "count",
  conversion_rate: "ratio",
  aov: "money_ratio",
  roi: "ratio",
  refund_rate: "ratio",
  coupons_redeemed: "count",
};

// Counts of up to nine characters are shown to the last digit; longer ones would not be read anyway.
const LONGEST_COUNT = 9;

/** The row of tiles: one metric each, against the baseline campaign where there is one. */
export class Kpis implements Panel {
  readonly element = el("section", "kpis");

  constructor() {
    this.element.dataset["panel"] = "kpis";
  }

  update(view: View): void {
    syncChildren(this.element, METRICS.length, createTile, (tile, index) => {
      const name = METRICS[index];
      if (name !== undefined) updateTile(tile, view, name);
    });
  }
}

function createTile(): HTMLElement {
  return el("div", "panel kpi", el("h2", "kpi-label"), el("div", "kpi-value"), el("div", "kpi-change"));
}

function updateTile(tile: HTMLElement, view: View, name: (typeof METRICS)[number]): void {
  const [label, number, change] = [...tile.children] as HTMLElement[];
  if (label === undefined || number === undefined || change === undefined) return;
  const { overview } = view.board;
  const value = overview?.metrics[name] ?? null;
  const whole = view.fmt.count(value);
  const text =
    UNITS[name] === "count" && whole.length <= LONGEST_COUNT
      ? whole
      : view.fmt.metric(name, UNITS[name], value);
  tile.dataset["metric"] = name;
  setText(label, view.metric(name));
  setText(number, text);
  setVariable(number, "--characters", String(Math.max(text.length, 6)));
  setAttribute(number, "data-value", value === null || view.fmt.hidden ? null : String(value));
  setAttribute(number, "title", UNITS[name] === "money_ratio" ? view.fmt.money(value) : null);
  setAttribute(label, "title", view.catalogue.get(name)?.definition ?? null);
  const before = overview?.baseline?.metrics[name];
  const difference = view.fmt.change(value, before);
  // Where the others have a line of comparison, this one keeps its room.
  change.hidden = !overview?.baseline;
  setText(change, difference === null ? "" : view.t("kpi.against", { change: difference, before: view.fmt.metric(name, UNITS[name], before) }));
  setAttribute(change, "title", overview?.baseline ? view.t("hero.baseline", { id: overview.baseline.campaign_id }) : null);
}
