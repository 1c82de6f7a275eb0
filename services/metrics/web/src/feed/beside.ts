import { sameElapsed, type Beside } from "../core/compare.ts";
import { asOfMoment } from "../core/moment.ts";
import type { Failure } from "../core/player.ts";
import { applySnapshot, EMPTY_BOARD, type Board } from "../core/state.ts";
import { wholeSecond } from "../core/timeline.ts";
import { fetchMoment, MomentError } from "./moment.ts";
import type { Campaign } from "./types.ts";

const EVERY_MS = 5_000;
/** A moment that stands still is asked again this often: what comes late changes it. */
const STILL_MS = 30_000;
const LAST_RETRY_MS = 30_000;

/** Two campaigns as long after their starts. */
export interface Pair {
  readonly ours: Board;
  readonly theirs: Board;
  /** The moment of ours, epoch ms. */
  readonly at: number;
  readonly beside: Beside;
}

/** What is to be compared; null while it is not known yet. */
export interface Question {
  readonly ours: Campaign;
  readonly theirs: Campaign;
  /** The moment of ours, epoch ms. */
  readonly at: number;
  /** The server's time, epoch ms. */
  readonly now: number;
  readonly filters: URLSearchParams;
}

/**
 * Asks for two campaigns at the same elapsed time, again every five seconds. Both are asked in the same way, so that both
 * are counted to the same second. To be closed by its owner.
 */
export class PairSource {
  private timer: number | undefined;
  private readonly onTheWay = new AbortController();
  private failures = 0;
  private shown: { at: number; since: number } | null = null;
  private latest: Pair | null = null;
  private fault: Failure | null = null;

  constructor(
    private readonly question: () => Question | null,
    private readonly changed: () => void,
  ) {
    void this.look();
  }

  get pair(): Pair | null {
    return this.latest;
  }

  get failure(): Failure | null {
    return this.fault;
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.onTheWay.abort();
  }

  private async look(): Promise<void> {
    let wait = 500;
    const question = document.hidden ? null : this.question();
    if (question !== null && this.due(question)) {
      wait = await this.ask(question);
      if (this.onTheWay.signal.aborted) return;
      this.changed();
    }
    this.timer = window.setTimeout(() => void this.look(), wait);
  }

  private due({ at }: Question): boolean {
    if (this.shown === null) return true;
    const age = performance.now() - this.shown.since;
    return age >= (wholeSecond(at) === this.shown.at ? STILL_MS : EVERY_MS);
  }

  /** How long to wait until the next look, ms. */
  private async ask(question: Question): Promise<number> {
    const { ours, theirs, now, filters } = question;
    const at = wholeSecond(question.at);
    const beside = sameElapsed(ours, theirs, at, now);
    if (beside === null) return 500;
    const since = performance.now();
    try {
      const [left, right] = await Promise.all([this.board(ours.id, at, filters), this.board(theirs.id, beside.at, filters)]);
      this.latest = { ours: left, theirs: right, at, beside };
      this.shown = { at, since };
      this.failures = 0;
      this.fault = null;
      return 500;
    } catch (error) {
      this.fault = error instanceof MomentError ? error.failure : { text: String(error), lasting: false };
      this.failures += 1;
      return Math.min(LAST_RETRY_MS, 1_000 * 2 ** this.failures) * (0.5 + Math.random() / 2);
    }
  }

  private async board(campaign: string, at: number, filters: URLSearchParams): Promise<Board> {
    return applySnapshot(EMPTY_BOARD, asOfMoment(await fetchMoment(campaign, at, filters, this.onTheWay.signal), at));
  }
}
