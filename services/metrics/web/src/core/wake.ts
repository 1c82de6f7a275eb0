import type { Reading } from "./clock.ts";

/** Timers of a page that is awake and seen are never this late. */
const GAP_MS = 5_000;

/**
 * Notices that the machine slept or the page was frozen: the time between two looks is far longer than it should be, on
 * the steady clock or, as that one stands still in some machines' sleep, on the wall's.
 */
export class Sleep {
  private last: Reading | null = null;

  /** Called at every tick; whether the page has just woken. */
  woke(reading: Reading): boolean {
    const last = this.last;
    this.last = reading;
    if (last === null) return false;
    return Math.max(reading.steady - last.steady, reading.wall - last.wall) >= GAP_MS;
  }
}
