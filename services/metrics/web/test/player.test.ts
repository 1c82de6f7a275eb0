import { describe, expect, it } from "vitest";
import { Player, type Edge, type Speed } from "../src/core/player.ts";

const T = Date.parse("2026-11-10T16:00:00Z");
const LATER: Edge = { at: T + 86_400_000, live: true };

/** Plays for `ms` against a server that takes `latency`; what was shown, [steady, seconds after T]. */
function run(player: Player<string>, ms: number, latency: number, edge: Edge = LATER): { shown: [number, number][]; live: boolean; most: number } {
  const shown: [number, number][] = [];
  let onTheWay: { at: number; due: number }[] = [];
  let most = 0;
  for (let steady = 0; steady <= ms; steady += 50) {
    for (const { at } of onTheWay.filter(({ due }) => due <= steady)) {
      const frame = player.answered(at, "frame", steady);
      if (frame !== null) shown.push([steady, (frame.at - T) / 1000]);
    }
    onTheWay = onTheWay.filter(({ due }) => due > steady);
    const step = player.step(steady, edge);
    if (step.drop) onTheWay = [];
    if (step.show !== null) shown.push([steady, (step.show.at - T) / 1000]);
    if (step.live) return { shown, live: true, most };
    if (step.ask !== null) onTheWay.push({ at: step.ask, due: steady + latency });
    most = Math.max(most, onTheWay.length);
  }
  return { shown, live: false, most };
}

function playing(speed: Speed): Player<string> {
  const player = new Player<string>(T);
  player.setSpeed(speed);
  player.play();
  return player;
}

describe("playing", () => {
  it.each([
    [1, 1],
    [10, 10],
    [60, 60],
    [300, 300],
  ] as const)("at %dx shows a frame a second, %d seconds apart", (speed, apart) => {
    const { shown } = run(playing(speed), 6_000, 200);
    expect(shown.map(([, at]) => at)).toEqual([0, 1, 2, 3, 4, 5].map((each) => each * apart));
    const times = shown.map(([steady]) => steady);
    for (let index = 1; index < times.length; index += 1) expect(times[index]! - times[index - 1]!).toBe(1_000);
  });

  it("keeps its speed on a server that is slower than the beat, with one question at a time", () => {
    const { shown, most } = run(playing(60), 60_000, 2_200);
    const [from, to] = [shown[4]!, shown.at(-1)!];
    expect((to[1] - from[1]) / ((to[0] - from[0]) / 1000)).toBeGreaterThan(54);
    expect((to[1] - from[1]) / ((to[0] - from[0]) / 1000)).toBeLessThan(66);
    expect(most).toBe(1);
  });

  it("becomes live when it reaches now", () => {
    const { shown, live } = run(playing(60), 60_000, 100, { at: T + 150_000, live: true });
    expect(live).toBe(true);
    expect(shown.map(([, at]) => at)).toEqual([0, 60, 120]);
  });

  it.each([10, 60, 300] as const)("becomes live at %dx however slow the answers, and wherever it began", (speed) => {
    for (const latency of [100, 1_300, 2_200, 6_000]) {
      for (let seconds = 1; seconds < 12 * speed; seconds += 1 + Math.floor(speed / 3)) {
        const player = playing(speed);
        let shown = 0;
        let live = false;
        let answer: { at: number; due: number } | null = null;
        for (let steady = 0; steady < 120_000 && !live; steady += 100) {
          if (answer !== null && answer.due <= steady) {
            if (player.answered(answer.at, "frame", steady) !== null) shown += 1;
            answer = null;
          }
          const step = player.step(steady, { at: T + seconds * 1000 + steady, live: true });
          live = step.live;
          if (step.ask !== null) answer = { at: step.ask, due: steady + latency };
        }
        // Now goes on as well, but no replay that is faster may follow it for ever.
        expect(live, `${latency} ms, ${seconds} s`).toBe(true);
        expect(shown).toBeGreaterThan(0);
      }
    }
  });

  it("stops at the very end of a campaign that is over", () => {
    const player = playing(60);
    const { shown, live } = run(player, 20_000, 100, { at: T + 150_000, live: false });
    expect(live).toBe(false);
    expect(shown.at(-1)?.[1]).toBe(150);
    expect(player.playing).toBe(false);
  });

  it("stands still while it is not asked, as in a hidden page, and goes on from there", () => {
    const player = playing(60);
    run(player, 2_500, 100);
    const before = player.shown!;
    const step = player.step(3_600_000, LATER);
    expect(step.show?.at).toBe(before + 60_000);
    expect(player.step(3_600_500, LATER).show).toBeNull();
  });
});

describe("a moment asked for by hand", () => {
  it("is shown as soon as it is there, playing or not", () => {
    const player = new Player<string>(T + 999);
    expect(player.step(0, LATER).ask).toBe(T);
    expect(player.seeking).toBe(true);
    expect(player.answered(T, "frame", 90)).toEqual({ at: T, frame: "frame" });
    expect(player.seeking).toBe(false);
    expect(player.step(5_000, LATER)).toEqual({ drop: false, ask: null, show: null, live: false });
  });

  it("drops what was asked ahead, and a late answer to that is no picture", () => {
    const player = playing(60);
    run(player, 1_050, 100);
    const ahead = player.step(2_000, LATER).ask;
    player.seek(T + 3_600_000);
    const step = player.step(2_100, LATER);
    expect(step).toMatchObject({ ask: T + 3_600_000, show: null });
    expect(player.answered(ahead ?? T + 120_000, "late", 2_200)).toBeNull();
    expect(player.answered(T + 3_600_000, "wanted", 2_300)?.frame).toBe("wanted");
    expect(player.at).toBe(T + 3_600_000);
  });

  it("shows moments on the way of a hand that drags, in order, and asks for the last one only", () => {
    const player = new Player<string>(T);
    expect(player.step(0, LATER).ask).toBe(T);
    for (const seconds of [10, 20, 30]) {
      player.seek(T + seconds * 1000);
      expect(player.step(0, LATER).ask).toBeNull();
    }
    expect(player.answered(T, "first", 300)?.at).toBe(T);
    expect(player.seeking).toBe(true);
    expect(player.step(300, LATER).ask).toBe(T + 30_000);
  });

  it("asks nothing for the moment that is shown", () => {
    const player = new Player<string>(T);
    run(player, 500, 100);
    player.seek(T + 400);
    expect(player.seeking).toBe(false);
    expect(player.step(600, LATER).ask).toBeNull();
  });
});

describe("failures", () => {
  it("are asked again, more and more rarely, and the replay's clock stands still meanwhile", () => {
    const player = playing(60);
    run(player, 500, 100);
    const asks: number[] = [];
    for (let steady = 1_000; steady < 60_000; steady += 100) {
      const { ask } = player.step(steady, LATER);
      if (ask === null) continue;
      asks.push(steady);
      player.failed(ask, { text: "no connection", lasting: false }, steady, 1);
    }
    const gaps = asks.slice(1).map((at, index) => at - asks[index]!);
    expect(gaps.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...gaps)).toBe(10_000);
    expect(player.failure?.text).toBe("no connection");
    expect(player.shown).toBe(T + 60_000);
  });

  it("that would come again are told once, until another moment is asked for", () => {
    const player = new Player<string>(T);
    const ask = player.step(0, LATER).ask!;
    player.failed(ask, { text: "before the campaign's start", lasting: true }, 50, 0.5);
    expect(player.step(600_000, LATER).ask).toBeNull();
    player.seek(T + 1_000);
    expect(player.failure).toBeNull();
    expect(player.step(600_100, LATER).ask).toBe(T + 1_000);
  });
});

it("asks anew for the same moment when the filters change, and takes no answer to the old question", () => {
  const player = new Player<string>(T);
  run(player, 500, 100);
  player.seek(T + 60_000);
  expect(player.step(600, LATER).ask).toBe(T + 60_000);
  player.reset();
  expect(player.answered(T + 60_000, "of the old filters", 650)).toBeNull();
  expect(player.step(700, LATER)).toMatchObject({ drop: true, ask: T + 60_000 });
});
