import type { MomentSnapshot } from "../core/moment.ts";
import type { Failure } from "../core/player.ts";

const TIMEOUT_MS = 10_000;

/** No snapshot of a moment could be had; `failure` says why, in the server's words where it gave any. */
export class MomentError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.text);
  }
}

/**
 * A campaign's snapshot of the moment `at` (epoch ms) under `filters`. Throws MomentError when there is none, and the
 * signal's own error when it was called off.
 */
export async function fetchMoment(
  campaign: string,
  at: number,
  filters: URLSearchParams,
  calledOff: AbortSignal,
): Promise<MomentSnapshot> {
  const query = new URLSearchParams(filters);
  query.set("at", new Date(at).toISOString());
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`api/v1/campaigns/${encodeURIComponent(campaign)}/snapshot?${query.toString()}`, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.any([calledOff, timeout]),
    });
    if (response.ok) return (await response.json()) as MomentSnapshot;
    throw new MomentError({ text: await problemText(response), lasting: isLasting(response.status) });
  } catch (error) {
    if (error instanceof MomentError || calledOff.aborted) throw error;
    throw new MomentError({ text: "", lasting: false });
  }
}

// 408 and 429 are a matter of time, as is all that is the server's own fault.
function isLasting(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

async function problemText(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: unknown; title?: unknown };
    const text = problem.detail ?? problem.title;
    return typeof text === "string" ? text : `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}
