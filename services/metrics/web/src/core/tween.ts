import { compare, rescale, type Decimal } from "./decimal.ts";

/**
 * The number on the wall between two snapshots. It only ever moves upwards from a true value towards the
 * next true value, and stands on it when the time is up; a lower value (a correction, another campaign)
 * is shown at once.
 */
export class Tween {
  private from: Decimal | null = null;
  private to: Decimal | null = null;
  private startedAt = 0;

  constructor(private readonly durationMs: number) {}

  /** Sets the true value at `now` (milliseconds of any steady clock). */
  set(value: Decimal | null, now: number, instantly = false): void {
    const shown = this.at(now);
    this.from = value === null || shown === null || instantly || compare(value, shown) <= 0 ? value : shown;
    this.to = value;
    this.startedAt = now;
  }

  /** The value to show at `now`; null while none is known. */
  at(now: number): Decimal | null {
    if (this.from === null || this.to === null) return this.to;
    if (this.restsAt(now)) return this.to;
    const scale = Math.max(this.from.scale, this.to.scale);
    const from = rescale(this.from, scale).units;
    const distance = rescale(this.to, scale).units - from;
    const progress = Math.max(0, (now - this.startedAt) / this.durationMs);
    const eased = 1 - (1 - progress) ** 2;
    return { units: from + (distance * BigInt(Math.floor(eased * 1e6))) / 1_000_000n, scale };
  }

  /** Whether the true value is reached, so that no further frame is needed. */
  restsAt(now: number): boolean {
    if (this.from === null || this.to === null) return true;
    return now - this.startedAt >= this.durationMs || compare(this.from, this.to) === 0;
  }
}
