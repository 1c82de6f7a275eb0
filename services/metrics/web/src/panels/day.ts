import { init, type EChartsType } from "echarts/core";
import { el, setAttribute, setClass, setText, setVariable, syncChildren } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Actions, type Panel, type View } from "../ui/panel.ts";
import { dayCurve, peakOf, type DayCurve as Curve } from "../core/day.ts";
import { alertMarks, phaseBands, plannedBands, type AlertMark } from "../core/events.ts";
import { placeLabels, spanWithin, textEms, type Cluster } from "../core/marks.ts";
import { clockTime, epoch, minuteTime } from "../core/time.ts";
import { phaseName, translateName, type Key } from "../i18n.ts";
import { dayOptions, PLOT } from "./day-chart.ts";
import { MARKS } from "./alerts.ts";

/** Sizes of what lies over the curve, in rem. */
const LABEL_REM = 0.85;
const LONGEST_LABEL_REM = 9;
const LABEL_ROWS = 2;
const ALERT_APART_REM = 1.5;
const EMPTY: Curve = { settled: [], open: [], baseline: [], bucketMs: 60_000 };

/** The whole campaign at a glance: its GMV, the baseline's, phases, what is planned, and what went wrong. */
export class DayCurve implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("day");
  private readonly legend = el("span", "day-legend");
  private readonly canvas = el("div", "day-canvas");
  private readonly phases = el("div", "day-layer");
  private readonly planned = el("div", "day-layer");
  private readonly marked = el("div", "day-marked");
  private readonly now = el("div", "day-now");
  private readonly alerts = el("div", "day-layer day-alerts");
  private readonly empty = emptyLine();
  private chart: EChartsType | null = null;
  private drawn = "";
  private act: Actions | null = null;

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.legend);
    this.canvas.setAttribute("role", "img");
    const plot = el("div", "day-plot", this.phases, this.marked, this.planned, this.now);
    this.frame.body.append(plot, this.canvas, el("div", "day-plot day-above", this.alerts), this.empty);
    this.alerts.addEventListener("click", (event) => {
      const mark = event.target instanceof Element ? event.target.closest("button") : null;
      if (mark?.dataset["alert"] !== undefined) this.act?.openAlert(mark.dataset["alert"]);
    });
  }

  /** Takes up a new size; the chart keeps its own pixels. */
  resize(): void {
    this.chart?.resize();
    this.drawn = "";
  }

  update(view: View): void {
    this.act = view.act;
    this.frame.title(view.t("day.title"));
    this.frame.trust(view, "day");
    const { campaign, day, overview } = view.board;
    const from = epoch(campaign?.start);
    const asOf = epoch(overview?.as_of) ?? view.now;
    if (campaign === null || from === null) return;
    const to = Math.max(epoch(campaign.end) ?? asOf, from + 60_000);
    const until = Math.min(epoch(day?.watermark) ?? -Infinity, epoch(day?.as_of) ?? -Infinity);
    const curve = day === null ? EMPTY : dayCurve(day.rows, day.interval, Number.isFinite(until) ? until : null);
    const nothing = curve.settled.length + curve.open.length + curve.baseline.length === 0;
    showEmpty(this.empty, nothing ? view.t(day === null ? "empty" : "day.none") : null);
    this.updateLegend(view, curve);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = this.canvas.clientWidth / rem - PLOT.left - PLOT.right;
    if (width <= 0) return;
    this.updatePhases(view, from, to, width);
    this.updatePlanned(view, from, to, width);
    this.updateMoments(view, from, to, asOf);
    this.updateAlerts(view, from, to, width);
    this.draw(view, curve, from, to);
  }

  private updateLegend(view: View, curve: Curve): void {
    const interval = intervalWords(view);
    const peak = peakOf(curve);
    const parts: [string, string][] = [["day-key-this", view.t("day.this", { interval })]];
    if (curve.baseline.length > 0) parts.push(["day-key-baseline", view.t("day.baseline")]);
    if (peak !== null) {
      const time = minuteTime(peak[0] - curve.bucketMs / 2, view.zone);
      parts.push(["day-key-peak", view.t("day.peak", { time, value: view.fmt.amount(String(peak[1])) })]);
    }
    syncChildren(this.legend, interval === "" ? 0 : parts.length, () => el("span"), (part, index) => {
      const [look, text] = parts[index] ?? ["", ""];
      setClass(part, look);
      setText(part, text);
    });
    setAttribute(this.legend, "title", view.board.overview?.baseline ? view.t("hero.baseline", { id: view.board.overview.baseline.campaign_id }) : null);
    setAttribute(this.canvas, "aria-label", view.t("day.description", { interval }));
  }

  private updatePhases(view: View, from: number, to: number, width: number): void {
    const bands = phaseBands(view.board.campaign as NonNullable<View["board"]["campaign"]>, from, to);
    syncChildren(this.phases, bands.length, () => el("div", "day-phase", el("span")), (band, index) => {
      const phase = bands[index];
      const label = band.firstElementChild;
      if (phase === undefined || label === null) return;
      const name = phaseName(view.locale, phase.name);
      const current = view.now >= phase.start && view.now < phase.end;
      setClass(band, current ? "day-phase current" : "day-phase");
      setVariable(band, "--left", String(phase.place.left));
      setVariable(band, "--width", String(phase.place.width));
      // A name that is cut to a few signs says nothing; its band tells it when it is pointed at.
      setText(label, phase.place.width * width > textEms(name) * 0.9 + 0.7 ? name : "");
      setAttribute(band, "title", `${name} ${minuteTime(phase.start, view.zone)}–${minuteTime(phase.end, view.zone)}`);
    });
  }

  private updatePlanned(view: View, from: number, to: number, width: number): void {
    const events = plannedBands(view.board.campaign as NonNullable<View["board"]["campaign"]>, from, to);
    const wanted = events.map((event) => ({
      event,
      at: event.place.left * width,
      width: Math.min(LONGEST_LABEL_REM, textEms(event.name) * LABEL_REM + 1),
    }));
    const placed = new Map(placeLabels(wanted, width, LABEL_ROWS, 0.4).map((each) => [each.item.event, each]));
    syncChildren(this.planned, events.length, () => el("div", "day-event", el("span")), (mark, index) => {
      const event = events[index];
      const label = mark.firstElementChild as HTMLElement | null;
      if (event === undefined || label === null) return;
      const place = placed.get(event);
      setVariable(mark, "--left", String(event.place.left));
      setVariable(mark, "--width", String(event.place.width));
      setText(label, place === undefined ? "" : event.name);
      // At the far edge the word stands before its mark.
      setClass(label, place !== undefined && place.left < place.item.at ? "flipped" : "");
      setVariable(label, "--row", String(place?.row ?? 0));
      const times = event.end > event.start ? `${minuteTime(event.start, view.zone)}–${minuteTime(event.end, view.zone)}` : minuteTime(event.start, view.zone);
      setAttribute(mark, "title", `${event.name} ${times}`);
    });
  }

  private updateMoments(view: View, from: number, to: number, asOf: number): void {
    const share = (asOf - from) / (to - from);
    this.now.hidden = share < 0 || share > 1;
    setVariable(this.now, "--left", String(share));
    setAttribute(this.now, "data-word", view.t("day.now"));
    const span = view.lens.marked === null ? null : spanWithin(view.lens.marked.from, view.lens.marked.to, from, to);
    this.marked.hidden = span === null;
    if (span === null) return;
    setVariable(this.marked, "--left", String(span.left));
    setVariable(this.marked, "--width", String(span.width));
    setAttribute(this.marked, "title", view.t("day.marked"));
  }

  private updateAlerts(view: View, from: number, to: number, width: number): void {
    const clusters = alertMarks(view.board.alerts ?? [], from, to, ALERT_APART_REM / width);
    syncChildren(this.alerts, clusters.length, createMark, (mark, index) => {
      const cluster = clusters[index];
      if (cluster !== undefined) this.updateMark(mark, view, cluster);
    });
  }

  private updateMark(mark: HTMLElement, view: View, cluster: Cluster<AlertMark>): void {
    const first = cluster.members[0]?.alert;
    if (first === undefined) return;
    const words = view.t("day.alert", {
      severity: view.t(`severity.${first.severity}`),
      rule: translateName(view.locale, "rule", first.rule),
      time: clockTime(epoch(first.starts_at) ?? 0, view.zone),
      state: view.t(`state.${first.state}`),
    });
    const label = cluster.members.length === 1 ? words : view.t("day.alerts", { count: cluster.members.length, first: words });
    setClass(mark, `day-alert severity-${first.severity} state-${first.state}`);
    setVariable(mark, "--left", String(cluster.at));
    setText(mark, cluster.members.length > 1 ? `${MARKS[first.severity]}${cluster.members.length}` : MARKS[first.severity]);
    setAttribute(mark, "aria-label", label);
    setAttribute(mark, "title", label);
    mark.dataset["alert"] = first.id;
  }

  // The lines change every few seconds only, the page every second: a chart that is the same is not drawn again.
  private draw(view: View, curve: Curve, from: number, to: number): void {
    if (document.hidden) return;
    const theme = document.documentElement.dataset["theme"] ?? "";
    const { day } = view.board;
    const state = [day?.as_of, day?.rows.length, curve.settled.length, curve.open.length, from, to, view.locale, theme, view.fmt.hidden].join();
    if (state === this.drawn) return;
    this.drawn = state;
    this.chart ??= init(this.canvas, null, { renderer: "canvas" });
    this.chart.setOption(dayOptions(view, curve, from, to), { notMerge: true, lazyUpdate: true });
  }
}

function createMark(): HTMLElement {
  const mark = el("button", "day-alert");
  mark.type = "button";
  return mark;
}

const UNITS: Readonly<Record<string, Key>> = { s: "unit.second", m: "unit.minute", h: "unit.hour", d: "unit.day" };

/** "5 min" for "5m", in the language of the page; empty before the curve came. */
function intervalWords(view: View): string {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(view.board.day?.interval ?? "") ?? [];
  const word = UNITS[unit ?? ""];
  return count === undefined || word === undefined ? "" : `${count}${view.locale === "zh" ? "" : " "}${view.t(word)}`;
}
