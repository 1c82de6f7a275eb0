import type { AlertsApi } from "./api.ts";
import type { FeedAlert, NewSilence, Silence } from "./model.ts";
import type { Failure, Outcome } from "./outcome.ts";
import { isThere } from "./silence.ts";

/** What somebody does about an alert. `sent`: the server has taken it, and the stream has not told so yet. */
export interface Act {
  readonly phase: "sending" | "sent" | "failed";
  readonly failure: Failure | null;
  readonly since: number;
}

/** So long the stream is waited for; then the feed shows again what it knows. */
const SENT_MS = 15_000;

type Deed = "acknowledge" | "silence" | "end";

/**
 * What is being done, at most one request for each deed and thing: a second press while the first is on its way does
 * nothing. `clock` counts milliseconds and never steps back.
 */
export class Acting {
  private readonly acts = new Map<string, Act>();

  constructor(
    private readonly api: AlertsApi,
    private readonly changed: () => void,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  of(deed: Deed, id: string): Act | null {
    return this.acts.get(`${deed} ${id}`) ?? null;
  }

  /** Acknowledging again changes nothing at the server, so that it may be repeated whatever became of the first. */
  acknowledge(id: string, by: string, note: string): Promise<boolean> {
    return this.run("acknowledge", id, () => this.api.acknowledge(id, by, note));
  }

  /** The same body again is the same silence: when the answer to the first was lost, it is looked for. */
  silence(id: string, body: NewSilence): Promise<boolean> {
    const again = this.of("silence", id)?.failure?.why === "noAnswer";
    return this.run("silence", id, async () => {
      if (again) {
        const known = await this.api.silences();
        if (!known.ok) return known;
        if (isThere(known.answer, body)) return { ok: true, answer: null };
      }
      return this.api.silence(body);
    });
  }

  /** One that has ended stays as it is, so that this may be repeated too. */
  end(silence: Silence, by: string): Promise<boolean> {
    return this.run("end", silence.id, () => this.api.endSilence(silence.id, by));
  }

  forget(deed: Deed, id: string): void {
    if (this.of(deed, id)?.phase === "failed") this.acts.delete(`${deed} ${id}`);
  }

  /** Drops what the feed shows by now, and failures of what nobody needs to repeat. */
  settle(alerts: readonly FeedAlert[]): void {
    const firing = new Set(alerts.filter(({ state }) => state === "firing").map(({ id }) => id));
    for (const [name, act] of this.acts) {
      if (act.phase === "sending") continue;
      const late = act.phase === "sent" && this.clock() - act.since > SENT_MS;
      const over = name.startsWith("acknowledge ") && !firing.has(name.slice("acknowledge ".length));
      // That it fires no more is what the refusal says: it stays until somebody has seen it.
      if (late || (over && act.failure?.why !== "notFiring")) this.acts.delete(name);
      else if (act.failure?.why === "notFiring" && this.clock() - act.since > SENT_MS) this.acts.delete(name);
    }
  }

  private async run(deed: Deed, id: string, ask: () => Promise<Outcome<unknown>>): Promise<boolean> {
    const name = `${deed} ${id}`;
    if (this.acts.get(name)?.phase === "sending") return false;
    this.put(name, "sending", null);
    const outcome = await ask();
    this.put(name, outcome.ok ? "sent" : "failed", outcome.ok ? null : outcome.failure);
    return outcome.ok;
  }

  private put(name: string, phase: Act["phase"], failure: Failure | null): void {
    this.acts.set(name, { phase, failure, since: this.clock() });
    this.changed();
  }
}
