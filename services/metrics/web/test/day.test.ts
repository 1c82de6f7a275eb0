import { describe, expect, it } from "vitest";
import { dayCurve, intervalMs, peakOf } from "../src/core/day.ts";

const MINUTE = 60_000;
const at = (minutes: number) => new Date(minutes * MINUTE).toISOString();
const rows = (...values: (string | null)[]) => values.map((gmv, index) => ({ time: at(index * 5), gmv, baseline_gmv: "10.00" }));

describe("the curve of the day", () => {
  it("keeps a bucket that is not over apart, so that no fall is drawn where none was", () => {
    const curve = dayCurve(rows("1.00", "2.00", "0.50", null), "5m", 12 * MINUTE);
    expect(curve.settled).toEqual([
      [2.5 * MINUTE, 1],
      [7.5 * MINUTE, 2],
    ]);
    expect(curve.open).toEqual([
      [7.5 * MINUTE, 2],
      [12.5 * MINUTE, 0.5],
    ]);
  });

  it("takes nothing for settled while nothing is known to be complete", () => {
    const curve = dayCurve(rows("1.00", "2.00"), "5m", null);
    expect(curve.settled).toEqual([]);
    expect(curve.open).toHaveLength(2);
  });

  it("settles a bucket at the very moment of its end", () => {
    expect(dayCurve(rows("1.00"), "5m", 5 * MINUTE).settled).toHaveLength(1);
    expect(dayCurve(rows("1.00"), "5m", 5 * MINUTE - 1).settled).toHaveLength(0);
  });

  it("draws the baseline to its end, also where this campaign is not yet", () => {
    expect(dayCurve(rows(null, null, null), "5m", 0).baseline).toHaveLength(3);
    expect(dayCurve([{ time: at(0), gmv: "1", baseline_gmv: null }], "5m", 0).baseline).toEqual([]);
  });

  it("tells the peak of what is settled only", () => {
    expect(peakOf(dayCurve(rows("1.00", "7.00", "9.00"), "5m", 10 * MINUTE))).toEqual([7.5 * MINUTE, 7]);
    expect(peakOf(dayCurve([], "5m", 0))).toBeNull();
  });

  it("reads intervals, and takes the distance of the rows for one that it cannot read", () => {
    expect([intervalMs("5m"), intervalMs("1h"), intervalMs("0m"), intervalMs("soon"), intervalMs(null)]).toEqual([
      300_000, 3_600_000, null, null, null,
    ]);
    expect(dayCurve(rows("1", "2"), null, 0).bucketMs).toBe(5 * MINUTE);
    expect(dayCurve([], undefined, 0).bucketMs).toBe(MINUTE);
  });
});
