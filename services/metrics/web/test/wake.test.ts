import { expect, it } from "vitest";
import { Sleep } from "../src/core/wake.ts";

it.each([
  ["an ordinary tick", 250, 250, false],
  ["a busy machine", 2_000, 2_000, false],
  ["a sleep in which the steady clock stood still", 3_600_000, 10, true],
  ["a frozen page", 60_000, 60_000, true],
  ["a wall clock that was set back", -3_600_000, 250, false],
] as const)("after %s", (_, wall, steady, expected) => {
  const sleep = new Sleep();
  expect(sleep.woke({ wall: 1_000, steady: 5 })).toBe(false);
  expect(sleep.woke({ wall: 1_000 + wall, steady: 5 + steady })).toBe(expected);
});
