import { init, type EChartsType } from "echarts/core";
import { el, setAttribute, setText } from "../ui/dom.ts";
import { frame, type Panel, type View } from "../ui/panel.ts";
import { DataTable, type Cell } from "../ui/table.ts";
import { fairMoment, isShare, paired, pointsApart } from "../core/compare.ts";
import { HIDDEN } from "../core/figures.ts";
import { NONE } from "../core/format.ts";
import { filterQuery } from "../core/lens.ts";
import type { Board } from "../core/state.ts";
import { subtractDecimals } from "../core/sums.ts";
import { epoch, formatSpan } from "../core/time.ts";
import { PairSource, type Pair, type Question } from "../feed/beside.ts";
import { filterOffer } from "../ui/filtering.ts";
import { translateName } from "../i18n.ts";
import { comparisonOptions } from "./comparison-chart.ts";
import type { Campaign, Value } from "../feed/types.ts";

const METRICS: readonly (readonly [name: string, unit: string])[] = [
  ["paid_gmv", "money"],
  ["net_sales", "money"],
  ["uv", "count"],
  ["orders_created", "count"],
  ["orders_paid", "count"],
  ["buyers", "count"],
  ["new_buyers", "count"],
  ["conversion_rate", "ratio"],
  ["aov", "money_ratio"],
  ["roi", "ratio"],
  ["refund_rate", "ratio"],
  ["coupons_redeemed", "count"],
];

interface Side {
  readonly element: HTMLElement;
  readonly name: HTMLElement;
  readonly value: HTMLElement;
  readonly remark: HTMLElement;
}

function side(which: string): Side {
  const [name, value, remark] = [el("h3", "compare-name"), el("div", "compare-value"), el("div", "compare-remark")];
  value.dataset["compare"] = which;
  return { element: el("section", `panel compare-side compare-${which}`, name, value, remark), name, value, remark };
}

/** Two campaigns as long after their starts, side by side, in the place of the wall. */
export class Comparison implements Panel {
  readonly element = el("section", "comparison");
  private readonly title = el("h2", "compare-title");
  private readonly label = el("label", "compare-label");
  private readonly select = el("select", "compare-select");
  private readonly remark = el("p", "compare-remark compare-status");
  private readonly closing = el("button", "compare-close", "✕");
  private readonly ours = side("ours");
  private readonly difference = side("difference");
  private readonly theirs = side("theirs");
  private readonly metrics = frame("compare-metrics");
  private readonly metricTable = new DataTable("compare-table");
  private readonly curve = frame("compare-curve");
  private readonly canvas = el("div", "compare-canvas");
  private readonly funnel = frame("compare-funnel");
  private readonly funnelTable = new DataTable("compare-table");
  private readonly channels = frame("compare-channels");
  private readonly channelTable = new DataTable("compare-table compare-channels");
  private readonly grid = el("div", "compare-grid");
  private chart: EChartsType | null = null;
  private view: View | null = null;
  private campaigns: readonly Campaign[] = [];
  private offered = "";
  private source: PairSource | null = null;
  private asked = "";

  constructor() {
    this.label.append(el("span"), this.select);
    this.closing.type = "button";
    this.closing.dataset["action"] = "close-comparison";
    this.closing.addEventListener("click", () => this.view?.act.compare(null));
    this.select.addEventListener("change", () => this.view?.act.compare(this.select.value));
    this.remark.setAttribute("role", "status");
    this.canvas.setAttribute("role", "img");
    this.metrics.body.append(this.metricTable.element);
    this.curve.body.append(this.canvas);
    this.funnel.body.append(this.funnelTable.element);
    this.channels.body.append(this.channelTable.element);
    this.grid.append(
      this.ours.element, this.difference.element, this.theirs.element,
      this.metrics.element, this.curve.element, this.funnel.element, this.channels.element,
    );
    this.element.append(el("header", "compare-head", this.title, this.label, this.remark, this.closing), this.grid);
    this.element.dataset["panel"] = "compare";
    this.element.hidden = true;
  }

  /** What can be compared with. */
  offer(campaigns: readonly Campaign[]): void {
    this.campaigns = campaigns;
  }

  /** Takes up a new size; the chart keeps its own pixels. */
  resize(): void {
    this.chart?.resize();
  }

  update(view: View): void {
    this.view = view;
    this.follow(view);
    if (this.source !== null) this.draw(view);
  }

  private follow(view: View): void {
    const { compare } = view.lens;
    const ours = view.board.campaign?.id ?? null;
    this.element.hidden = compare === null;
    const key = compare === null ? "" : [ours, compare, filterQuery(view.lens.filters).toString()].join("\n");
    if (key === this.asked) return;
    this.asked = key;
    this.source?.close();
    this.source = compare === null ? null : new PairSource(() => this.question(), () => this.redraw());
  }

  private question(): Question | null {
    const { view } = this;
    if (view === null) return null;
    const ours = view.board.campaign;
    const theirs = this.campaigns.find(({ id }) => id === view.lens.compare);
    const asOf = epoch(view.board.overview?.as_of);
    if (ours === null || theirs === undefined || theirs.id === ours.id || asOf === null) return null;
    const { now } = view.live;
    const at = view.replay === null ? fairMoment(ours, theirs, asOf, now) : view.replay.at;
    return { ours, theirs, at, now, filters: filterQuery(view.lens.filters) };
  }

  private redraw(): void {
    if (this.view !== null && this.source !== null) this.draw(this.view);
  }

  private draw(view: View): void {
    const pair = this.source?.pair ?? null;
    setText(this.title, view.t("compare.title"));
    setText(this.label.firstElementChild as Element, view.t("compare.with"));
    setAttribute(this.closing, "aria-label", view.t("compare.close"));
    setAttribute(this.closing, "title", view.t("compare.close"));
    this.updateChoice(view);
    setText(this.remark, this.status(view, pair));
    this.element.classList.toggle("is-old", this.source?.failure !== null);
    this.grid.hidden = pair === null;
    if (pair === null) return;
    this.updateSides(view, pair);
    this.updateMetrics(view, pair);
    this.updateFunnel(view, pair);
    this.updateChannels(view, pair);
    this.curve.title(view.t("compare.curve"));
    setAttribute(this.canvas, "aria-label", view.t("compare.curveDescription"));
    if (this.canvas.clientWidth === 0) return;
    this.chart ??= init(this.canvas, null, { renderer: "canvas" });
    this.chart.setOption(comparisonOptions(view, pair), { notMerge: true, lazyUpdate: true });
  }

  private updateChoice(view: View): void {
    const { compare } = view.lens;
    const own = view.board.campaign?.id;
    const others = this.campaigns.filter(({ id }) => id !== own);
    const offered = `${compare}|${others.map(({ id, name }) => id + name).join()}`;
    if (offered === this.offered) return;
    this.offered = offered;
    const options = others.map(({ id, name }) => new Option(name === id ? id : `${name} (${id})`, id));
    if (compare !== null && !others.some(({ id }) => id === compare)) options.unshift(new Option(compare, compare));
    this.select.replaceChildren(...options);
    this.select.value = compare ?? "";
  }

  private status(view: View, pair: Pair | null): string {
    const { compare } = view.lens;
    if (compare === view.board.campaign?.id) return view.t("compare.self");
    const theirs = this.campaigns.find(({ id }) => id === compare);
    if (this.campaigns.length > 0 && theirs === undefined) return view.t("compare.unknown", { id: compare ?? "" });
    const failure = this.source?.failure ?? null;
    if (failure !== null) return failure.lasting ? failure.text : view.t("compare.failed");
    if (pair !== null) return "";
    const begun = theirs === undefined || (epoch(theirs.start) ?? 0) < view.live.now;
    const ours = epoch(view.board.campaign?.start);
    return view.t(begun && (ours === null || ours < view.live.now) ? "compare.loading" : "compare.notYet");
  }

  private updateSides(view: View, pair: Pair): void {
    const span = (milliseconds: number): string => formatSpan(milliseconds, view.t("unit.day"));
    const start = epoch(pair.ours.campaign?.start) ?? pair.at;
    const [ours, theirs] = [gmvOf(pair.ours), gmvOf(pair.theirs)];
    const fill = (into: Side, name: string, gmv: Value, remark: string): void => {
      setText(into.name, name);
      setText(into.value, view.fmt.money(gmv));
      setAttribute(into.value, "data-value", gmv === null ? null : String(gmv));
      setText(into.remark, remark);
    };
    fill(this.ours, pair.ours.campaign?.name ?? "", ours, view.t("compare.elapsed", { span: span(pair.at - start) }));
    const { elapsed, short } = pair.beside;
    fill(this.theirs, pair.theirs.campaign?.name ?? "", theirs, view.t(short ? "compare.short" : "compare.elapsed", { span: span(elapsed) }));
    this.theirs.element.classList.toggle("is-short", short);
    const apart = subtractDecimals(ours, theirs);
    fill(this.difference, `${view.metric("gmv")} · ${view.t("compare.difference")}`, apart, view.fmt.change(ours, theirs) ?? NONE);
    // A sign says it; a colour alone would not.
    if (apart !== null && !apart.startsWith("-") && !view.fmt.hidden) setText(this.difference.value, `+${view.fmt.money(apart)}`);
  }

  private updateMetrics(view: View, pair: Pair): void {
    this.metrics.title(view.t("compare.figures"));
    const rows = METRICS.map(([name, unit]) => {
      const [ours, theirs] = [pair.ours, pair.theirs].map((board) => board.overview?.metrics[name] ?? null);
      const show = (value: Value | undefined): Cell => ({ text: unit === "count" ? view.fmt.count(value) : view.fmt.metric(name, unit, value) });
      return [{ text: view.metric(name) }, show(ours), show(theirs), apart(view, ours, theirs, isShare(name))];
    });
    this.metricTable.update(this.headings(view, pair, view.t("compare.metric")), rows);
  }

  private updateFunnel(view: View, pair: Pair): void {
    this.funnel.title(view.t("compare.funnel"));
    const rows = paired(pair.ours.funnel ?? [], pair.theirs.funnel ?? [], ({ step }) => step).map(([step, ours, theirs], index) => {
      const [left, right] = [ours, theirs].map((row) => (index === 0 ? row?.users : row?.step_conversion) ?? null);
      const show = (value: Value | undefined): Cell => ({ text: index === 0 ? view.fmt.short(value) : view.fmt.percent(value, 1) });
      return [{ text: translateName(view.locale, "funnel", step) }, show(left), show(right), apart(view, left, right, index > 0)];
    });
    this.funnelTable.update(this.headings(view, pair, view.t("compare.step")), rows);
  }

  private updateChannels(view: View, pair: Pair): void {
    this.channels.title(view.t("compare.channels"));
    const rows = paired(pair.ours.channels ?? [], pair.theirs.channels ?? [], ({ channel }) => channel).map(([channel, ours, theirs]) => [
      { text: translateName(view.locale, "channel", channel), filter: filterOffer(view, "channel", channel) },
      { text: view.fmt.amount(ours?.gmv) },
      { text: view.fmt.amount(theirs?.gmv) },
      apart(view, ours?.gmv, theirs?.gmv, false),
      { text: view.fmt.times(ours?.roas) },
      { text: view.fmt.times(theirs?.roas) },
    ]);
    const [name = "", left = "", right = "", difference = ""] = this.headings(view, pair, view.t("channels.channel"));
    this.channelTable.update([name, left, right, difference, "ROAS", "ROAS"], rows);
  }

  private headings(view: View, pair: Pair, first: string): readonly string[] {
    return [first, pair.ours.campaign?.id ?? "", pair.theirs.campaign?.id ?? "", view.t("compare.difference")];
  }
}

function gmvOf(board: Board): Value {
  return board.overview?.metrics["gmv"] ?? null;
}

/** How far two values are apart: shares in percentage points, all else in percent. */
function apart(view: View, ours: Value | undefined, theirs: Value | undefined, share: boolean): Cell {
  const points = share ? pointsApart(ours, theirs) : null;
  if (!share) return { text: view.fmt.change(ours, theirs) ?? NONE };
  return { text: points === null ? NONE : view.fmt.hidden ? HIDDEN : view.t("compare.points", { points }) };
}
