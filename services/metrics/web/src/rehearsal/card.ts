import type { AcceptedPage, FalsePage, FoundIncident, Injected, MissedIncident, RehearsalRow, Scorecard } from "../api/schema.ts";
import { epoch } from "../core/time.ts";

export type { RehearsalRow, Scorecard };

/** What became of an incident, or of a page. */
export type Mark = "found" | "missed" | "false" | "accepted" | "decoy";

/** In the order in which they need eyes. */
export const MARKS: readonly Mark[] = ["missed", "false", "found", "accepted", "decoy"];

/** Incidents of the pipeline belong to every festival. */
export const PIPELINE = "*";

/** One thing on the time line: a span that was injected, a page that was told, or both. */
export interface Item {
  readonly id: string;
  readonly mark: Mark;
  readonly festival: string;
  readonly rule: string;
  /** What was planted, e.g. `bots`; empty for a page that nothing was planted for. */
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** When people were told; null where they were not. */
  readonly told: number | null;
  readonly delaySeconds: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly severity: string;
  /** What else is known: why a page is false, what an accepted one follows from, what a decoy is. */
  readonly note: string;
  readonly during: readonly string[];
}

/** Every item of a scorecard, in the order of time. Times that cannot be read leave their item out. */
export function itemsOf(card: Scorecard): readonly Item[] {
  const found = card.found.map((one) => injected("found", one, one));
  const missed = card.missed.map((one) => injected("missed", one, null));
  const decoys = card.decoys.map((one) => injected("decoy", one, null));
  const wrong = card.false.map((page) => told("false", page, { why: page.why, during: page.during }));
  const accepted = card.accepted.map((page) => told("accepted", page, { of: page.consequence_of.type }));
  return [...found, ...missed, ...decoys, ...wrong, ...accepted]
    .filter((item): item is Unnumbered => item !== null)
    .sort((a, b) => a.from - b.from || a.to - b.to || compare(a.rule, b.rule) || compare(a.mark, b.mark))
    .map((item, number) => ({ ...item, id: String(number) }));
}

type Unnumbered = Omit<Item, "id">;

function injected(mark: Mark, truth: Injected | MissedIncident, found: FoundIncident | null): Unnumbered | null {
  const from = epoch(truth.starts_at);
  const to = epoch(truth.ends_at);
  if (from === null || to === null) return null;
  const decoy = truth.details["decoy"];
  return {
    mark,
    festival: truth.campaign_id,
    rule: truth.rule,
    kind: mark === "decoy" && typeof decoy === "string" ? decoy : truth.type,
    from,
    to: Math.max(from, to),
    told: found === null ? null : epoch(found.page.told_at),
    delaySeconds: found?.delay_seconds ?? null,
    labels: named(truth.labels),
    summary: found?.page.summary ?? "",
    severity: found?.page.severity ?? "",
    note: "note" in truth ? truth.note : "",
    during: [],
  };
}

function told(
  mark: Mark,
  page: FalsePage | AcceptedPage,
  more: { readonly why?: string; readonly during?: readonly string[]; readonly of?: string },
): Unnumbered | null {
  const at = epoch(page.told_at);
  if (at === null) return null;
  return {
    mark,
    festival: page.labels["campaign_id"] ?? PIPELINE,
    rule: page.rule,
    kind: more.of ?? "",
    from: at,
    to: at,
    told: at,
    delaySeconds: null,
    labels: named(page.labels),
    summary: page.summary,
    severity: page.severity,
    note: more.why ?? "",
    during: more.during ?? [],
  };
}

/** Labels that tell apart; the festival stands elsewhere. */
function named(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "campaign_id" && name !== "team"));
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const LISTS = ["found", "missed", "false", "accepted", "decoys"] as const;

/** A file's text as a scorecard. Throws with a short reason when it is none. */
export function parseCard(text: string): Scorecard {
  const card: unknown = JSON.parse(text);
  if (typeof card !== "object" || card === null) throw new Error("no object");
  for (const name of LISTS) {
    if (!Array.isArray((card as Record<string, unknown>)[name])) throw new Error(`no list “${name}”`);
  }
  for (const name of ["totals", "rules", "rehearsed"]) {
    const part = (card as Record<string, unknown>)[name];
    if (typeof part !== "object" || part === null) throw new Error(`no object “${name}”`);
  }
  return card as Scorecard;
}
