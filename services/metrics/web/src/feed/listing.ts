import { fetchCampaigns, fetchCatalogue } from "./campaigns.ts";
import type { Campaign, CatalogueRow } from "./types.ts";

const LIST_EVERY_MS = 30_000;
const LIST_WHILE_EMPTY_MS = 2_000;
const CATALOGUE_RETRY_MS = 5_000;

/** What can be looked at, and what the metrics mean: asked again for as long as the page is open. */
export class Listing {
  private known: readonly Campaign[] | null = null;
  private defined: ReadonlyMap<string, CatalogueRow> = new Map();

  constructor(private readonly changed: () => void) {}

  /** Every campaign; null until the server has answered once. */
  get campaigns(): readonly Campaign[] | null {
    return this.known;
  }

  /** The catalogue by metric; empty until the server has answered. */
  get catalogue(): ReadonlyMap<string, CatalogueRow> {
    return this.defined;
  }

  start(): void {
    void this.keepCampaigns();
    void this.loadCatalogue();
  }

  private async keepCampaigns(): Promise<never> {
    for (;;) {
      let wait = LIST_EVERY_MS;
      try {
        this.known = await fetchCampaigns();
        if (this.known.length === 0) wait = LIST_WHILE_EMPTY_MS;
      } catch {
        // The stream's own state tells the screen; the list is asked for again.
        wait = LIST_WHILE_EMPTY_MS;
      }
      this.changed();
      await sleep(wait * (0.75 + Math.random() / 2));
    }
  }

  private async loadCatalogue(): Promise<void> {
    while (this.defined.size === 0) {
      try {
        this.defined = new Map((await fetchCatalogue()).map((row) => [row.name, row]));
        this.changed();
        return;
      } catch {
        await sleep(CATALOGUE_RETRY_MS * (0.75 + Math.random() / 2));
      }
    }
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, milliseconds));
}
