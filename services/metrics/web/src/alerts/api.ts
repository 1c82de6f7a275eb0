import { failureOf, type Outcome } from "./outcome.ts";
import type { AlertDetail, NewSilence, Silence } from "./model.ts";

const TIMEOUT_MS = 10_000;

/** The alerts service behind the page's own address. Nothing is repeated here: whoever asks decides on that. */
export interface AlertsApi {
  detail(id: string): Promise<Outcome<AlertDetail>>;
  acknowledge(id: string, by: string, note: string): Promise<Outcome<AlertDetail>>;
  silences(): Promise<Outcome<readonly Silence[]>>;
  silence(body: NewSilence): Promise<Outcome<Silence>>;
  endSilence(id: string, by: string): Promise<Outcome<Silence>>;
}

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Outcome<Answer>> {
  let response: Response;
  try {
    response = await fetch(`api/v1/${path}`, {
      ...init,
      headers: { Accept: "application/json", ...init.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return { ok: false, failure: { why: "noAnswer" } };
  }
  try {
    const body = (await response.json()) as unknown;
    return response.ok ? { ok: true, answer: body as Answer } : { ok: false, failure: failureOf(response.status, body) };
  } catch (error) {
    if (!response.ok) return { ok: false, failure: failureOf(response.status, null) };
    // A page in place of an answer: what stands in front of the services does not know the path.
    return { ok: false, failure: { why: error instanceof SyntaxError ? "noService" : "noAnswer" } };
  }
}

function post(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export const HTTP_API: AlertsApi = {
  detail: (id) => ask(`alerts/${encodeURIComponent(id)}`),
  acknowledge: (id, by, note) => ask(`alerts/${encodeURIComponent(id)}/ack`, post({ by, note })),
  async silences() {
    const outcome = await ask<{ readonly rows?: readonly Silence[] }>("silences");
    return outcome.ok ? { ok: true, answer: outcome.answer.rows ?? [] } : outcome;
  },
  silence: (body) => ask("silences", post(body)),
  endSilence: (id, by) => ask(`silences/${encodeURIComponent(id)}?${new URLSearchParams({ by })}`, { method: "DELETE" }),
};
