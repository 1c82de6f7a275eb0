import { describe, expect, it } from "vitest";
import { compare, groupDigits, parseDecimal } from "../src/core/decimal.ts";
import { Tween } from "../src/core/tween.ts";

const amount = (text: string) => parseDecimal(text) ?? expect.fail(`${text} is a decimal`);
const shown = (tween: Tween, now: number) => {
  const value = tween.at(now);
  return value === null ? null : groupDigits(value, 2);
};

describe("the ticking number", () => {
  it("shows nothing before it knows something, and the first value at once", () => {
    const tween = new Tween(800);
    expect(tween.at(0)).toBeNull();
    tween.set(amount("100.00"), 0);
    expect(shown(tween, 0)).toBe("100.00");
  });

  it("only moves forward, never past the true value, and stands on it in the end", () => {
    const tween = new Tween(800);
    tween.set(amount("100.00"), 0);
    tween.set(amount("200.55"), 1000);
    let before = amount("100.00");
    for (let now = 1000; now <= 1800; now += 16) {
      const value = tween.at(now) ?? expect.fail("a value is known");
      expect(compare(value, before)).toBeGreaterThanOrEqual(0);
      expect(compare(value, amount("200.55"))).toBeLessThanOrEqual(0);
      before = value;
    }
    expect(shown(tween, 1800)).toBe("200.55");
    expect(tween.restsAt(1800)).toBe(true);
  });

  it("goes on from where it is when the next value comes early", () => {
    const tween = new Tween(800);
    tween.set(amount("0"), 0);
    tween.set(amount("100"), 1000);
    const midway = tween.at(1400) ?? expect.fail("a value is known");
    tween.set(amount("300"), 1400);
    expect(compare(tween.at(1400) ?? amount("0"), midway)).toBe(0);
    expect(shown(tween, 2200)).toBe("300.00");
  });

  it("takes a correction downwards at once: nothing between the two was ever true", () => {
    const tween = new Tween(800);
    tween.set(amount("500"), 0);
    tween.set(amount("420"), 1000);
    expect(shown(tween, 1000)).toBe("420.00");
  });
});
