import { describe, expect, it } from "vitest";
import { elapsedLine, fairMoment, paired, pointsApart, sameElapsed } from "../src/core/compare.ts";
import { asOfMoment, toTheSecond } from "../src/core/moment.ts";
import { addDecimals, subtractDecimals } from "../src/core/sums.ts";

const HOUR = 3_600_000;
const OURS = Date.parse("2026-11-11T00:00:00Z");
const THEIRS = Date.parse("2025-11-11T00:00:00Z");
const start = (at: number): { start: string } => ({ start: new Date(at).toISOString() });

describe("the same elapsed time", () => {
  it("is as long after the other's start", () => {
    expect(sameElapsed(start(OURS), start(THEIRS), OURS + HOUR + 700, OURS + HOUR)).toEqual({ at: THEIRS + HOUR, elapsed: HOUR, short: false });
  });

  it("says when the other has not come so far", () => {
    const younger = OURS + 2 * HOUR;
    expect(sameElapsed(start(OURS), start(younger), OURS + 3 * HOUR, OURS + 3 * HOUR)).toEqual({ at: younger + HOUR, elapsed: HOUR, short: true });
  });

  it("is nothing before either start", () => {
    expect(sameElapsed(start(OURS), start(THEIRS), OURS - 1, OURS)).toBeNull();
    expect(sameElapsed(start(OURS), start(OURS + HOUR), OURS + 1, OURS + HOUR)).toBeNull();
  });
});

describe("the moment to compare when none is asked for", () => {
  const ended = { ...start(THEIRS), end: new Date(THEIRS + 6 * HOUR).toISOString() };
  const running = { ...start(OURS), end: null };
  const now = OURS + 4 * HOUR;

  it("is now in a campaign that runs", () => {
    expect(fairMoment(running, ended, now - 300, now)).toBe(now - 300);
  });

  it("is, in one that is over, where the one that runs has come to", () => {
    const at = fairMoment(ended, running, now, now);
    expect(at).toBe(THEIRS + 4 * HOUR);
    expect(sameElapsed(ended, running, at, now)).toEqual({ at: now, elapsed: 4 * HOUR, short: false });
  });

  it("is the end where both are over", () => {
    expect(fairMoment(ended, start(THEIRS - 400 * HOUR), now, now)).toBe(THEIRS + 6 * HOUR);
  });
});

it("tells a day by the minute since the start, whatever its buckets", () => {
  const settled = [[OURS + 150_000, 50], [OURS + 450_000, null]] as const;
  expect(elapsedLine({ settled, bucketMs: 300_000 }, OURS)).toEqual([[150_000, 10], [450_000, null]]);
});

it("pairs rows by name, ours first, and keeps what only one has", () => {
  const row = (channel: string) => ({ channel });
  expect(paired([row("live"), row("app")], [row("app"), row("store")], ({ channel }) => channel).map(([name, a, b]) => [name, a !== null, b !== null])).toEqual([
    ["live", true, false],
    ["app", true, true],
    ["store", false, true],
  ]);
});

it.each([
  [0.123, 0.1, "+2.3"],
  [0.1, 0.123, "−2.3"],
  [0.1, 0.1001, "±0.0"],
  [null, 0.1, null],
] as const)("tells %d against %d in points", (ours, theirs, expected) => {
  expect(pointsApart(ours, theirs)).toBe(expected);
});

describe("sums", () => {
  it("are exact where floats are not", () => {
    expect(addDecimals("90071992547409.93", "0.10")).toBe("90071992547410.03");
    expect(subtractDecimals("0.30", "0.1")).toBe("0.20");
    expect(subtractDecimals("0.05", "1")).toBe("-0.95");
    expect(addDecimals(null, "1")).toBeNull();
    expect(addDecimals(3, 4)).toBe("7");
  });

  it("bring an overview to the second, keep counts as counts, and leave what is unknown unknown", () => {
    const overview = {
      campaign_id: "c", from: "", to: "", as_of: "", watermark: null,
      metrics: { gmv: "10.50", paid_gmv: "8.00", net_sales: "7.00", orders_created: 3, orders_paid: null, uv: 9 },
    };
    const minute = { gmv: "1.25", paid_gmv: "1.00", orders_created: 2, orders_paid: 1 };
    expect(toTheSecond(overview, minute).metrics).toEqual({
      gmv: "11.75", paid_gmv: "9.00", net_sales: "8.00", orders_created: 5, orders_paid: null, uv: 9,
    });
    expect(toTheSecond(overview, null)).toBe(overview);
  });
});

it("tells a snapshot of a moment as of that moment, though it was counted today", () => {
  const today = "2026-11-20T00:00:00Z";
  const at = Date.parse("2026-11-11T00:00:26Z");
  const overview = { campaign_id: "c", from: "", to: "", as_of: today, watermark: today, metrics: { gmv: "1.00" } };
  const behind = { rows: [], as_of: today, watermark: "2026-11-11T00:00:20Z" };
  const told = asOfMoment({ as_of: today, watermark: today, complete: false, overview, funnel: behind, current_minute: { gmv: "2.00" } }, at);
  expect(told.overview).toMatchObject({ as_of: "2026-11-11T00:00:26.000Z", watermark: "2026-11-11T00:00:26.000Z", metrics: { gmv: "3.00" } });
  // Otherwise every panel would look old beside a screen of today.
  expect(told).toMatchObject({ as_of: "2026-11-11T00:00:26.000Z", watermark: "2026-11-11T00:00:26.000Z" });
  expect(told.funnel).toMatchObject({ as_of: "2026-11-11T00:00:26.000Z", watermark: "2026-11-11T00:00:20.000Z" });
});
