import { describe, expect, it } from "vitest";
import { bandsOf, clamp, marksOf, momentAt, movedBy, shareOf, ticksOf, trackOf } from "../src/core/timeline.ts";
import type { Alert } from "../src/feed/types.ts";

const START = Date.parse("2026-11-10T16:00:00Z");
const HOUR = 3_600_000;
const track = { from: START, to: START + 2 * HOUR, open: true };
const campaign = { start: "2026-11-10T16:00:00Z", end: "2026-11-11T16:00:00Z" };

describe("the track of a campaign", () => {
  it("ends now while the campaign runs, and at its end afterwards", () => {
    expect(trackOf(campaign, START + HOUR + 499)).toEqual({ from: START, to: START + HOUR, open: true });
    expect(trackOf(campaign, START + 30 * HOUR)).toEqual({ from: START, to: START + 24 * HOUR, open: false });
    expect(trackOf({ ...campaign, end: null }, START + 99 * HOUR)?.open).toBe(true);
  });

  it("does not exist before the campaign", () => {
    expect(trackOf(campaign, START - 1)).toBeNull();
    expect(trackOf(campaign, START)).toBeNull();
    expect(trackOf({ start: "soon", end: null }, START)).toBeNull();
  });
});

describe("place and moment", () => {
  it.each([0, 0.25, 0.5, 1])("are each other's inverse at %d", (share) => {
    expect(shareOf(track, momentAt(track, share))).toBeCloseTo(share, 3);
  });

  it("stay on the track, on whole seconds", () => {
    expect(momentAt(track, 1.5)).toBe(track.to);
    expect(momentAt(track, -1)).toBe(track.from);
    expect(momentAt(track, 1 / 7) % 1000).toBe(0);
    expect(shareOf(track, START - HOUR)).toBe(0);
  });

  it("never lie before a campaign that begins within a second", () => {
    expect(clamp({ ...track, from: START + 300 }, START)).toBe(START + 1000);
  });
});

describe("keys", () => {
  it.each([
    ["ArrowLeft", false, -10],
    ["ArrowRight", false, 10],
    ["ArrowLeft", true, -60],
    ["ArrowUp", true, 60],
    ["PageUp", false, 600],
    ["PageDown", false, -600],
  ] as const)("%s, shift %s, moves %d s", (key, shift, seconds) => {
    expect(movedBy(track, START + HOUR, key, shift)).toBe(START + HOUR + seconds * 1000);
  });

  it("lead to the ends and not over them", () => {
    expect(movedBy(track, START + HOUR, "Home", false)).toBe(track.from);
    expect(movedBy(track, START + HOUR, "End", false)).toBe(track.to);
    expect(movedBy(track, START + 5_000, "ArrowLeft", false)).toBe(track.from);
    expect(movedBy(track, START, "a", false)).toBeNull();
  });
});

it("cuts phases to the track and leaves out those beyond it", () => {
  const at = (hours: number): string => new Date(START + hours * HOUR).toISOString();
  const spans = [
    { name: "warm_up", start: at(-5), end: at(1) },
    { name: "burst", start: at(1), end: at(9) },
    { name: "long_tail", start: at(9), end: at(12) },
  ];
  expect(bandsOf(track, spans)).toEqual([
    { name: "warm_up", from: 0, to: 0.5 },
    { name: "burst", from: 0.5, to: 1 },
  ]);
});

describe("marks of alerts", () => {
  const alert = (minutes: number, severity: Alert["severity"], rule = "stock_out"): Alert => ({
    id: `${minutes}${severity}`,
    rule,
    severity,
    state: "resolved",
    starts_at: new Date(START + minutes * 60_000).toISOString(),
  });

  it("show the gravest of those that would cover each other", () => {
    const alerts = [alert(61, "info", "roi_below_floor"), alert(60, "critical"), alert(60.5, "warning"), alert(90, "warning")];
    expect(marksOf(track, alerts, 0.01)).toMatchObject([
      { share: 0.5, severity: "critical", rules: ["stock_out", "roi_below_floor"], count: 3 },
      { share: 0.75, severity: "warning", count: 1 },
    ]);
  });

  it("leave out what began before the campaign or after the moment", () => {
    expect(marksOf(track, [alert(-1, "critical"), alert(121, "critical")], 0.01)).toEqual([]);
  });
});

describe("ticks", () => {
  it("are round in the campaign's zone, and midnight is a date", () => {
    expect(ticksOf(track, "Asia/Shanghai", 5).map(({ label }) => label)).toEqual(["11-11", "00:30", "01:00", "01:30", "02:00"]);
    expect(ticksOf(track, "Asia/Kolkata", 5)[0]?.label).toBe("21:30");
  });

  it.each([60_000, HOUR, 26 * HOUR, 24 * 24 * HOUR, 400 * 24 * HOUR])("are few on a track of %d ms", (length) => {
    const ticks = ticksOf({ from: START, to: START + length, open: false }, "UTC", 12);
    expect(ticks.length).toBeGreaterThan(0);
    expect(ticks.length).toBeLessThanOrEqual(13);
  });
});
