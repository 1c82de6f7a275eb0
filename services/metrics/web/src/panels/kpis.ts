import { el, setAttribute, setText, setVariable, syncChildren } from "../ui/dom.ts";
import type { Panel, View } from "../ui/panel.ts";
import { formatChange, formatCount, formatMetric, formatMoney } from "../core/format.ts";

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
  const whole = formatCount(value);
  const text =
    UNITS[name] === "count" && whole.length <= LONGEST_COUNT
      ? whole
      : formatMetric(name, UNITS[name], value, view.locale, view.sign);
  tile.dataset["metric"] = name;
  setText(label, view.metric(name));
  setText(number, text);
  setVariable(number, "--characters", String(Math.max(text.length, 6)));
  setAttribute(number, "data-value", value === null ? null : String(value));
  setAttribute(number, "title", UNITS[name] === "money_ratio" ? formatMoney(value, view.sign) : null);
  setAttribute(label, "title", view.catalogue.get(name)?.definition ?? null);
  const difference = formatChange(value, overview?.baseline?.metrics[name]);
  change.hidden = difference === null;
  setText(change, difference ?? "");
  setAttribute(change, "title", overview?.baseline ? view.t("hero.baseline", { id: overview.baseline.campaign_id }) : null);
}
