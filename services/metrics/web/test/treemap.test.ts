import { describe, expect, it } from "vitest";
import { squarify } from "../src/core/treemap.ts";

const shapes: readonly (readonly number[])[] = [
  [1],
  [5, 5],
  [6, 6, 4, 3, 2, 2, 1],
  [1e6, 3, 2, 1],
  Array.from({ length: 40 }, (_, index) => 1000 / (index + 1)),
];

describe("a treemap", () => {
  it.each(shapes.flatMap((values) => [0.5, 1.9, 4].map((aspect) => ({ values, aspect }))))(
    "of $values.length values at $aspect has areas as the values and covers the whole without overlap",
    ({ values, aspect }) => {
      const total = values.reduce((sum, value) => sum + value, 0);
      const tiles = squarify(values, (value) => value, aspect);
      expect(tiles).toHaveLength(values.length);
      let overlap = 0;
      tiles.forEach((tile, index) => {
        expect(tile.width * tile.height).toBeCloseTo((values[index] ?? 0) / total, 9);
        expect(tile.left).toBeGreaterThanOrEqual(-1e-9);
        expect(tile.left + tile.width).toBeLessThanOrEqual(1 + 1e-9);
        expect(tile.top + tile.height).toBeLessThanOrEqual(1 + 1e-9);
        for (const other of tiles.slice(index + 1)) {
          const wide = Math.min(tile.left + tile.width, other.left + other.width) - Math.max(tile.left, other.left);
          const high = Math.min(tile.top + tile.height, other.top + other.height) - Math.max(tile.top, other.top);
          overlap = Math.max(overlap, Math.min(wide, high));
        }
      });
      expect(overlap).toBeLessThanOrEqual(1e-9);
    },
  );

  it("lays the example of its authors out as they do", () => {
    const [first, second, third] = squarify([6, 6, 4, 3, 2, 2, 1], (value) => value, 6 / 4);
    expect(first).toMatchObject({ left: 0, top: 0, width: 0.5, height: 0.5 });
    expect(second).toMatchObject({ left: 0, top: 0.5, width: 0.5, height: 0.5 });
    expect(third?.left).toBeCloseTo(0.5, 9);
    expect(third?.height).toBeCloseTo(7 / 12, 1);
  });

  it("has no tile for what has no value", () => {
    expect(squarify([2, 0, -1], (value) => value, 2)).toHaveLength(1);
    expect(squarify([0, 0], (value) => value, 2)).toEqual([]);
    expect(squarify([], () => 1, 2)).toEqual([]);
  });
});
