import { describe, expect, it } from "vitest";
import { parseDecimal, type Decimal } from "../src/core/decimal.ts";
import { headline, headlineEms, isShortened } from "../src/core/headline.ts";
import { stepsOf } from "../src/core/loss.ts";
import { rungsOf } from "../src/core/rungs.ts";
import { goalBar, goalsOf } from "../src/core/standing.ts";
import type { PacingRow } from "../src/feed/types.ts";

const decimal = (text: string): Decimal => parseDecimal(text) ?? { units: 0n, scale: 0 };
const shown = (text: string, locale: "en" | "zh") => {
  const parts = headline(decimal(text), decimal(text), locale);
  return parts.whole + parts.fraction + parts.suffix;
};

describe("the large number", () => {
  it("keeps every digit that can be read from afar and shortens the rest in the unit of the language", () => {
    expect(shown("1.5", "en")).toBe("1.50");
    expect(shown("98765.43", "en")).toBe("98,765.43");
    expect(shown("1234567.89", "en")).toBe("1,234,568");
    expect(shown("12345678", "zh")).toBe("12,345,678");
    expect(shown("123456789", "en")).toBe("123.457M");
    expect(shown("123456789", "zh")).toBe("1.23457亿");
    expect(shown("1234567890.12", "zh")).toBe("12.3457亿");
    expect(shown("1234567890.12", "en")).toBe("1.23457B");
    expect(shown("1000000000000", "en")).toBe("1.00000T");
    expect(shown("1000000000000", "zh")).toBe("1.00000万亿");
    expect([isShortened(decimal("99999999")), isShortened(decimal("100000000"))]).toEqual([false, true]);
  });

  it("is as wide for any amount of as many digits, and on its way to the next", () => {
    const ems = (text: string, like = text) => headlineEms(headline(decimal(text), decimal(like), "en"), "¥");
    expect(ems("1111111.00")).toBe(ems("9999998.00"));
    expect(ems("123456789")).toBe(ems("987654321"));
    // From below a million to a million: the form is the one of the number that it stands on at last.
    expect(headline(decimal("99999.99"), decimal("100001"), "en").fraction).toBe("");
  });
});

describe("the ladder", () => {
  const row = (rung: string, amount: string | null, share: number | null) => ({ rung, amount, orders: 1, share });

  it("tells what fell away at each step, exactly", () => {
    const rungs = rungsOf([row("placed", "1000.10", 1), row("paid", "900.05", 0.9), row("net", "900.05", 0.9)]);
    expect(rungs.map(({ less }) => less)).toEqual([null, "100.05", "0.00"]);
    expect(rungs[1]).toMatchObject({ above: 1 });
    expect(rungs[1]?.width).toBeCloseTo(0.9, 3);
  });

  it("has no length below zero, and says so in its amount", () => {
    const rungs = rungsOf([row("placed", "10.00", 1), row("paid", "5.00", 0.5), row("net", "-2.50", -0.25)]);
    expect(rungs[2]).toMatchObject({ width: 0, above: 0.5, less: "7.50", amount: "-2.50" });
  });

  it("stays empty where a filter leaves nothing to say, and where nothing was placed", () => {
    expect(rungsOf([row("placed", null, null), row("paid", null, null)])[1]).toMatchObject({ less: null, width: 0 });
    expect(rungsOf([row("placed", "0.00", null), row("paid", "0.00", null)])[1]).toMatchObject({ less: "0.00", width: 0 });
  });
});

describe("the funnel's losses", () => {
  const steps = (...users: number[]) => stepsOf(users.map((count, index) => ({ step: `s${index}`, users: count, step_conversion: 0.5, overall_conversion: null })));

  it("mark the step that loses the most users, and only that", () => {
    expect(steps(100, 60, 10, 9).map(({ largest }) => largest)).toEqual([false, false, true, false]);
    expect(steps(100, 50, 0).map(({ largest }) => largest)).toEqual([false, true, false]);
    expect(steps(5, 5, 5).some(({ largest }) => largest)).toBe(false);
    expect(steps(0, 0).some(({ largest }) => largest)).toBe(false);
  });

  it("are never negative", () => {
    expect(steps(3, 4)[1]?.lost).toBe(0);
  });
});

describe("a goal", () => {
  const goal = (over: Partial<PacingRow>): PacingRow => ({ metric: "gmv", scope: "campaign", from: "", to: "", state: "current", target: "100.00", value: "40.00", attained: 0.4, ...over });

  it("has its marks on one track that ends at its target", () => {
    expect(goalBar(goal({ expected: "50.00", projected: "80.00", projected_low: "70.00", projected_high: "90.00" }))).toEqual({
      attained: 0.4, expected: 0.5, low: 0.7, high: 0.9, target: 1,
    });
  });

  it("has a longer track where more than the target is there or to come, and no mark beyond it", () => {
    const far = goalBar(goal({ value: "500.00", expected: "900.00", projected: "4000.00" }));
    for (const share of [far.attained, far.expected, far.low, far.high, far.target]) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(goalBar(goal({ value: "120.00" })).target).toBeCloseTo(1 / 1.2);
  });

  it("draws nothing for a target of nothing, and nothing to the left of zero", () => {
    expect(goalBar(goal({ target: "0.00" })).attained).toBe(0);
    expect(goalBar(goal({ value: "-5.00", projected_low: "-9.00" }))).toMatchObject({ attained: 0, low: 0 });
  });

  it("stands in the order that a war room asks in, the phase's apart from the campaign's", () => {
    const rows = [goal({ metric: "uv" }), goal({ metric: "gmv" }), goal({ metric: "gmv", scope: "phase", phase: "burst" }), goal({ metric: "ad_cost", scope: "budget", channel: "app" })];
    expect(goalsOf(rows, null).map(({ metric }) => metric)).toEqual(["gmv", "uv"]);
    expect(goalsOf(rows, "burst")).toHaveLength(1);
    expect(goalsOf(rows, "review")).toEqual([]);
  });
});
