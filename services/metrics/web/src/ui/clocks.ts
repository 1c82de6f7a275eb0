import type { Reading } from "../core/clock.ts";

/** Both clocks of the browser at this moment. */
export function readClocks(): Reading {
  return { wall: Date.now(), steady: performance.now() };
}
