import { compare, PIPELINE, type Item } from "./card.ts";

/** A stretch of time, epoch ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Placed {
  readonly item: Item;
  /** The lane within its row: items that would cover each other lie in different ones. */
  readonly lane: number;
}

export interface Row {
  readonly festival: string;
  /** Empty in the row of decoys, which belong to no rule. */
  readonly rule: string;
  readonly lanes: number;
  readonly placed: readonly Placed[];
}

export interface Group {
  readonly festival: string;
  readonly rows: readonly Row[];
}

/** A decoy's row, behind the rules. */
const NO_RULE = "";

/**
 * The rows of a scorecard: by festival, the pipeline's first, and by rule. `apart` is the time that two items of a lane
 * keep between them, so that a mark of some width covers no other.
 */
export function groupsOf(items: readonly Item[], apart: number): readonly Group[] {
  const byFestival = new Map<string, Map<string, Item[]>>();
  for (const item of items) {
    const rules = getOr(byFestival, item.festival, () => new Map<string, Item[]>());
    getOr(rules, item.mark === "decoy" ? NO_RULE : item.rule, () => []).push(item);
  }
  return [...byFestival]
    .sort(([a], [b]) => Number(b === PIPELINE) - Number(a === PIPELINE) || a.localeCompare(b, "en", { numeric: true }))
    .map(([festival, rules]) => ({
      festival,
      rows: [...rules]
        .sort(([a], [b]) => Number(a === NO_RULE) - Number(b === NO_RULE) || compare(a, b))
        .map(([rule, own]) => ({ festival, rule, ...inLanes(own, apart) })),
    }));
}

/** Each item in the first lane that is free when it begins. */
function inLanes(items: readonly Item[], apart: number): Pick<Row, "lanes" | "placed"> {
  const free: number[] = [];
  const placed = [...items]
    .sort((a, b) => a.from - b.from)
    .map((item) => {
      const found = free.findIndex((until) => until <= item.from);
      const lane = found < 0 ? free.length : found;
      free[lane] = Math.max(item.to, item.told ?? item.to) + apart;
      return { item, lane };
    });
  return { lanes: Math.max(1, free.length), placed };
}

/** The window that shows every item, with a little room; `least` ms at the least. */
export function wholeOf(items: readonly Item[], least: number): Window {
  const from = Math.min(...items.map((item) => item.from));
  const to = Math.max(...items.map((item) => Math.max(item.to, item.told ?? item.to)));
  if (!Number.isFinite(from) || !Number.isFinite(to)) return { from: 0, to: least };
  const room = Math.max(0.02 * (to - from), (least - (to - from)) / 2);
  return { from: from - room, to: to + room };
}

export const NARROWEST_MS = 60_000;

/** `factor` above 1 comes closer, around `at`, and never goes beyond `whole`. */
export function zoomed(window: Window, whole: Window, factor: number, at: number): Window {
  const length = Math.min(whole.to - whole.from, Math.max(NARROWEST_MS, (window.to - window.from) / factor));
  const share = (at - window.from) / (window.to - window.from);
  return within({ from: at - share * length, to: at + (1 - share) * length }, whole);
}

/** Moved by a share of its own length. */
export function moved(window: Window, whole: Window, share: number): Window {
  const by = share * (window.to - window.from);
  return within({ from: window.from + by, to: window.to + by }, whole);
}

/** Moved so that `at` is in it; as it is where it is already. */
export function showing(window: Window, whole: Window, at: number): Window {
  if (at >= window.from && at <= window.to) return window;
  const half = (window.to - window.from) / 2;
  return within({ from: at - half, to: at + half }, whole);
}

function within(window: Window, whole: Window): Window {
  const length = Math.min(window.to - window.from, whole.to - whole.from);
  const from = Math.min(Math.max(window.from, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** Where a key leads from an item: along time, or to the item nearest in time of another row. Null where nowhere. */
export function stepped(groups: readonly Group[], current: string | null, key: string): string | null {
  const rows = groups.flatMap((group) => group.rows);
  const row = rows.findIndex(({ placed }) => placed.some(({ item }) => item.id === current));
  const first = rows[0]?.placed[0]?.item.id ?? null;
  if (row < 0) return first;
  const own = rows[row]?.placed ?? [];
  const place = own.findIndex(({ item }) => item.id === current);
  const here = own[place]?.item;
  if (here === undefined) return first;
  if (key === "ArrowRight") return own[place + 1]?.item.id ?? null;
  if (key === "ArrowLeft") return own[place - 1]?.item.id ?? null;
  const other = rows[row + (key === "ArrowDown" ? 1 : -1)]?.placed ?? [];
  const nearest = [...other].sort((a, b) => Math.abs(a.item.from - here.from) - Math.abs(b.item.from - here.from))[0];
  return nearest?.item.id ?? null;
}

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
