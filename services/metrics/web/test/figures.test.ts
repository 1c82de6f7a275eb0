import { describe, expect, it } from "vitest";
import { figures, HIDDEN, type Figures } from "../src/core/figures.ts";
import { NONE } from "../src/core/format.ts";

const every = (fmt: Figures, value: number | null): readonly (string | null)[] => [
  fmt.count(value),
  fmt.short(value),
  fmt.money(value),
  fmt.amount(value),
  fmt.percent(value),
  fmt.times(value),
  fmt.rate(value),
  fmt.metric("gmv", "money", value),
  fmt.change(value, 2),
];

describe("hidden figures", () => {
  it("show no digit and no size", () => {
    const fmt = figures("en", "¥", true);
    for (const value of [3, 1_234_567, 0.5, -2]) expect(new Set(every(fmt, value))).toEqual(new Set([HIDDEN]));
  });

  it("leave the unknown unknown", () => {
    expect(every(figures("zh", "¥", true), null).slice(0, -1)).toEqual(Array(8).fill(NONE));
    expect(figures("zh", "¥", true).change(null, 2)).toBeNull();
  });

  it("are written in full when they are not hidden", () => {
    expect(figures("en", "¥", false).money("1234.5")).toBe("¥1,234.50");
    expect(figures("zh", "¥", false).amount("123456789")).toBe("¥1.235亿");
  });
});
