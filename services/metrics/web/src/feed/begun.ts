import type { Alert } from "./types.ts";

const EVERY_MS = 60_000;
const TIMEOUT_MS = 10_000;
const MOST = 500;

/**
 * Alerts of a campaign as far back as they are recorded, for the marks of the time bar: the stream tells the latest only.
 * Where nothing answers, there are none here, and those of the stream remain.
 */
export class BegunAlerts {
  private rows: readonly Alert[] = [];
  private campaign: string | null = null;
  private timer: number | undefined;

  constructor(private readonly changed: () => void) {}

  /** These and `latest`, which win where both tell of one alert. */
  with(latest: readonly Alert[]): readonly Alert[] {
    const known = new Set(latest.map(({ id }) => id));
    return [...latest, ...this.rows.filter(({ id }) => !known.has(id))];
  }

  /** Asks for those of `campaign`, now and every minute. */
  follow(campaign: string): void {
    if (campaign === this.campaign) return;
    this.campaign = campaign;
    this.rows = [];
    window.clearTimeout(this.timer);
    void this.keepAsking(campaign);
  }

  private async keepAsking(campaign: string): Promise<void> {
    if (!document.hidden) {
      const rows = await recorded(campaign);
      if (campaign !== this.campaign) return;
      if (rows !== null) {
        this.rows = rows;
        this.changed();
      }
    }
    this.timer = window.setTimeout(() => void this.keepAsking(campaign), EVERY_MS * (0.75 + Math.random() / 2));
  }
}

/** Null where there is no answer. */
async function recorded(campaign: string): Promise<readonly Alert[] | null> {
  const query = new URLSearchParams({ campaign_id: campaign, limit: String(MOST) });
  try {
    const response = await fetch(`api/v1/alerts?${query.toString()}`, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) return null;
    const { rows } = (await response.json()) as { readonly rows?: readonly Alert[] };
    return (rows ?? []).filter(({ state }) => state !== "pending");
  } catch {
    return null;
  }
}
