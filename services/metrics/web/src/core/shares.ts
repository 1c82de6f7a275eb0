import { parseDecimal, ratio } from "./decimal.ts";
import type { ChannelRow, RegionRow, Value } from "../feed/types.ts";

export interface ChannelState {
  /** Spend over budget; null without a budget. */
  readonly spent: number | null;
  readonly overBudget: boolean;
  /** It costs more than it brings. */
  readonly losing: boolean;
}

/** What is wrong with a channel's money. */
export function channelState(row: ChannelRow, budget: Value | undefined): ChannelState {
  const spent = ratio(parseDecimal(row.ad_cost), parseDecimal(budget));
  const cost = parseDecimal(row.ad_cost);
  // Of a budget of nothing any spend is too much, and no share can be told.
  const unbudgeted = parseDecimal(budget)?.units === 0n && (cost?.units ?? 0n) > 0n;
  return { spent, overBudget: unbudgeted || (spent !== null && spent > 1), losing: (row.roi ?? 0) < 0 };
}

export type ChannelOrder = "gmv" | "roi";

/** The largest first, or the poorest return first; those without a number at the end. */
export function orderChannels(rows: readonly ChannelRow[], by: ChannelOrder): readonly ChannelRow[] {
  const key = (row: ChannelRow): number => (by === "gmv" ? -Number(row.gmv ?? 0) : (row.roi ?? Infinity));
  return [...rows].sort((a, b) => compareKeys(key(a), key(b)) || (a.channel < b.channel ? -1 : 1));
}

function compareKeys(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export interface RegionShare {
  readonly region: string;
  readonly gmv: number;
  readonly exact: Value;
  /** Of all regions together, those without a tile among them. */
  readonly share: number;
}

export interface Regions {
  readonly tiles: readonly RegionShare[];
  /** What has no tile: how many regions, and their GMV. */
  readonly rest: { readonly count: number; readonly gmv: number };
}

/**
 * The largest regions, as many as leave the smallest of them at least `least` of what is drawn, and at most `most`.
 * The rest is told and not drawn: where many sell alike, its tile would be the largest of all and the only one to see.
 */
export function regionShares(rows: readonly RegionRow[], most: number, least: number): Regions {
  const valued = rows.map((row) => ({ row, gmv: Number(row.gmv ?? 0) })).filter(({ gmv }) => gmv > 0);
  valued.sort((a, b) => b.gmv - a.gmv || (a.row.region < b.row.region ? -1 : 1));
  const total = valued.reduce((sum, { gmv }) => sum + gmv, 0);
  let drawn = 0;
  let count = 0;
  for (const { gmv } of valued.slice(0, most)) {
    if (count > 0 && gmv / (drawn + gmv) < least) break;
    drawn += gmv;
    count += 1;
  }
  return {
    tiles: valued.slice(0, count).map(({ row, gmv }) => ({ region: row.region, gmv, exact: row.gmv, share: gmv / total })),
    rest: { count: valued.length - count, gmv: total - drawn },
  };
}

/** The parts of a long name between which it may be cut: the end tells ids of one series apart. */
export function splitTail(text: string, tail: number): readonly [head: string, tail: string] {
  const signs = [...text];
  if (signs.length <= tail * 2) return [text, ""];
  return [signs.slice(0, -tail).join(""), signs.slice(-tail).join("")];
}
