import { describe, expect, it } from "vitest";
import {
  currencySign,
  formatChange,
  formatCompact,
  formatCount,
  formatMetric,
  formatMoney,
  formatPercent,
  formatRate,
  formatTimes,
  trimZeros,
} from "../src/core/format.ts";

describe("numbers as they are written", () => {
  it("shows what is unknown as a dash, never as zero", () => {
    for (const format of [formatCount, formatMoney, formatPercent, formatTimes, formatRate]) {
      expect(format(null)).toBe("–");
    }
    expect(formatCompact(undefined, "en")).toBe("–");
    expect(formatMetric("uv", "count", null, "zh")).toBe("–");
  });

  it.each([
    ["99999", "99,999", "99,999"],
    ["100000", "100.0K", "10.00万"],
    ["999.5", "1,000", "1,000"],
    ["999.49", "999.49", "999.49"],
    ["1234567.89", "1.235M", "123.5万"],
    ["999999999", "1.000B", "10.00亿"],
    ["99999999", "100.0M", "1.000亿"],
    ["99999.99", "100.0K", "10.00万"],
    ["128734512.80", "128.7M", "1.287亿"],
    ["1200000000", "1.200B", "12.00亿"],
    ["-250000", "-250.0K", "-25.00万"],
  ])("shortens %s to %s and %s", (value, en, zh) => {
    expect(formatCompact(value, "en")).toBe(en);
    expect(formatCompact(value, "zh")).toBe(zh);
  });

  it("puts the minus before the currency", () => {
    expect(formatMoney("-12.5", "¥")).toBe("-¥12.50");
    expect(formatCompact("-1200000", "en", "¥")).toBe("-¥1.200M");
  });

  it("names a currency without a sign of its own, and none that it was not told", () => {
    expect(currencySign("CNY")).toBe("¥");
    expect(currencySign("CHF")).toBe("CHF ");
    expect(currencySign(undefined)).toBe("");
  });

  it("takes a metric by its unit, and ROI as a multiple", () => {
    expect(formatMetric("conversion_rate", "ratio", 0.0992, "en")).toBe("9.92%");
    expect(formatMetric("payment_rate", "ratio", 1, "en")).toBe("100.0%");
    expect(formatMetric("roi", "ratio", 6.714, "en")).toBe("6.71");
    expect(formatMetric("aov", "money_ratio", 198.4321, "zh", "¥")).toBe("¥198.43");
    expect(formatMetric("gmv", "money", "1234567.89", "zh", "¥")).toBe("¥123.5万");
  });

  it("compares only with an earlier value that is there", () => {
    expect(formatChange("117.60", "100.00")).toBe("+17.6%");
    expect(formatChange(50, 100)).toBe("−50.0%");
    expect(formatChange(5, 0)).toBeNull();
    expect(formatChange(null, 5)).toBeNull();
  });
});

describe("numbers on an axis", () => {
  it.each([
    ["1.500M", "1.5M"],
    ["500.0K", "500K"],
    ["1.000M", "1M"],
    ["150.0\u4e07", "150\u4e07"],
    ["1,000", "1,000"],
    ["0.00", "0"],
    ["100", "100"],
    ["0.05", "0.05"],
    ["***", "***"],
  ])("%s is %s", (text, short) => expect(trimZeros(text)).toBe(short));
});
