import { LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { use, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { elapsedLine } from "../core/compare.ts";
import { dayCurve } from "../core/day.ts";
import { NONE } from "../core/format.ts";
import { epoch, formatSpan } from "../core/time.ts";
import type { Board } from "../core/state.ts";
import { roundStep } from "../core/timeline.ts";
import type { Pair } from "../feed/beside.ts";
import type { View } from "../ui/panel.ts";

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

/** Both days on one axis of elapsed time; the other one is dashed, so that they differ without their colours. */
export function comparisonOptions(view: View, pair: Pair): EChartsCoreOption {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const rem = parseFloat(style.fontSize);
  const text = { color: colour("--muted"), fontSize: 0.95 * rem, fontFamily: style.getPropertyValue("--font") };
  const line = colour("--line");
  const span = (elapsed: number): string => formatSpan(elapsed, view.t("unit.day")).replace(/:\d\d$/, "");
  const shared = { type: "line", showSymbol: false, silent: true };
  const longest = Math.max(pair.at - (epoch(pair.ours.campaign?.start) ?? pair.at), pair.beside.elapsed, 60_000);
  const [ours, theirs] = [colour("--gmv"), colour("--traffic")];
  return {
    animation: false,
    grid: { left: 4.2 * rem, right: 1.2 * rem, top: 0.8 * rem, bottom: 2 * rem },
    tooltip: {
      trigger: "axis",
      // Rich text is drawn on the canvas: the page's policy forbids the markup that it would be else.
      renderMode: "richText",
      confine: true,
      backgroundColor: colour("--panel"),
      borderColor: line,
      textStyle: { ...text, color: colour("--text") },
      axisPointer: { label: { show: false } },
      valueFormatter: (value: unknown) => (typeof value === "number" ? view.fmt.amount(value.toFixed(2)) : NONE),
    },
    xAxis: {
      type: "value",
      min: 0,
      max: longest,
      interval: roundStep(longest, 8),
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { ...text, hideOverlap: true, showMaxLabel: false, formatter: span },
    },
    yAxis: {
      type: "value",
      min: 0,
      splitNumber: 3,
      axisLabel: { ...text, showMinLabel: false, formatter: (value: number) => view.fmt.short(String(value)) },
      splitLine: { lineStyle: { color: line } },
    },
    series: [
      {
        ...shared,
        name: pair.ours.campaign?.name ?? "",
        data: lineOf(pair.ours, pair.at),
        lineStyle: { color: ours, width: 0.18 * rem },
        itemStyle: { color: ours },
        areaStyle: { color: ours, opacity: 0.15 },
      },
      {
        ...shared,
        name: pair.theirs.campaign?.name ?? "",
        data: lineOf(pair.theirs, pair.beside.at),
        lineStyle: { color: theirs, width: 0.18 * rem, type: "dashed" },
        itemStyle: { color: theirs },
      },
    ],
  };
}

function lineOf(board: Board, until: number): [number, number | null][] {
  const start = epoch(board.campaign?.start);
  if (board.day === null || start === null) return [];
  return elapsedLine(dayCurve(board.day.rows, board.day.interval, until), start);
}
