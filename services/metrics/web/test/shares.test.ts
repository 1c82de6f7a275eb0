import { describe, expect, it } from "vitest";
import { channelState, orderChannels, regionShares, splitTail } from "../src/core/shares.ts";

const channel = (name: string, gmv: string | null, roi: number | null, cost: string | null = "10.00") => ({ channel: name, gmv, roi, ad_cost: cost });

describe("a channel", () => {
  it("is over its budget only beyond it, and at once where there is none to spend", () => {
    expect(channelState(channel("a", "1", 1), "10.00")).toMatchObject({ spent: 1, overBudget: false });
    expect(channelState(channel("a", "1", 1, "10.01"), "10.00").overBudget).toBe(true);
    expect(channelState(channel("a", "1", 1), "0.00")).toMatchObject({ spent: null, overBudget: true });
    expect(channelState(channel("a", "1", 1, "0.00"), "0.00").overBudget).toBe(false);
    expect(channelState(channel("a", "1", 1), undefined)).toMatchObject({ spent: null, overBudget: false });
  });

  it("loses only below zero, and not where no return is known", () => {
    expect([-0.01, 0, null].map((roi) => channelState(channel("a", "1", roi), null).losing)).toEqual([true, false, false]);
  });

  it("stands by its GMV, or by the poorest return with the unknown ones last", () => {
    const rows = [channel("a", "5", 2), channel("b", "100", null), channel("c", "20", -1), channel("d", null, 0)];
    expect(orderChannels(rows, "gmv").map((row) => row.channel)).toEqual(["b", "c", "a", "d"]);
    expect(orderChannels(rows, "roi").map((row) => row.channel)).toEqual(["c", "d", "a", "b"]);
  });
});

describe("regions", () => {
  const rows = (...values: number[]) => values.map((gmv, index) => ({ region: `R-${index}`, gmv: gmv.toFixed(2) }));

  it("too small for a tile are told, and nothing is lost", () => {
    const { tiles, rest } = regionShares(rows(1, 50, 30, 2, 2, 15), 14, 0.03);
    expect(tiles.map(({ region }) => region)).toEqual(["R-1", "R-2", "R-5"]);
    expect(rest).toEqual({ count: 3, gmv: 5 });
    expect(tiles.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(0.95, 9);
  });

  it("that sell alike have as many tiles as there is room for", () => {
    const alike = rows(...Array.from({ length: 40 }, () => 5));
    expect(regionShares(alike, 12, 0.01).tiles).toHaveLength(12);
    expect(regionShares(alike, 12, 0.2).tiles).toHaveLength(5);
  });

  it("have a tile where there is but one, and none without a sale", () => {
    expect(regionShares(rows(1), 12, 0.9)).toMatchObject({ tiles: [{ share: 1 }], rest: { count: 0 } });
    expect(regionShares([{ region: "CN-31", gmv: "0.00" }, { region: "CN-11", gmv: null }], 14, 0.01).tiles).toEqual([]);
  });
});

describe("a long id", () => {
  it("keeps its end, and a short one is whole", () => {
    expect(splitTail("SKU-2026-HOME-APPLIANCE-100042", 7)).toEqual(["SKU-2026-HOME-APPLIANCE", "-100042"]);
    expect(splitTail("sku-1001", 7)).toEqual(["sku-1001", ""]);
  });
});
