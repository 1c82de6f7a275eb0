import { loginAddress } from "../session.ts";

const TIMEOUT_MS = 5_000;

/**
 * Why the server refuses a stream, in its words; null when it does not refuse it, or says nothing. An EventSource
 * keeps the answer to itself, so the address is asked once more and left as soon as its answer begins.
 */
export async function whyRefused(path: string): Promise<string | null> {
  const leaving = new AbortController();
  const timer = window.setTimeout(() => leaving.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(path, { headers: { Accept: "application/json" }, signal: leaving.signal });
    if (response.status === 401) window.location.assign(loginAddress(window.location));
    if (response.ok || (response.status >= 500 && response.status !== 503)) return null;
    const problem = (await response.json()) as { readonly detail?: string; readonly title?: string };
    return problem.detail ?? problem.title ?? null;
  } catch {
    return null;
  } finally {
    window.clearTimeout(timer);
    leaving.abort();
  }
}
