import { describe, expect, it } from "vitest";
import { clusterMarks, placeLabels, spanWithin } from "../src/core/marks.ts";

/** A small generator: the same numbers each run, no order in them. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe("labels along a line", () => {
  it("never overlap and never leave the line, however many there are", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const next = numbers(seed);
      const length = 100 + next() * 900;
      const items = Array.from({ length: Math.floor(next() * 30) }, () => ({ at: next() * length, width: 5 + next() * 200 }));
      const placed = placeLabels(items, length, 2, 4);
      for (const { left, item, row } of placed) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left + item.width).toBeLessThanOrEqual(length + 1e-9);
        for (const other of placed) {
          if (other.item === item || other.row !== row) continue;
          expect(left + item.width + 4 <= other.left + 1e-9 || other.left + other.item.width + 4 <= left + 1e-9).toBe(true);
        }
      }
    }
  });

  it("give the more important one its place and leave the other without a word", () => {
    const [first, second] = [{ at: 50, width: 40 }, { at: 40, width: 40 }];
    expect(placeLabels([first, second], 100, 1).map(({ item }) => item)).toEqual([first]);
    expect(placeLabels([first, second], 100, 2).map(({ row }) => row)).toEqual([0, 1]);
  });

  it("turn to the left of their mark at the far edge", () => {
    expect(placeLabels([{ at: 95, width: 30 }], 100, 1)[0]?.left).toBe(65);
  });
});

describe("marks", () => {
  it("that stand too close become one, and none is lost", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const next = numbers(seed);
      const items = Array.from({ length: Math.floor(next() * 40) }, (_, id) => ({ at: next() * 300, id }));
      const clusters = clusterMarks(items, 12);
      expect(clusters.flatMap(({ members }) => members.map(({ id }) => id)).sort((a, b) => a - b)).toEqual(items.map(({ id }) => id));
      clusters.forEach(({ at }, index) => expect(at - (clusters[index - 1]?.at ?? -Infinity)).toBeGreaterThanOrEqual(12));
    }
  });
});

describe("a span of time", () => {
  it("is cut to what is shown", () => {
    expect(spanWithin(0, 50, 25, 125)).toEqual({ left: 0, width: 0.25 });
    expect(spanWithin(75, null, 25, 125)).toEqual({ left: 0.5, width: 0.5 });
    expect(spanWithin(0, 25, 25, 125)).toBeNull();
    expect(spanWithin(200, 300, 25, 125)).toBeNull();
    expect(spanWithin(0, 10, 5, 5)).toBeNull();
  });
});
