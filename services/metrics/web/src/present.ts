import type { ServerClock } from "./core/clock.ts";
import { filterQuery, type Filters } from "./core/lens.ts";
import { applyAlert, applySnapshot, EMPTY_BOARD, type Board } from "./core/state.ts";
import { epoch } from "./core/time.ts";
import { whyRefused } from "./feed/refusal.ts";
import { CampaignStream } from "./feed/stream.ts";
import { readClocks } from "./ui/clocks.ts";

/** The live picture: one campaign's stream through its filters, and the board that is made of it. */
export class Present {
  private stream: CampaignStream | null = null;
  private shown: string | null = null;
  private current: Board = EMPTY_BOARD;
  private down: number | null = null;
  private why: string | null = null;

  /** `clock` is told the server's time by each snapshot; `changed` is called after every change. */
  constructor(
    private readonly clock: ServerClock,
    private readonly changed: () => void,
  ) {}

  get campaign(): string | null {
    return this.shown;
  }

  get board(): Board {
    return this.current;
  }

  /** Since when there is no connection, on the steady clock; null while there is one. */
  get downSince(): number | null {
    return this.down;
  }

  /** Why the server does not send what is asked for, in its words. */
  get refused(): string | null {
    return this.why;
  }

  /** Begins to follow a campaign; nothing that was of another view stays on the screen. */
  ask(campaign: string, filters: Filters): void {
    // Which campaign it is stays on the screen; no number does.
    const same = campaign === this.shown ? this.current.campaign : null;
    this.shown = campaign;
    this.current = { ...EMPTY_BOARD, campaign: same };
    this.down = null;
    this.why = null;
    this.stream?.close();
    const query = filterQuery(filters).toString();
    const path = `api/v1/campaigns/${encodeURIComponent(campaign)}/stream${query === "" ? "" : `?${query}`}`;
    this.stream = new CampaignStream(path, {
      onSnapshot: (snapshot) => {
        this.current = applySnapshot(this.current, snapshot);
        // Through filters the overview may be some seconds older than the snapshot: that is no silence.
        const asOf = epoch(snapshot.as_of ?? snapshot.overview?.as_of);
        if (asOf !== null) this.clock.observe(asOf, readClocks());
        this.changed();
      },
      onAlert: (alert) => {
        this.current = applyAlert(this.current, alert);
        this.changed();
      },
      onRefusal: () => void this.learnWhy(path),
      onConnection: (up) => {
        this.down = up ? null : (this.down ?? performance.now());
      },
    });
    this.changed();
  }

  /** Reconnects at once where the connection is down or, `surely`, may be so unnoticed. */
  revive(surely = false): void {
    this.stream?.revive(surely);
  }

  private async learnWhy(path: string): Promise<void> {
    if (this.current.overview !== null) return;
    const asked = this.stream;
    const why = await whyRefused(path);
    if (asked !== this.stream || this.current.overview !== null) return;
    this.why = why;
    this.changed();
  }
}
