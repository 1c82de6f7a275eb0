import { epoch, momentOf } from "../core/time.ts";
import type { Campaign, CatalogueRow } from "./types.ts";

const TIMEOUT_MS = 10_000;

/** The campaign that a screen shows when nobody chose: the running one that began last, else the one that began last. */
export function chooseCampaign(campaigns: readonly Campaign[], now: number): Campaign | null {
  const latestFirst = [...campaigns].sort((a, b) => (epoch(b.start) ?? 0) - (epoch(a.start) ?? 0));
  return latestFirst.find((campaign) => momentOf(campaign, now) === "running") ?? latestFirst[0] ?? null;
}

function rowsOf<Row>(answer: unknown): readonly Row[] {
  if (Array.isArray(answer)) return answer as readonly Row[];
  const rows = (answer as { rows?: unknown } | null)?.rows;
  return Array.isArray(rows) ? (rows as readonly Row[]) : [];
}

async function getRows<Row>(path: string): Promise<readonly Row[]> {
  const response = await fetch(path, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return rowsOf<Row>(await response.json());
}

/** Every campaign the server knows. Throws when it does not answer. */
export function fetchCampaigns(): Promise<readonly Campaign[]> {
  return getRows<Campaign>("api/v1/campaigns");
}

/** The metric catalogue: one set of definitions for everyone. Throws when the server does not answer. */
export function fetchCatalogue(): Promise<readonly CatalogueRow[]> {
  return getRows<CatalogueRow>("api/v1/metrics");
}
