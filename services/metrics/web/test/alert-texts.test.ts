import { describe, expect, it } from "vitest";
import { curveOf } from "../src/alerts/evidence.ts";
import { basisOf, labelsOf, linked, runbookOf, shownValue, summaryOf } from "../src/alerts/texts.ts";
import { unitName } from "../src/alerts/naming.ts";
import { until } from "../src/alerts/timeline.ts";
import { formatNumber } from "../src/core/format.ts";
import type { FeedAlert } from "../src/alerts/model.ts";

const SUSPECT = "0f1e2d3c4b5a6978";
const alert: FeedAlert = {
  id: "a",
  rule: "refund_abuse",
  severity: "warning",
  state: "firing",
  starts_at: "2026-11-11T00:00:00Z",
  labels: { campaign_id: "c", suspect: SUSPECT },
  summary: `account ${SUSPECT} got 9 refunds`,
  runbook: "1. Stop.",
  annotations: { summary: `account ${SUSPECT} got 9 refunds`, summary_zh: `疑似恶意退款：${SUSPECT}`, runbook_zh: "" },
};

describe("what an alert says", () => {
  it("is in the language of the page, and in the other where that is all there is", () => {
    expect(summaryOf(alert, "zh")).toMatch(/^疑似恶意退款/);
    expect(runbookOf(alert, "zh")).toBe("1. Stop.");
  });

  it("tells what the estimate rests on in that language", () => {
    const impact = { loss_per_minute: "1.00", basis: "what it sold", basis_zh: "此前的销售额" };
    expect(["en", "zh"].map((locale) => basisOf(impact, locale as "en" | "zh"))).toEqual(["what it sold", "此前的销售额"]);
    expect(basisOf({ ...impact, basis_zh: "" }, "zh")).toBe("what it sold");
  });

  it("counts in units of that language, and calls a metric by its name", () => {
    const units = ["pieces", "spend per minute", "paid_gmv per minute", "roi as a share of the baseline's", "conversion_rate", "moons"];
    expect(units.map((unit) => unitName("zh", unit))).toEqual(["件", "每分钟花费", "每分钟支付金额", "投入产出比 ROI与基线之比", "转化率", "moons"]);
    expect(units.map((unit) => unitName("en", unit)).slice(0, 3)).toEqual(["pieces", "spend per minute", "Paid GMV per minute"]);
  });

  it("never shows a whole pseudonym", () => {
    for (const locale of ["en", "zh"] as const) {
      expect(summaryOf(alert, locale)).not.toContain(SUSPECT);
      expect(summaryOf(alert, locale)).toContain("0f1e…");
    }
    expect(labelsOf(alert)).toEqual([["suspect", SUSPECT]]);
    expect(shownValue("suspect", SUSPECT)).toBe("0f1e…");
    expect(shownValue("item_id", SUSPECT)).toBe(SUSPECT);
  });

  it("links to pages and to nothing that runs", () => {
    const text = "See https://wiki.example/run?id=1#a, then javascript:alert(1)（https://b.example）。";
    expect(linked(text).filter(({ link }) => link).map((part) => part.text)).toEqual(["https://wiki.example/run?id=1#a", "https://b.example"]);
    expect(linked(text).map((part) => part.text).join("")).toBe(text);
  });
});

describe("the curve of the evidence", () => {
  it("fills empty seconds with zero, and no gaps of a coarser curve", () => {
    expect(curveOf({ points: [[10, 1], [11, 2], [14, 3]], normal_rate: 0.5, unit: "refunds" })).toEqual({
      points: [[10_000, 1], [11_000, 2], [12_000, 0], [13_000, 0], [14_000, 3]],
      reference: 0.5,
      unit: "refunds",
    });
    expect(curveOf({ points: [[120, 2], [60, 1], [240, 4]], reference: 2 })?.points).toEqual([[60_000, 1], [120_000, 2], [240_000, 4]]);
  });

  it("adds up what is told twice for a moment, and passes over what is no point", () => {
    expect(curveOf({ points: [[1, 1], [1, 2], ["x", 1], [2], [3, null], [1.5, 1], [-1, 1]] })?.points).toEqual([[1_000, 3]]);
    for (const evidence of [null, {}, { points: [] }, { points: "x" }, { points: [[1, Infinity]] }]) expect(curveOf(evidence)).toBeNull();
  });
});

describe("numbers of which nothing is known", () => {
  it.each([[0, "0"], [12345, "12,345"], [3.14159, "3.14"], [0.012345, "0.01235"], [null, "–"], [-1234.5, "-1,234.50"]] as const)("%d is %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe("the timeline of the past", () => {
  it("holds what was so by then", () => {
    const timeline = [{ at: "2026-11-11T00:00:00Z", state: "pending" as const }, { at: "2026-11-11T00:00:02Z", state: "firing" as const }];
    expect(until(timeline, Date.parse("2026-11-11T00:00:01Z"))).toHaveLength(1);
    expect(until(timeline, null)).toHaveLength(2);
  });
});
