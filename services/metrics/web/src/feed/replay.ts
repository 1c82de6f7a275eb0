import type { MomentSnapshot } from "../core/moment.ts";
import { Player, type Edge, type Failure, type Speed } from "../core/player.ts";
import { fetchMoment, MomentError } from "./moment.ts";

/** How often it is looked whether the next frame is due. */
const LOOK_MS = 50;

export interface ReplayHandlers {
  /** A frame is to be shown, of the moment `at`. */
  onFrame(at: number, snapshot: MomentSnapshot): void;
  /** Playing has reached now. */
  onNow(): void;
  /** Whether it plays, waits or fails has changed. */
  onState(): void;
  /** Where playing ends; asked anew each time, as now moves. */
  edge(): Edge;
}

/**
 * Moments of a campaign in place of its stream: the player decides what to ask and show, this asks and shows. It rests
 * while the page is hidden. To be closed by its owner.
 */
export class Replay {
  private readonly player: Player<MomentSnapshot>;
  private readonly timer: number;
  private onTheWay: AbortController | null = null;
  private filters: URLSearchParams;

  constructor(
    private readonly campaign: string,
    filters: URLSearchParams,
    at: number,
    private readonly handlers: ReplayHandlers,
  ) {
    this.filters = filters;
    this.player = new Player<MomentSnapshot>(at);
    this.timer = window.setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  get playing(): boolean {
    return this.player.playing;
  }

  get speed(): Speed {
    return this.player.speed;
  }

  /** The moment that is looked at; its frame may be on its way yet. */
  get at(): number {
    return this.player.at;
  }

  /** The moment of the frame that is shown. */
  get shown(): number | null {
    return this.player.shown;
  }

  get seeking(): boolean {
    return this.player.seeking;
  }

  get failure(): Failure | null {
    return this.player.failure;
  }

  close(): void {
    window.clearInterval(this.timer);
    this.onTheWay?.abort();
  }

  seek(at: number): void {
    this.player.seek(at);
    this.look();
  }

  play(): void {
    this.player.play();
    this.look();
  }

  pause(): void {
    this.player.pause();
    this.look();
  }

  setSpeed(speed: Speed): void {
    this.player.setSpeed(speed);
    this.look();
  }

  /** The same moment under other filters. */
  refilter(filters: URLSearchParams): void {
    if (filters.toString() === this.filters.toString()) return;
    this.filters = filters;
    this.player.reset();
    this.look();
  }

  private look(): void {
    if (document.hidden) return;
    const wasPlaying = this.player.playing;
    const step = this.player.step(performance.now(), this.handlers.edge());
    if (step.drop) this.onTheWay?.abort();
    if (step.ask !== null) void this.ask(step.ask);
    if (step.show !== null) this.handlers.onFrame(step.show.at, step.show.frame);
    if (step.live) this.handlers.onNow();
    else if (this.player.playing !== wasPlaying) this.handlers.onState();
  }

  private async ask(at: number): Promise<void> {
    const callOff = new AbortController();
    this.onTheWay = callOff;
    const failing = this.player.failure !== null;
    try {
      const snapshot = await fetchMoment(this.campaign, at, this.filters, callOff.signal);
      if (callOff.signal.aborted) return;
      const frame = this.player.answered(at, snapshot, performance.now());
      if (frame !== null) this.handlers.onFrame(frame.at, frame.frame);
      else if (failing) this.handlers.onState();
    } catch (error) {
      if (callOff.signal.aborted) return;
      const failure = error instanceof MomentError ? error.failure : { text: String(error), lasting: true };
      this.player.failed(at, failure, performance.now(), Math.random());
      this.handlers.onState();
    }
  }
}
