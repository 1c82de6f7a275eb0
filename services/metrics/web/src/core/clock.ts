/** One reading of the machine the page runs on: wall clock and a clock that never steps, both in ms. */
export interface Reading {
  readonly wall: number;
  readonly steady: number;
}

interface Arrival {
  readonly reading: Reading;
  readonly asOf: number;
  readonly difference: number;
}

const WINDOW_MS = 60_000;

/**
 * The server's clock as seen from here. The difference between `as_of` and the local arrival is skew plus
 * delay; the smallest delay of the last minute is taken for the skew, so that a wrong local clock makes no
 * number look old, and a late snapshot does.
 */
export class ServerClock {
  private arrivals: Arrival[] = [];

  /** Notes that a snapshot of server time `asOf` (epoch ms) arrived at `reading`. */
  observe(asOf: number, reading: Reading): void {
    const last = this.arrivals.at(-1);
    // The same moment again is nothing new: the time since the last new snapshot must go on.
    if (last?.asOf === asOf) return;
    if (last !== undefined) {
      const wall = reading.wall - last.reading.wall;
      const steady = reading.steady - last.reading.steady;
      // A clock was set on either side, or this machine slept: earlier differences say nothing any more.
      if (Math.abs(wall - steady) > 500 || asOf < last.asOf) this.arrivals = [];
    }
    this.arrivals.push({ reading, asOf, difference: asOf - reading.wall });
    this.arrivals = this.arrivals.filter((arrival) => reading.steady - arrival.reading.steady <= WINDOW_MS);
  }

  /** The server's time now, epoch ms; the local one before the first snapshot. */
  now(reading: Reading): number {
    const last = this.arrivals.at(-1);
    if (last === undefined) return reading.wall;
    return last.reading.wall + this.skew() + this.since(last, reading);
  }

  /** Age of the newest snapshot on the server's clock, ms; null before the first. */
  age(reading: Reading): number | null {
    const last = this.arrivals.at(-1);
    if (last === undefined) return null;
    return Math.max(0, this.now(reading) - last.asOf);
  }

  /** How long ago the last new snapshot arrived, ms; null before the first. */
  silence(reading: Reading): number | null {
    const last = this.arrivals.at(-1);
    return last === undefined ? null : this.since(last, reading);
  }

  /** Server time less local wall time, ms. */
  skew(): number {
    return this.arrivals.reduce((best, arrival) => Math.max(best, arrival.difference), -Infinity);
  }

  // A steady clock may stand still while the machine sleeps and a wall clock may be set: the longer counts.
  private since(last: Arrival, reading: Reading): number {
    return Math.max(reading.steady - last.reading.steady, reading.wall - last.reading.wall, 0);
  }
}
