/** Placing words and marks along a line of time so that none lies on another. All positions share one unit. */

export interface Labelled {
  /** Where the mark stands. */
  readonly at: number;
  /** Room that its label takes to the right of the mark. */
  readonly width: number;
}

export interface Placed<Item> {
  readonly item: Item;
  readonly row: number;
  /** Where the label begins: to the right of its mark, or to the left of it at the far edge. */
  readonly left: number;
}

/**
 * Gives each label a row in which it overlaps no other; rows are tried from the first on, items in the order given
 * (the most important first). A label that would leave `[0, length]` is put to the left of its mark. Those for which
 * no row has room are left out: their mark stands without a word.
 */
export function placeLabels<Item extends Labelled>(
  items: readonly Item[],
  length: number,
  rows: number,
  gap = 0,
): readonly Placed<Item>[] {
  const taken: [from: number, to: number][][] = Array.from({ length: rows }, () => []);
  const placed: Placed<Item>[] = [];
  for (const item of items) {
    if (item.at < 0 || item.at > length || item.width > length) continue;
    const left = item.at + item.width <= length ? item.at : Math.max(0, item.at - item.width);
    const right = left + item.width;
    const row = taken.findIndex((spans) => spans.every(([from, to]) => right + gap <= from || left >= to + gap));
    if (row < 0) continue;
    taken[row]?.push([left, right]);
    placed.push({ item, row, left });
  }
  return placed;
}

export interface Cluster<Item> {
  readonly at: number;
  readonly members: readonly Item[];
}

/**
 * Puts marks that stand less than `apart` from the first of their group into that group, which then stands at its
 * first member. Groups are ordered by position and at least `apart` from each other.
 */
export function clusterMarks<Item extends { readonly at: number }>(items: readonly Item[], apart: number): readonly Cluster<Item>[] {
  const clusters: { at: number; members: Item[] }[] = [];
  for (const item of [...items].sort((a, b) => a.at - b.at)) {
    const last = clusters.at(-1);
    if (last !== undefined && item.at - last.at < apart) last.members.push(item);
    else clusters.push({ at: item.at, members: [item] });
  }
  return clusters;
}

export interface Span {
  readonly left: number;
  readonly width: number;
}

/** The part of `[start, end)` that lies in `[from, to)`, as shares of it; null where nothing does. */
export function spanWithin(start: number, end: number | null, from: number, to: number): Span | null {
  const first = Math.max(start, from);
  const last = Math.min(end ?? to, to);
  if (to <= from || last <= first) return null;
  return { left: (first - from) / (to - from), width: (last - first) / (to - from) };
}

const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/u;

/** About how wide a text is set, in em: East Asian signs take a whole one, others rather more than half. */
export function textEms(text: string): number {
  return [...text].reduce((sum, sign) => sum + (WIDE.test(sign) ? 1 : 0.58), 0);
}
