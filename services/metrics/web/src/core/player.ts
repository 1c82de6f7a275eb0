import { wholeSecond } from "./timeline.ts";

export const SPEEDS = [1, 10, 60, 300] as const;
export type Speed = (typeof SPEEDS)[number];

/** The picture changes this often while it plays, and more slowly when answers take longer. */
export const RHYTHM_MS = 1_000;
const SLOWEST_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;

/** Where playing ends: at now, which moves and leads into the live picture, or at the end of a campaign. */
export interface Edge {
  readonly at: number;
  readonly live: boolean;
}

/** Why a moment could not be had. `lasting`: asking for it again would bring the same answer. */
export interface Failure {
  readonly text: string;
  readonly lasting: boolean;
}

/** What is to be done now. `drop`: what is on the way is no longer wanted. */
export interface Step<Frame> {
  readonly drop: boolean;
  readonly ask: number | null;
  readonly show: { readonly at: number; readonly frame: Frame } | null;
  readonly live: boolean;
}

interface Asked {
  readonly at: number;
  readonly byHand: boolean;
  readonly since: number;
  readonly intervalMs: number;
}

interface Ahead<Frame> {
  readonly at: number;
  readonly frame: Frame;
  readonly intervalMs: number;
}

/**
 * The replay of a campaign, frame by frame: it decides which moment to ask for and when to show the answer. Only one
 * question is on the way at a time. While one frame is shown the next is asked for, and is shown when its turn comes, so
 * that the picture moves evenly; how far apart frames are follows from the speed and from how long answers take, so that
 * 60x stays 60x on a slow server. The clock of the replay is the moment of the frame that is shown: while no answer comes
 * it stands still.
 *
 * Time comes in as `steady`, ms of any clock that never steps.
 */
export class Player<Frame> {
  private wanted: number | null;
  private shownAt: number | null = null;
  private shownSince = 0;
  private runs = false;
  private rate: Speed = 60;
  private asked: Asked | null = null;
  private ahead: Ahead<Frame> | null = null;
  private unwanted = false;
  private latency = 0;
  private failures = 0;
  private retryAt = -Infinity;
  private fault: Failure | null = null;

  /** Paused at `at`, epoch ms. */
  constructor(at: number) {
    this.wanted = wholeSecond(at);
  }

  get playing(): boolean {
    return this.runs;
  }

  get speed(): Speed {
    return this.rate;
  }

  /** The moment of the frame that is shown; null before the first. */
  get shown(): number | null {
    return this.shownAt;
  }

  /** The moment that is looked at: the one asked for by hand, else the one that is shown. */
  get at(): number {
    return this.wanted ?? this.shownAt ?? 0;
  }

  /** Whether a moment asked for by hand is not shown yet. */
  get seeking(): boolean {
    return this.wanted !== null;
  }

  /** Why no answer came to the last question; null when one came. */
  get failure(): Failure | null {
    return this.fault;
  }

  /** Goes to a moment. What was asked ahead is no longer wanted; what the hand asked for before may still be shown. */
  seek(at: number): void {
    const moment = wholeSecond(at);
    this.forgetAhead();
    this.wanted = moment === this.shownAt && this.asked === null ? null : moment;
    this.failures = 0;
    this.retryAt = -Infinity;
    this.fault = null;
  }

  play(): void {
    this.runs = true;
    if (this.fault?.lasting === true) this.retryAt = -Infinity;
  }

  pause(): void {
    this.runs = false;
    this.forgetAhead();
  }

  setSpeed(speed: Speed): void {
    if (speed === this.rate) return;
    this.rate = speed;
    this.forgetAhead();
  }

  /** All that is known is of another question, as when the filters change: the moment is asked for anew. */
  reset(): void {
    this.seek(this.at);
    this.wanted = this.at;
    this.shownAt = null;
    this.unwanted ||= this.asked !== null;
    this.asked = null;
  }

  /** What is to be done at `steady`. A step that asks is to be followed by `answered` or `failed`. */
  step(steady: number, edge: Edge): Step<Frame> {
    const drop = this.unwanted;
    this.unwanted = false;
    const show = this.due(steady);
    const ended = this.runs && this.wanted === null && this.shownAt !== null && this.shownAt >= edge.at;
    if (ended && !edge.live) this.runs = false;
    const live = this.reachesNow(steady, edge);
    return { drop, show, live, ask: live ? null : this.question(steady, edge) };
  }

  /** An answer came; the frame to be shown at once, or null when it is kept for its turn or no longer wanted. */
  answered(at: number, frame: Frame, steady: number): { readonly at: number; readonly frame: Frame } | null {
    const asked = this.asked;
    if (asked === null || asked.at !== at) return null;
    this.asked = null;
    this.failures = 0;
    this.fault = null;
    const took = steady - asked.since;
    this.latency = this.latency === 0 ? took : 0.7 * this.latency + 0.3 * took;
    if (!asked.byHand) {
      this.ahead = { at, frame, intervalMs: asked.intervalMs };
      return null;
    }
    if (this.wanted === at) this.wanted = null;
    this.shownAt = at;
    this.shownSince = steady;
    return { at, frame };
  }

  /** No answer came. `chance`, 0 to 1, spreads the retries of many screens. */
  failed(at: number, failure: Failure, steady: number, chance: number): void {
    if (this.asked?.at !== at) return;
    this.asked = null;
    this.fault = failure;
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    this.retryAt = failure.lasting ? Infinity : steady + ceiling * (0.5 + chance / 2);
    if (failure.lasting) this.runs = false;
  }

  private due(steady: number): { readonly at: number; readonly frame: Frame } | null {
    const next = this.ahead;
    if (next === null || !this.runs) return null;
    const turn = this.shownSince + next.intervalMs;
    if (steady < turn) return null;
    this.ahead = null;
    this.shownAt = next.at;
    // An even beat while answers are in time; after a wait the beat begins anew, and nothing is caught up on.
    this.shownSince = steady - turn < RHYTHM_MS / 4 ? turn : steady;
    return next;
  }

  private reachesNow(steady: number, edge: Edge): boolean {
    if (!edge.live || !this.runs || this.wanted !== null || this.ahead !== null || this.asked !== null) return false;
    const next = this.next();
    return next !== null && next >= edge.at && steady >= this.shownSince + RHYTHM_MS;
  }

  private question(steady: number, edge: Edge): number | null {
    if (this.asked !== null || steady < this.retryAt) return null;
    if (this.wanted !== null) return this.ask(this.wanted, true, steady);
    const next = this.next();
    if (!this.runs || this.ahead !== null || next === null) return null;
    if (next < edge.at) return this.ask(next, false, steady);
    // The end of a campaign is a moment like any other; now is not, as the live picture takes over there.
    if (edge.live || this.at >= edge.at) return null;
    return this.ask(edge.at, false, steady);
  }

  /** How long a frame stands: longer than the beat when answers take longer. */
  private get intervalMs(): number {
    return Math.min(SLOWEST_MS, Math.max(RHYTHM_MS, 1.15 * this.latency + 50));
  }

  /** The moment of the frame after the one that is shown. */
  private next(): number | null {
    return this.shownAt === null ? null : wholeSecond(this.shownAt + this.rate * this.intervalMs);
  }

  private ask(at: number, byHand: boolean, since: number): number {
    this.asked = { at, byHand, since, intervalMs: this.intervalMs };
    return at;
  }

  private forgetAhead(): void {
    this.ahead = null;
    if (this.asked === null || this.asked.byHand) return;
    this.asked = null;
    this.unwanted = true;
  }
}
