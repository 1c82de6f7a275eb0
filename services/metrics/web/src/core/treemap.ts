export interface Tile<Item> {
  readonly item: Item;
  /** Shares of the whole, 0 to 1. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Rectangles whose areas are as the values, as near to squares as can be had in order (Bruls, Huizing, van Wijk:
 * "Squarified Treemaps", 2000). `items` are ordered by value, the largest first; those without a positive value get
 * no tile. `aspect` is the width of the whole over its height.
 */
export function squarify<Item>(items: readonly Item[], valueOf: (item: Item) => number, aspect: number): readonly Tile<Item>[] {
  const valued = items.map((item) => ({ item, value: valueOf(item) })).filter(({ value }) => value > 0);
  const total = valued.reduce((sum, { value }) => sum + value, 0);
  const tiles: Tile<Item>[] = [];
  let box: Box = { left: 0, top: 0, width: aspect, height: 1 };
  let rest = valued.map(({ item, value }) => ({ item, area: (value / total) * aspect }));
  while (rest.length > 0) {
    const side = Math.min(box.width, box.height);
    let count = 1;
    while (count < rest.length && worst(areas(rest, count + 1), side) <= worst(areas(rest, count), side)) count += 1;
    box = layRow(rest.slice(0, count), box, tiles);
    rest = rest.slice(count);
  }
  return tiles.map((tile) => ({ ...tile, left: tile.left / aspect, width: tile.width / aspect }));
}

function areas(rest: readonly { readonly area: number }[], count: number): readonly number[] {
  return rest.slice(0, count).map(({ area }) => area);
}

/** The most oblong of the tiles that a row along `side` would have: 1 is a square. */
function worst(row: readonly number[], side: number): number {
  const sum = row.reduce((total, area) => total + area, 0);
  const square = side * side;
  return Math.max(...row.map((area) => Math.max((square * area) / (sum * sum), (sum * sum) / (square * area))));
}

function layRow<Item>(row: readonly { item: Item; area: number }[], box: Box, tiles: Tile<Item>[]): Box {
  const sum = row.reduce((total, { area }) => total + area, 0);
  const upright = box.width >= box.height;
  const depth = sum / (upright ? box.height : box.width);
  let offset = 0;
  for (const { item, area } of row) {
    const length = area / depth;
    tiles.push(
      upright
        ? { item, left: box.left, top: box.top + offset, width: depth, height: length }
        : { item, left: box.left + offset, top: box.top, width: length, height: depth },
    );
    offset += length;
  }
  return upright
    ? { left: box.left + depth, top: box.top, width: Math.max(0, box.width - depth), height: box.height }
    : { left: box.left, top: box.top + depth, width: box.width, height: Math.max(0, box.height - depth) };
}
