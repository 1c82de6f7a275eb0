import { LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { use, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { View } from "../ui/panel.ts";
import type { DayCurve } from "../core/day.ts";
import { NONE, trimZeros } from "../core/format.ts";
import { calendarDate, minuteTime } from "../core/time.ts";

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

/** Room around the plot, in rem; the style sheet holds the same for what is laid over it. */
export const PLOT = { left: 3.9, right: 0.6, top: 4.1, bottom: 2.7 };

const HOUR = 3_600_000;

/** The lines of the day; bands, marks and words are laid over them as elements, for the keyboard and screen readers. */
export function dayOptions(view: View, curve: DayCurve, from: number, to: number): EChartsCoreOption {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const rem = parseFloat(style.fontSize);
  const text = { color: colour("--muted"), fontSize: 0.85 * rem, fontFamily: style.getPropertyValue("--font") };
  const line = colour("--line");
  const tint = colour("--gmv");
  const shared = { type: "line", showSymbol: false, silent: true, symbolSize: 0.5 * rem };
  // A lone point is no line: it is shown as a point.
  const alone = (points: readonly unknown[]): boolean => points.length === 1;
  return {
    animation: false,
    grid: { left: PLOT.left * rem, right: PLOT.right * rem, top: PLOT.top * rem, bottom: PLOT.bottom * rem },
    tooltip: {
      trigger: "axis",
      // Rich text is drawn on the canvas: the page's policy forbids the markup that it would be else.
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("--panel"),
      borderColor: line,
      textStyle: { ...text, color: colour("--text") },
      valueFormatter: (value: unknown) => (typeof value === "number" ? view.fmt.amount(value.toFixed(2)) : NONE),
    },
    xAxis: {
      type: "time",
      min: from,
      max: to,
      splitNumber: 6,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisPointer: { lineStyle: { color: colour("--muted") }, label: { show: false } },
      axisLabel: {
        ...text,
        margin: 1.35 * rem,
        hideOverlap: true,
        formatter: (at: number) => (to - from > 48 * HOUR ? calendarDate(at, view.zone).slice(5) : minuteTime(at, view.zone)),
      },
    },
    yAxis: {
      type: "value",
      min: 0,
      splitNumber: 2,
      axisLabel: { ...text, showMinLabel: false, formatter: (value: number) => trimZeros(view.fmt.short(String(value))) },
      splitLine: { lineStyle: { color: line } },
    },
    series: [
      {
        ...shared,
        name: view.t("day.baseline"),
        data: curve.baseline,
        lineStyle: { color: colour("--muted"), width: 0.1 * rem, type: [0.3 * rem, 0.25 * rem] },
        itemStyle: { color: colour("--muted") },
      },
      {
        ...shared,
        name: view.t("metric.gmv"),
        data: curve.settled,
        showSymbol: alone(curve.settled),
        lineStyle: { color: tint, width: 0.16 * rem },
        areaStyle: { color: tint, opacity: 0.16 },
        itemStyle: { color: tint },
      },
      {
        ...shared,
        name: view.t("day.open"),
        data: curve.open,
        showSymbol: alone(curve.open),
        lineStyle: { color: tint, width: 0.14 * rem, type: "dotted" },
        itemStyle: { color: tint },
      },
    ],
  };
}
