import { figures } from "./core/figures.ts";
import { currencySign } from "./core/format.ts";
import { watermarkLag } from "./core/freshness.ts";
import { filterQuery, type Lens } from "./core/lens.ts";
import { asOfMoment } from "./core/moment.ts";
import type { Edge, Failure, Speed } from "./core/player.ts";
import { applySnapshot, EMPTY_BOARD, type Board } from "./core/state.ts";
import { epoch, knownZone } from "./core/time.ts";
import { SECOND_MS, trackOf, wholeSecond } from "./core/timeline.ts";
import { Replay } from "./feed/replay.ts";
import type { Campaign } from "./feed/types.ts";
import type { View } from "./ui/panel.ts";

/** How the screen stands to a moment in the past. */
export interface Replaying {
  /** The moment that is looked at, epoch ms. */
  readonly at: number;
  /** The moment of the numbers on the screen; null while there are none yet. */
  readonly shown: number | null;
  readonly playing: boolean;
  readonly speed: Speed;
  /** `at` was asked for by hand and is not shown yet. */
  readonly seeking: boolean;
  readonly failure: Failure | null;
}

export interface PastHandlers {
  /** The picture has moved on to `at` by itself; null is the live one. */
  moved(at: number | null): void;
  /** Something is to be drawn anew. */
  changed(): void;
  /** The server's time, epoch ms. */
  now(): number;
  /** The campaign as the live picture knows it; null before that does. */
  campaign(): Campaign | null;
}

/** The moment that the lens looks at, in the place of the live picture. Without such a moment it does nothing. */
export class Past {
  private replay: Replay | null = null;
  private campaign: string | null = null;
  private query = "";
  private frame: Board | null = null;
  private rate: Speed = 60;

  constructor(private readonly handlers: PastHandlers) {}

  /** The board of the moment that is shown; null while there is none. */
  get board(): Board | null {
    return this.frame;
  }

  get speed(): Speed {
    return this.rate;
  }

  get state(): Replaying | null {
    const { replay } = this;
    if (replay === null) return null;
    const { at, shown, playing, seeking, failure } = replay;
    return { at, shown: this.frame === null ? null : shown, playing, speed: this.rate, seeking, failure };
  }

  /** Takes up what the lens looks at in `campaign`. A new moment is paused; playing goes on over a jump. */
  follow(campaign: string | null, lens: Lens): void {
    if (campaign === null || lens.at === null || campaign !== this.campaign) this.end();
    if (campaign === null || lens.at === null) return;
    const filters = filterQuery(lens.filters);
    if (this.replay === null) {
      this.campaign = campaign;
      this.query = filters.toString();
      this.replay = this.begin(campaign, filters, lens.at);
      return;
    }
    if (filters.toString() !== this.query) {
      this.query = filters.toString();
      this.frame = null;
      this.replay.refilter(filters);
    }
    if (lens.at !== this.replay.at) this.replay.seek(lens.at);
  }

  /** Holds the live picture where it is; plays or pauses a replay. */
  playOrHold(): void {
    const { replay } = this;
    const edge = this.edge();
    if (replay === null) return this.handlers.moved(Math.min(wholeSecond(this.handlers.now()), edge.at));
    if (replay.playing) replay.pause();
    else {
      // At the end of a campaign that is over there is nothing more to play: it begins anew.
      const start = epoch(this.handlers.campaign()?.start);
      if (!edge.live && replay.at >= edge.at && start !== null) this.handlers.moved(Math.ceil(start / SECOND_MS) * SECOND_MS);
      replay.play();
    }
    this.handlers.changed();
  }

  setSpeed(speed: Speed): void {
    this.rate = speed;
    this.replay?.setSpeed(speed);
    this.handlers.changed();
  }

  /** What is seen: the live picture, or the moment in its place. */
  seen(live: View): View {
    const replay = this.state;
    if (replay === null) return live;
    const board = this.frame ?? { ...EMPTY_BOARD, campaign: live.board.campaign };
    const asOf = epoch(board.overview?.as_of);
    const sign = currencySign(board.campaign?.currency);
    return {
      ...live,
      board,
      replay,
      now: replay.shown ?? replay.at,
      ageMs: 0,
      lagMs: asOf === null ? null : watermarkLag(asOf, epoch(board.overview?.watermark), epoch(board.campaign?.end)),
      freshness: "replay",
      fmt: figures(live.locale, sign, live.lens.hidden),
      sign,
      zone: knownZone(board.campaign?.timezone),
    };
  }

  /** Where playing ends. */
  private edge(): Edge {
    const now = this.handlers.now();
    const campaign = this.handlers.campaign() ?? this.frame?.campaign;
    const track = campaign ? trackOf(campaign, now) : null;
    return { at: track?.to ?? wholeSecond(now), live: track?.open ?? true };
  }

  private begin(campaign: string, filters: URLSearchParams, at: number): Replay {
    const replay = new Replay(campaign, filters, at, {
      onFrame: (moment, snapshot) => {
        this.frame = applySnapshot(EMPTY_BOARD, asOfMoment(snapshot, moment));
        // A hand that has moved on meanwhile is not taken back.
        if (replay.seeking) this.handlers.changed();
        else this.handlers.moved(moment);
      },
      onNow: () => this.handlers.moved(null),
      onState: () => this.handlers.changed(),
      edge: () => this.edge(),
    });
    replay.setSpeed(this.rate);
    return replay;
  }

  private end(): void {
    this.replay?.close();
    this.replay = null;
    this.campaign = null;
    this.frame = null;
  }
}
