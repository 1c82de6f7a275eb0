import { LineChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { el, setAttribute, setText } from "../ui/dom.ts";
import { emptyLine, frame, showEmpty, type Panel, type View } from "../ui/panel.ts";
import { AVERAGE_SECONDS, currentRate, seriesOf, trailingMean, type Series } from "../core/curve.ts";
import { NONE, trimZeros } from "../core/format.ts";
import { PULSE_SECONDS } from "../core/pulse.ts";
import { epoch, minuteTime } from "../core/time.ts";
import type { Key } from "../i18n.ts";

use([LineChart, GridComponent, TooltipComponent, MarkAreaComponent, CanvasRenderer]);

interface Strip {
  readonly series: Series;
  readonly label: Key;
  /** The style variable that holds its colour. */
  readonly colour: string;
}

/** Three strips with an axis each: orders and money on one axis would say nothing about either. */
const STRIPS: readonly Strip[] = [
  { series: "gmv", label: "curve.gmv", colour: "--gmv" },
  { series: "orders_created", label: "curve.created", colour: "--orders" },
  { series: "events", label: "curve.events", colour: "--traffic" },
];

/** The last ten minutes by the second, each second as it is and the mean of ten of them over it. */
export class Curve implements Panel {
  readonly element: HTMLElement;
  private readonly frame = frame("curve");
  private readonly legend = el("span", "curve-legend");
  private readonly canvas = el("div", "curve-canvas");
  private readonly readings = el("div", "curve-readings");
  private readonly empty = emptyLine();
  private chart: EChartsType | null = null;

  constructor() {
    this.element = this.frame.element;
    this.frame.aside.append(this.legend);
    for (const strip of STRIPS) {
      const value = el("div", "reading-values", el("span", "reading-value"), el("span", "reading-more"));
      const reading = el("div", "reading", el("span", "reading-label"), value);
      reading.dataset["series"] = strip.series;
      this.readings.append(reading);
    }
    this.frame.body.append(this.readings, this.canvas, this.empty);
    this.canvas.setAttribute("role", "img");
  }

  /** Takes up a new size; the chart keeps its own pixels. */
  resize(): void {
    this.chart?.resize();
  }

  update(view: View): void {
    this.frame.title(view.t("curve.title"));
    this.frame.trust(view, "overview");
    setText(this.legend, view.t("curve.legend", { seconds: AVERAGE_SECONDS }));
    setAttribute(this.legend, "title", view.t("curve.hint", { seconds: AVERAGE_SECONDS }));
    this.canvas.setAttribute("aria-label", view.t("curve.description"));
    const { pulse, overview } = view.board;
    showEmpty(this.empty, overview !== null && pulse.every(({ events, gmv }) => events === 0 && Number(gmv) === 0) ? view.t("curve.none") : null);
    this.updateReadings(view);
    if (view.still && document.hidden) return;
    if (this.canvas.clientWidth === 0) return;
    this.chart ??= init(this.canvas, null, { renderer: "canvas" });
    this.chart.setOption(options(view, this.canvas), { notMerge: true, lazyUpdate: true });
  }

  private updateReadings(view: View): void {
    const watermark = epoch(view.board.overview?.watermark);
    STRIPS.forEach((strip, index) => {
      const [label, values] = [...(this.readings.children[index]?.children ?? [])];
      const [value, more] = [...(values?.children ?? [])];
      if (label === undefined || value === undefined || more === undefined) return;
      const rate = currentRate(view.board.pulse, strip.series, watermark);
      const paid = strip.series === "orders_created" ? currentRate(view.board.pulse, "orders_paid", watermark) : null;
      setText(label, view.t(strip.label));
      setText(
        value,
        strip.series === "gmv" && rate !== null ? view.fmt.amount(rate.toFixed(0)) : view.fmt.rate(rate),
      );
      setText(more, paid === null ? "" : `${view.t("curve.paid")} ${view.fmt.rate(paid)}`);
    });
  }
}

function options(view: View, canvas: HTMLElement): EChartsCoreOption {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const rem = parseFloat(style.fontSize);
  const muted = colour("--muted");
  const line = colour("--line");
  const end = epoch(view.board.overview?.as_of) ?? view.now;
  const start = end - PULSE_SECONDS * 1000;
  const watermark = Math.max(start, epoch(view.board.overview?.watermark) ?? end);
  const axisRoom = 1.6 * rem;
  const gap = 0.6 * rem;
  const height = (canvas.clientHeight - axisRoom - gap * STRIPS.length) / STRIPS.length;
  const text = { color: muted, fontSize: 0.8 * rem, fontFamily: style.getPropertyValue("--font") };

  return {
    animation: false,
    grid: STRIPS.map((_, index) => ({
      left: 3.6 * rem,
      right: 0.4 * rem,
      top: gap / 2 + index * (height + gap),
      height,
    })),
    tooltip: {
      trigger: "axis",
      // Rich text is drawn on the canvas: the page's policy forbids the markup that it would be else.
      renderMode: "richText",
      backgroundColor: colour("--panel"),
      borderColor: line,
      textStyle: { ...text, color: colour("--text") },
      valueFormatter: (value: unknown) => (typeof value === "number" ? view.fmt.short(value.toFixed(2)) : NONE),
    },
    xAxis: STRIPS.map((_, index) => ({
      gridIndex: index,
      type: "time",
      min: start,
      max: end,
      splitNumber: 5,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisPointer: { lineStyle: { color: muted }, label: { show: false } },
      axisLabel: { ...text, show: index === STRIPS.length - 1, hideOverlap: true, formatter: (at: number) => minuteTime(at, view.zone) },
    })),
    yAxis: STRIPS.map((_, index) => ({
      gridIndex: index,
      type: "value",
      min: 0,
      // Two labels need the room of two.
      splitNumber: height < 3.4 * rem ? 1 : 2,
      axisLabel: { ...text, showMinLabel: false, formatter: (value: number) => trimZeros(view.fmt.short(String(value))) },
      splitLine: { lineStyle: { color: line } },
    })),
    series: STRIPS.flatMap((strip, index) => {
      const raw = seriesOf(view.board.pulse, strip.series);
      const shared = { type: "line", xAxisIndex: index, yAxisIndex: index, showSymbol: false, silent: true };
      const tint = colour(strip.colour);
      return [
        {
          ...shared,
          name: view.t(strip.label),
          data: raw,
          step: "end",
          lineStyle: { width: 0 },
          areaStyle: { color: tint, opacity: 0.28 },
          itemStyle: { color: tint },
          markArea: {
            silent: true,
            itemStyle: { color: colour("--settling") },
            label: { show: false },
            data: watermark < end ? [[{ xAxis: watermark }, { xAxis: end }]] : [],
          },
        },
        {
          ...shared,
          name: view.t("curve.mean", { seconds: AVERAGE_SECONDS }),
          // The mean stops where the data is not complete: a fall there would be one of the pipe, not of the trade.
          data: trailingMean(raw).filter(([at]) => at < watermark),
          lineStyle: { color: tint, width: 0.14 * rem },
          itemStyle: { color: tint },
          tooltip: { show: true },
        },
      ];
    }),
  };
}
