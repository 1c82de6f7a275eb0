import type { Alert, Snapshot } from "./types.ts";

export interface StreamHandlers {
  onSnapshot(snapshot: Snapshot): void;
  onAlert(alert: Alert): void;
  /** The connection came up or went down; called on changes only. */
  onConnection(up: boolean): void;
  /** The server answered, and not with a stream; it is asked again all the same. */
  onRefusal(): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;
/** A connection that says nothing for this long is taken for dead, whatever the socket says. */
const SILENCE_MS = 8_000;

/**
 * One campaign's event stream that is always being brought back. EventSource reconnects by itself after a
 * broken connection, but gives up for good on an answer that is no stream (a proxy's 502 during a restart)
 * and waits for ever on a half-open one; both are handled here, with backoff and jitter. It retries until
 * `close`, since a wall screen has nobody to reload it.
 */
export class CampaignStream {
  private source: EventSource | null = null;
  private retryTimer: number | undefined;
  private silenceTimer: number | undefined;
  private failures = 0;
  private up = false;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly handlers: StreamHandlers,
  ) {
    this.open();
  }

  close(): void {
    this.closed = true;
    this.drop();
    window.clearTimeout(this.retryTimer);
  }

  /**
   * Reconnects at once when it is down: on coming back into view. `surely` also when it looks up, as after a sleep, from
   * which a connection wakes that is dead and does not know it.
   */
  revive(surely = false): void {
    if (this.closed || (this.up && !surely)) return;
    this.failures = 0;
    this.open();
  }

  private open(): void {
    this.drop();
    window.clearTimeout(this.retryTimer);
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("open", () => this.listen());
    source.addEventListener("error", () => this.onError(source));
    source.addEventListener("snapshot", (event) => {
      this.setUp(true);
      this.failures = 0;
      this.listen();
      const snapshot = parse<Snapshot>(event);
      if (snapshot !== null) this.handlers.onSnapshot(snapshot);
    });
    source.addEventListener("alert", (event) => {
      const alert = parse<Alert>(event);
      if (alert !== null) this.handlers.onAlert(alert);
    });
    this.listen();
  }

  private onError(source: EventSource): void {
    if (source !== this.source) return;
    this.setUp(false);
    // Closed, not connecting: there was an answer, and it was no stream.
    if (source.readyState === EventSource.CLOSED) this.handlers.onRefusal();
    // The browser's own reconnect waits seconds; ours is quicker at first and slower in the end.
    this.retry();
  }

  private retry(): void {
    this.drop();
    if (this.closed) return;
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    window.clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(() => this.open(), ceiling * (0.5 + Math.random() / 2));
  }

  private listen(): void {
    window.clearTimeout(this.silenceTimer);
    this.silenceTimer = window.setTimeout(() => {
      this.setUp(false);
      this.retry();
    }, SILENCE_MS);
  }

  private setUp(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    this.handlers.onConnection(up);
  }

  private drop(): void {
    window.clearTimeout(this.silenceTimer);
    this.source?.close();
    this.source = null;
  }
}

function parse<Message>(event: MessageEvent): Message | null {
  try {
    return JSON.parse(String(event.data)) as Message;
  } catch {
    // Half a message from a dying server: the next one tells.
    return null;
  }
}
