import { describe, expect, it } from "vitest";
import { countFiring, orderAlerts } from "../src/core/alerts.ts";
import { applyAlert, applySnapshot, EMPTY_BOARD } from "../src/core/state.ts";
import { stockRisk } from "../src/core/stock.ts";
import { declaredGoals, goalsOf, magnitude, verdictOf, withLive } from "../src/core/standing.ts";
import { panelTrust } from "../src/core/trust.ts";
import { clockTime, currentPhase, elapsedShare, formatSpan, knownZone, momentOf } from "../src/core/time.ts";
import { chooseCampaign } from "../src/feed/campaigns.ts";
import type { Alert, Campaign, Overview, TargetState } from "../src/feed/types.ts";

const NOW = Date.parse("2025-11-11T12:00:00Z");
const overview = (asOf: string): Overview => ({
  campaign_id: "c",
  from: asOf,
  to: asOf,
  as_of: asOf,
  watermark: null,
  metrics: { gmv: "1.00" },
});
const alert = (id: string, change: Partial<Alert> = {}): Alert => ({
  id,
  rule: "stock_out",
  severity: "warning",
  state: "firing",
  starts_at: "2025-11-11T11:00:00Z",
  ...change,
});
const campaign = (id: string, start: string, end: string | null): Campaign => ({ id, name: id, start, end });

describe("the board", () => {
  it("keeps what a snapshot leaves out, and takes an empty table for empty", () => {
    const first = applySnapshot(EMPTY_BOARD, {
      overview: overview("2025-11-11T12:00:00Z"),
      regions: { rows: [{ region: "CN-31", gmv: "5.00" }] },
      items: { rows: [{ item_id: "a", gmv: "5.00", orders_paid: 1 }] },
    });
    const second = applySnapshot(first, { overview: overview("2025-11-11T12:00:01Z"), items: { rows: [] } });
    expect(second.regions).toEqual(first.regions);
    expect(second.items).toEqual([]);
    expect(second.funnel).toBeNull();
    expect(second.overview?.as_of).toBe("2025-11-11T12:00:01Z");
  });

  it("knows how fresh the screen is beside an overview that is asked for less often", () => {
    const slow = overview("2025-11-11T12:00:00Z");
    const board = applySnapshot(EMPTY_BOARD, { as_of: "2025-11-11T12:00:30Z", watermark: "2025-11-11T12:00:29Z", overview: slow });
    expect(board.screen?.as_of).toBe("2025-11-11T12:00:30Z");
    expect(panelTrust(board.abouts.overview, board.screen, null)).toMatchObject({ trust: "old", ageMs: 30_000 });
    // What names no moment of its own is as fresh as its overview.
    expect(applySnapshot(EMPTY_BOARD, { overview: slow }).screen?.as_of).toBe(slow.as_of);
  });

  it("puts an alert in the place of its earlier form", () => {
    const board = { ...EMPTY_BOARD, alerts: [alert("a"), alert("b")] };
    const after = applyAlert(board, alert("a", { state: "resolved" }));
    expect(after.alerts?.map(({ id, state }) => [id, state])).toEqual([["a", "resolved"], ["b", "firing"]]);
  });

  it("takes alerts of its campaign and of all campaigns, and no others", () => {
    const board = { ...EMPTY_BOARD, campaign: campaign("c", "2025-11-11T00:00:00Z", null), alerts: [] };
    const ids = ["c", "*", "other"].map((id) => applyAlert(board, alert(id, { campaign_id: id })).alerts?.length);
    expect(ids).toEqual([1, 1, 0]);
  });
});

describe("alerts", () => {
  it("come in the order in which they need eyes", () => {
    const alerts = [
      alert("resolved", { state: "resolved", severity: "critical", ends_at: "2025-11-11T11:59:00Z" }),
      alert("warning"),
      alert("pending", { state: "pending", severity: "critical" }),
      alert("newer", { starts_at: "2025-11-11T11:30:00Z" }),
      alert("critical", { severity: "critical" }),
      alert("acknowledged", { state: "acknowledged", severity: "critical" }),
    ];
    expect(orderAlerts(alerts).map(({ id }) => id)).toEqual([
      "critical", "newer", "warning", "acknowledged", "pending", "resolved",
    ]);
    expect(countFiring(alerts)).toEqual({ critical: 1, warning: 2, info: 0 });
  });
});

describe("stock", () => {
  it.each([
    [{ available: 0 }, "out"],
    [{ available: 9, safety_stock: 10 }, "low"],
    [{ available: 10, safety_stock: 10 }, "none"],
    [{ available: 500, stockout_eta: "2025-11-11T12:59:00Z" }, "soon"],
    [{ available: 500, stockout_eta: "2025-11-11T18:00:00Z" }, "none"],
    [{ available: 500, stockout_eta: null }, "none"],
    [{ available: null }, "none"],
  ] as const)("%j is %s", (row, risk) => {
    expect(stockRisk({ item_id: "a", ...row }, NOW)).toBe(risk);
  });
});

describe("goals that nothing has paced yet", () => {
  const states = { uv: { target: 10, value: 5, attained: 0.5 }, gmv: { target: "4.00", value: "1.00", attained: 0.25 } };

  it("are those that were declared", () => {
    expect(goalsOf(declaredGoals(states, null), null).map(({ metric, value }) => [metric, value])).toEqual([["gmv", "1.00"], ["uv", 5]]);
    expect(goalsOf(declaredGoals(states, "burst"), "burst")).toHaveLength(2);
    expect(declaredGoals(undefined, null)).toEqual([]);
  });

  it("take the value of this second, and are judged only where something was expected", () => {
    const [paced] = declaredGoals({ gmv: { target: "4.00", value: "0.50", attained: 0.125 } }, null);
    if (paced === undefined) throw new Error("no goal");
    expect(withLive(paced, states.gmv, NOW)).toMatchObject({ value: "1.00", attained: 0.25 });
    expect(withLive(paced, undefined, NOW)).toBe(paced);
    expect([verdictOf(paced), verdictOf({ ...paced, behind: true }), verdictOf({ ...paced, behind: false })]).toEqual(["open", "behind", "ahead"]);
    expect(verdictOf({ ...paced, behind: true, state: "upcoming" })).toBe("open");
    expect([magnitude("-1.50"), magnitude(-2), magnitude("3.00"), magnitude(null)]).toEqual(["1.50", 2, "3.00", null]);
  });
});

describe("a goal that is paced by whole minutes", () => {
  const judged = Date.parse("2025-11-11T00:01:00Z");
  const row = {
    metric: "gmv", scope: "campaign", phase: null, from: "2025-11-11T00:00:00Z", to: "2025-11-11T00:03:00Z", state: "current",
    target: "300.00", value: "90.00", attained: 0.3, expected: "100.00", expected_per_minute: 100, ahead: "-10.00", behind: true,
    complete_until: "2025-11-11T00:01:00Z",
  } as const;
  const live = (value: string): TargetState => ({ target: "300.00", value, attained: Number(value) / 300 });

  it.each([
    ["160.00", 30_000, "150.00", "10.00", false],
    ["140.00", 30_000, "150.00", "-10.00", true],
    ["95.00", -5_000, "100.00", "-5.00", true],
    ["310.00", 600_000, "300.00", "10.00", false],
  ])("with %s after %d ms stands against %s", (value, after, expected, ahead, behind) => {
    expect(withLive(row, live(value), judged + after)).toMatchObject({ value, expected, ahead, behind });
  });

  it("keeps what was expected where nothing says how that grows, and expects nothing before it begins", () => {
    expect(withLive({ ...row, expected_per_minute: null }, live("120.00"), judged + 30_000)).toMatchObject({ expected: "100.00", ahead: "20.00", behind: false });
    expect(withLive({ ...row, complete_until: null }, live("99.00"), judged + 30_000)).toMatchObject({ expected: "100.00", behind: true });
    expect(verdictOf(withLive({ ...row, state: "upcoming" }, live("0.00"), judged))).toBe("open");
    expect(withLive({ ...row, expected: null, ahead: null, behind: null }, live("99.00"), judged)).toMatchObject({ expected: null, behind: null });
  });
});

describe("campaigns and their time", () => {
  const old = campaign("old", "2025-10-01T00:00:00Z", "2025-10-02T00:00:00Z");
  const running = campaign("running", "2025-11-10T00:00:00Z", "2025-11-12T00:00:00Z");
  const open = campaign("open", "2025-11-09T00:00:00Z", null);
  const future = campaign("future", "2025-12-12T00:00:00Z", "2025-12-13T00:00:00Z");

  it("choose the running one that began last, else the latest of all", () => {
    expect(chooseCampaign([old, open, running, future], NOW)?.id).toBe("running");
    expect(chooseCampaign([old, open, future], NOW)?.id).toBe("open");
    expect(chooseCampaign([old, future], NOW)?.id).toBe("future");
    expect(chooseCampaign([], NOW)).toBeNull();
  });

  it("end where they say: the end itself is outside", () => {
    expect(momentOf(running, Date.parse("2025-11-12T00:00:00Z"))).toBe("after");
    expect(momentOf(running, Date.parse("2025-11-10T00:00:00Z"))).toBe("running");
    expect(momentOf(open, NOW)).toBe("running");
    expect(elapsedShare(running, NOW)).toBe(0.75);
    expect(elapsedShare(open, NOW)).toBeNull();
  });

  it("are in the phase that the server names, or none when it names none", () => {
    const phases = [{ name: "burst", start: running.start, end: "2025-11-12T00:00:00Z" }];
    expect(currentPhase({ ...running, phases }, NOW)?.name).toBe("burst");
    expect(currentPhase({ ...running, phases, current_phase: null }, NOW)).toBeNull();
  });

  it("show their own clock, and UTC for a zone that nobody knows", () => {
    expect(clockTime(NOW, "Asia/Shanghai")).toBe("20:00:00");
    expect(clockTime(Date.parse("2025-11-11T16:00:00Z"), "Asia/Shanghai")).toBe("00:00:00");
    expect(knownZone("Mars/Olympus")).toBe("UTC");
    expect(formatSpan(93_784_000, "d")).toBe("1d 02:03:04");
    expect(formatSpan(-5, "d")).toBe("00:00:00");
  });
});
