import { describe, expect, it } from "vitest";
import { ServerClock, type Reading } from "../src/core/clock.ts";
import { judgeFreshness, LATE_AFTER_MS, looksStale, STALE_AFTER_MS, watermarkLag } from "../src/core/freshness.ts";

const good = { downForMs: null, silentForMs: 400, ageMs: 400, lagMs: 2_000, running: true };

describe("how far the screen can be believed", () => {
  it.each([
    ["a snapshot just came", {}, "fresh"],
    ["nothing ever came", { silentForMs: null, ageMs: null, lagMs: null }, "connecting"],
    ["the server cannot be reached at first", { downForMs: 5_000, silentForMs: null, ageMs: null }, "disconnected"],
    ["one snapshot was missed", { silentForMs: 1_900 }, "fresh"],
    ["nothing new came for too long", { silentForMs: STALE_AFTER_MS }, "stale"],
    ["a quick reconnect is under way", { downForMs: 900, silentForMs: 1_400 }, "fresh"],
    ["the connection is gone", { downForMs: 2_600, silentForMs: 2_700 }, "disconnected"],
    ["snapshots arrive that are old", { ageMs: 9_000 }, "stale"],
    ["events are behind", { lagMs: LATE_AFTER_MS }, "late"],
    ["a running campaign has no watermark", { lagMs: null }, "late"],
    ["a campaign that has not begun has no watermark", { lagMs: null, running: false }, "fresh"],
    ["old numbers are also late", { silentForMs: 3_000, lagMs: 60_000 }, "stale"],
  ] as const)("when %s", (_, change, expected) => {
    expect(judgeFreshness({ ...good, ...change })).toBe(expected);
  });

  it("looks stale within three seconds of the last snapshot, connected or not", () => {
    for (const downForMs of [null, 2_900]) {
      expect(looksStale(judgeFreshness({ ...good, downForMs, silentForMs: 2_900, ageMs: 2_900 }))).toBe(true);
    }
  });

  it("wants no data of a campaign that is over", () => {
    expect(watermarkLag(100_000, 90_000, null)).toBe(10_000);
    expect(watermarkLag(100_000, 90_000, 85_000)).toBe(0);
    expect(watermarkLag(100_000, 80_000, 85_000)).toBe(5_000);
    expect(watermarkLag(100_000, null, null)).toBeNull();
  });
});

describe("the server's clock", () => {
  const server = 1_762_790_400_000;
  /** The local wall clock is `skew` off; `late` is what the way took. */
  const local = (elapsed: number, skew: number): Reading => ({ wall: server + elapsed + skew, steady: elapsed });

  it.each([0, 3_600_000, -86_400_000])("is found with a local clock that is %d ms off", (skew) => {
    const clock = new ServerClock();
    for (const [sent, delay] of [[0, 120], [1_000, 40], [2_000, 300]] as const) {
      clock.observe(server + sent, local(sent + delay, skew));
    }
    const reading = local(2_500, skew);
    expect(clock.now(reading)).toBe(server + 2_460);
    expect(clock.age(reading)).toBe(460);
    expect(clock.silence(reading)).toBe(200);
  });

  it("does not take a repeated snapshot for a new one", () => {
    const clock = new ServerClock();
    clock.observe(server, local(0, 0));
    for (const elapsed of [1_000, 2_000, 3_000]) clock.observe(server, local(elapsed, 0));
    expect(clock.silence(local(3_000, 0))).toBe(3_000);
    expect(clock.age(local(3_000, 0))).toBe(3_000);
  });

  it("counts the time that the machine slept, though the steady clock stood still", () => {
    const clock = new ServerClock();
    clock.observe(server, local(0, 0));
    expect(clock.silence({ wall: server + 600_000, steady: 10 })).toBe(600_000);
    clock.observe(server + 600_500, { wall: server + 600_500, steady: 510 });
    expect(clock.age({ wall: server + 600_500, steady: 510 })).toBe(0);
  });

  it("recovers with the next snapshot when either clock is set", () => {
    const clock = new ServerClock();
    clock.observe(server, local(0, 0));
    clock.observe(server - 5_000, local(1_000, 0));
    expect(clock.age(local(1_000, 0))).toBe(0);
    clock.observe(server - 4_000, local(2_000, 90_000));
    expect(clock.age(local(2_000, 90_000))).toBe(0);
  });

  it.each([
    ["forward by three hours", 3 * 3_600_000, "stale"],
    ["back by three hours", -3 * 3_600_000, "fresh"],
  ] as const)("is right again with the next snapshot when the wall's own is set %s", (_, step, meanwhile) => {
    const clock = new ServerClock();
    for (const sent of [0, 1_000, 2_000]) clock.observe(server + sent, local(sent + 50, 0));
    const judged = (reading: Reading) =>
      judgeFreshness({ ...good, silentForMs: clock.silence(reading), ageMs: clock.age(reading) });
    // Set forward it cannot be told from a sleep: what may be old looks old, until the next snapshot says otherwise.
    expect(judged(local(2_300, step))).toBe(meanwhile);
    clock.observe(server + 3_000, local(3_050, step));
    expect(judged(local(3_100, step))).toBe("fresh");
    expect(clock.now(local(3_100, step))).toBe(server + 3_050);
  });

  it("is not misled by what arrives in a bunch after a sleep", () => {
    const clock = new ServerClock();
    clock.observe(server, local(40, 0));
    // The socket held these while the machine slept for an hour; they are an hour old and the last is new.
    const awake = { wall: server + 3_600_040, steady: 90 };
    clock.observe(server + 1_000, awake);
    clock.observe(server + 2_000, awake);
    clock.observe(server + 3_600_000, awake);
    expect(clock.age(awake)).toBe(0);
    expect(clock.now({ wall: awake.wall + 500, steady: 590 })).toBe(server + 3_600_500);
  });

  it("falls back to the local clock before it has heard anything", () => {
    const clock = new ServerClock();
    expect(clock.age(local(0, 0))).toBeNull();
    expect(clock.silence(local(0, 0))).toBeNull();
    expect(clock.now(local(7, 0))).toBe(server + 7);
  });
});
