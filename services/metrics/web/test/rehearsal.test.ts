import { describe, expect, it } from "vitest";
import { itemsOf, parseCard, PIPELINE, type Item, type Scorecard } from "../src/rehearsal/card.ts";
import { groupsOf, moved, showing, stepped, wholeOf, zoomed, NARROWEST_MS } from "../src/rehearsal/layout.ts";
import { delayText, word } from "../src/words/rehearsal.ts";

const T = Date.parse("2026-11-10T12:00:00Z");
const MINUTE = 60_000;
const at = (minutes: number) => new Date(T + minutes * MINUTE).toISOString();
const truth = (rule: string, festival: string, from: number, to: number, details = {}) => ({
  type: rule,
  rule,
  campaign_id: festival,
  labels: { campaign_id: festival, channel: "live" },
  starts_at: at(from),
  ends_at: at(to),
  details,
  consequences: [],
});
const page = (rule: string, festival: string, told: number) => ({
  alert_id: "a",
  rule,
  severity: "critical",
  labels: { campaign_id: festival, team: "ops", item_id: "sku-1" },
  told_at: at(told),
  summary: "sold out",
});
const CARD = {
  path: "",
  rehearsed: { seed: 1, seeds: 2, hours: 1, variant: "full", events_per_second: 1, start: at(0), step_seconds: 5 },
  totals: {},
  rules: {},
  found: [{ ...truth("stock_out", "rehearsal-10", 10, 20), delay_seconds: 90, page: page("stock_out", "rehearsal-10", 11.5) }],
  missed: [{ ...truth("ingest_lag", PIPELINE, 30, 32), note: "the step was too long" }],
  false: [{ ...page("stock_out", "rehearsal-2", 40), why: "unexplained", during: ["drop web"] }],
  accepted: [{ ...page("roi_below_floor", "rehearsal-2", 41), consequence_of: truth("budget_overrun", "rehearsal-2", 35, 45) }],
  decoys: [truth("", "rehearsal-2", 5, 8, { decoy: "viral" })],
} as unknown as Scorecard;

const item = (id: string, from: number, to: number, change: Partial<Item> = {}): Item => ({
  id,
  mark: "found",
  festival: "f",
  rule: "r",
  kind: "",
  from,
  to,
  told: null,
  delaySeconds: null,
  labels: {},
  summary: "",
  severity: "",
  note: "",
  during: [],
  ...change,
});

describe("the items of a scorecard", () => {
  it("are all of its incidents and pages, in the order of time", () => {
    const items = itemsOf(CARD);
    expect(items.map(({ mark, festival }) => [mark, festival])).toEqual([
      ["decoy", "rehearsal-2"],
      ["found", "rehearsal-10"],
      ["missed", PIPELINE],
      ["false", "rehearsal-2"],
      ["accepted", "rehearsal-2"],
    ]);
    expect(items.map(({ kind }) => kind)).toEqual(["viral", "stock_out", "ingest_lag", "", "budget_overrun"]);
    expect(items[1]).toMatchObject({ told: T + 11.5 * MINUTE, delaySeconds: 90, labels: { channel: "live" } });
    expect(items[3]?.labels).toEqual({ item_id: "sku-1" });
  });

  it("leave out what has no readable time", () => {
    const card = { ...CARD, missed: [{ ...CARD.missed[0], starts_at: "soon" }] } as unknown as Scorecard;
    expect(itemsOf(card)).toHaveLength(4);
  });

  it("come from a file only when it is a scorecard", () => {
    expect(itemsOf(parseCard(JSON.stringify(CARD)))).toHaveLength(5);
    for (const text of ["", "[]", "null", "{}", JSON.stringify({ ...CARD, false: {} }), JSON.stringify({ ...CARD, totals: 1 })]) {
      expect(() => parseCard(text)).toThrow();
    }
  });
});

describe("the rows", () => {
  it("are by festival, the pipeline first and ten after two, and decoys last", () => {
    const rows = groupsOf(itemsOf(CARD), 0).map(({ festival, rows }) => [festival, ...rows.map(({ rule }) => rule)]);
    expect(rows).toEqual([
      [PIPELINE, "ingest_lag"],
      ["rehearsal-2", "roi_below_floor", "stock_out", ""],
      ["rehearsal-10", "stock_out"],
    ]);
  });

  it("put what would cover each other into lanes, and reuse a lane that is free", () => {
    // Many spans of many lengths, by a rule that repeats: no two in a lane may come nearer than `apart`.
    const items = Array.from({ length: 60 }, (_, n) => item(String(n), (n * 37) % 101, ((n * 37) % 101) + ((n * 13) % 17)));
    const [group] = groupsOf(items, 2);
    const row = group?.rows[0];
    expect(row?.placed).toHaveLength(60);
    for (let lane = 0; lane < (row?.lanes ?? 0); lane += 1) {
      const own = (row?.placed ?? []).filter((placed) => placed.lane === lane).map((placed) => placed.item);
      expect(own.length).toBeGreaterThan(0);
      own.slice(1).forEach((next, n) => expect(next.from - (own[n]?.to ?? 0)).toBeGreaterThanOrEqual(2));
    }
    const busiest = Math.max(...items.map((a) => items.filter((b) => b.from <= a.from && a.from < b.to + 2).length));
    expect(row?.lanes).toBe(busiest);
  });

  it("keep room for a page that was told after the end", () => {
    const [group] = groupsOf([item("a", 0, 10, { told: 50 }), item("b", 30, 40)], 0);
    expect(group?.rows[0]?.lanes).toBe(2);
  });
});

describe("the window", () => {
  const whole = { from: 0, to: 100 * MINUTE };

  it("comes closer around a moment that stays in its place, and never beyond the whole or a minute", () => {
    const closer = zoomed(whole, whole, 4, 20 * MINUTE);
    expect(closer.to - closer.from).toBe(25 * MINUTE);
    expect((20 * MINUTE - closer.from) / (closer.to - closer.from)).toBeCloseTo(0.2);
    expect(zoomed(closer, whole, 0.01, 0)).toEqual(whole);
    const closest = zoomed(whole, whole, 1e6, 50 * MINUTE);
    expect(closest.to - closest.from).toBe(NARROWEST_MS);
  });

  it("stops at the ends", () => {
    const half = { from: 0, to: 50 * MINUTE };
    expect(moved(half, whole, -1)).toEqual(half);
    expect(moved(half, whole, 9)).toEqual({ from: 50 * MINUTE, to: 100 * MINUTE });
    expect(showing(half, whole, 10 * MINUTE)).toBe(half);
    expect(showing(half, whole, 99 * MINUTE)).toEqual({ from: 50 * MINUTE, to: 100 * MINUTE });
  });

  it("holds every item with its page, and has a length even without any", () => {
    const { from, to } = wholeOf([item("a", 5 * MINUTE, 6 * MINUTE, { told: 9 * MINUTE })], MINUTE);
    expect(from).toBeLessThan(5 * MINUTE);
    expect(to).toBeGreaterThan(9 * MINUTE);
    expect(wholeOf([], MINUTE)).toEqual({ from: 0, to: MINUTE });
    const instant = wholeOf([item("a", MINUTE, MINUTE)], MINUTE);
    expect(instant.to - instant.from).toBeGreaterThanOrEqual(MINUTE);
  });
});

describe("arrows", () => {
  const groups = groupsOf([item("a", 0, 1), item("b", 50, 51), item("c", 48, 49, { rule: "s" }), item("d", 5, 6, { festival: "g" })], 0);

  it("go along a row, and to the nearest in time of the next row", () => {
    expect(stepped(groups, null, "ArrowRight")).toBe("a");
    expect(stepped(groups, "a", "ArrowRight")).toBe("b");
    expect(stepped(groups, "b", "ArrowRight")).toBeNull();
    expect(stepped(groups, "b", "ArrowDown")).toBe("c");
    expect(stepped(groups, "c", "ArrowUp")).toBe("b");
    expect(stepped(groups, "c", "ArrowDown")).toBe("d");
    expect(stepped(groups, "d", "ArrowDown")).toBeNull();
  });
});

describe("words", () => {
  it("say delays in the unit that can be read at a glance", () => {
    expect([null, 3.26, 37.5, 640.9].map((seconds) => delayText("en", seconds))).toEqual(["–", "3.3 s", "38 s", "11 min"]);
    expect(word("zh", "found.of", { found: 3, injected: 4 })).toBe("4 起事件中发现 3 起");
  });
});
