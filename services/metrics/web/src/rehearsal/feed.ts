import { loginAddress } from "../session.ts";
import type { RehearsalList } from "../api/schema.ts";
import { parseCard, type RehearsalRow, type Scorecard } from "./card.ts";

const TIMEOUT_MS = 10_000;
const ADDRESS = "api/v1/rehearsals";

/** What the server has, the newest first. Throws when it does not answer. */
export async function fetchCards(): Promise<readonly RehearsalRow[]> {
  return ((await ask(ADDRESS)) as RehearsalList).rows;
}

/** One scorecard. Throws with a reason when there is none, or it cannot be read. */
export async function fetchCard(name: string): Promise<Scorecard> {
  return parseCard(JSON.stringify(await ask(`${ADDRESS}/${encodeURIComponent(name)}`)));
}

async function ask(address: string): Promise<unknown> {
  const response = await fetch(address, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status === 401) window.location.assign(loginAddress(window.location));
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const detail = (answer as { detail?: unknown } | null)?.detail;
  throw new Error(typeof detail === "string" ? detail : String(response.status));
}
