import { describe, expect, it } from "vitest";
import { compare, groupDigits, parseDecimal, ratio, rescale } from "../src/core/decimal.ts";

const decimal = (text: string) => parseDecimal(text) ?? expect.fail(`${text} is a decimal`);

describe("exact decimals", () => {
  it("keeps every digit of an amount that a float would lose", () => {
    expect(groupDigits(decimal("9007199254740993.07"), 2)).toBe("9,007,199,254,740,993.07");
  });

  it.each([
    ["0", "0.00"],
    ["0.05", "0.05"],
    ["-0.05", "-0.05"],
    ["12345.6", "12,345.60"],
    ["999.995", "1,000.00"],
    ["-1234567.80", "-1,234,567.80"],
  ])("writes %s as %s", (text, shown) => {
    expect(groupDigits(decimal(text), 2)).toBe(shown);
  });

  it.each(["", "abc", "1e5", "1.", "NaN", "1,000"])("does not take %j for a number", (text) => {
    expect(parseDecimal(text)).toBeNull();
  });

  it("rounds half away from zero, on both sides of it", () => {
    expect(rescale(decimal("2.5"), 0).units).toBe(3n);
    expect(rescale(decimal("-2.5"), 0).units).toBe(-3n);
    expect(rescale(decimal("2.49"), 0).units).toBe(2n);
  });

  it("compares across scales", () => {
    expect(compare(decimal("1.5"), decimal("1.50"))).toBe(0);
    expect(compare(decimal("-1"), decimal("0.01"))).toBe(-1);
  });

  it("has no ratio to zero or to nothing", () => {
    expect(ratio(decimal("1"), decimal("0.00"))).toBeNull();
    expect(ratio(decimal("1"), null)).toBeNull();
    expect(ratio(decimal("50.00"), decimal("200"))).toBe(0.25);
  });
});
