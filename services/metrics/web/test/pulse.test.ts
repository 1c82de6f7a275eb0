import { describe, expect, it } from "vitest";
import { AVERAGE_SECONDS, currentRate, seriesOf, trailingMean } from "../src/core/curve.ts";
import { completePulse, mergePulse, PULSE_SECONDS, type PulsePoint } from "../src/core/pulse.ts";
import type { PulseRow } from "../src/feed/types.ts";

const T = 1_762_790_400;
const row = (second: number, events: number, gmv = "0.00"): PulseRow => ({
  time: new Date((T + second) * 1000).toISOString(),
  events,
  orders_created: 0,
  orders_paid: 0,
  gmv,
  paid_gmv: "0.00",
});
const at = (second: number) => (T + second) * 1000;
const seconds = (points: readonly PulsePoint[]) => points.map((point) => point.at - T);

describe("merging the pulse", () => {
  it("replaces a second that comes again and keeps the order, whatever order rows come in", () => {
    const first = mergePulse([], [row(3, 30), row(1, 10), row(2, 20)], at(3));
    const second = mergePulse(first, [row(4, 40), row(2, 25)], at(4));
    expect(seconds(second)).toEqual([1, 2, 3, 4]);
    expect(second.map(({ events }) => events)).toEqual([10, 25, 30, 40]);
    expect(first.map(({ events }) => events)).toEqual([10, 20, 30]);
  });

  it("is the same merged twice", () => {
    const rows = [row(1, 10), row(2, 20)];
    const once = mergePulse([], rows, at(2));
    expect(mergePulse(once, rows, at(2))).toEqual(once);
  });

  it("forgets what is older than ten minutes of the server's time, even when nothing new happens", () => {
    const points = mergePulse([], [row(0, 1), row(5, 1)], at(5));
    expect(seconds(mergePulse(points, [], at(PULSE_SECONDS + 3)))).toEqual([5]);
    expect(seconds(mergePulse(points, [], at(PULSE_SECONDS + 30)))).toEqual([]);
  });

  it("reads times of any offset and leaves out unreadable ones", () => {
    const shifted = { ...row(0, 7), time: new Date(at(0) + 8 * 3_600_000).toISOString().replace("Z", "+08:00") };
    expect(seconds(mergePulse([], [shifted, { ...row(1, 1), time: "soon" }], at(1)))).toEqual([0]);
  });
});

describe("seconds without a row", () => {
  const bounds = { asOf: at(10), watermark: at(6), campaignStart: at(0) };

  it("are zero before the watermark and unknown after it", () => {
    const points = completePulse(mergePulse([], [row(2, 20), row(8, 80)], at(10)), bounds);
    expect(seconds(points)).toEqual([0, 1, 2, 3, 4, 5, 8]);
    expect(points.map(({ events }) => events)).toEqual([0, 0, 20, 0, 0, 0, 80]);
  });

  it("are unknown while there is no watermark, and before the campaign", () => {
    const points = mergePulse([], [row(2, 20)], at(10));
    expect(seconds(completePulse(points, { ...bounds, watermark: null }))).toEqual([2]);
    expect(seconds(completePulse(points, { ...bounds, campaignStart: at(2) }))).toEqual([2, 3, 4, 5]);
  });

  it("break the line of the chart", () => {
    const points = completePulse(mergePulse([], [row(5, 50), row(8, 80)], at(10)), { ...bounds, campaignStart: at(5) });
    expect(seriesOf(points, "events")).toEqual([
      [at(5), 50],
      [at(6), null],
      [at(8), 80],
    ]);
  });
});

describe("the mean of ten seconds", () => {
  const steady = Array.from({ length: 30 }, (_, second) => row(second, second < 20 ? 10 : 30));
  const points = mergePulse([], steady, at(30));

  it("looks back ten seconds, over what is known", () => {
    const mean = trailingMean(seriesOf(points, "events"));
    expect(mean[0]).toEqual([at(0), 10]);
    expect(mean[24]?.[1]).toBe(20);
    expect(mean[29]?.[1]).toBe(30);
    expect(AVERAGE_SECONDS).toBe(10);
  });

  it("is read off at the watermark, not at the seconds that still fill up", () => {
    expect(currentRate(points, "events", at(20))).toBe(10);
    expect(currentRate(points, "events", at(25))).toBe(20);
    expect(currentRate(points, "events", null)).toBeNull();
    expect(currentRate([], "events", at(25))).toBeNull();
  });
});
