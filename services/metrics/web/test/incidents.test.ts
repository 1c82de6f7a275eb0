import { describe, expect, it } from "vitest";
import { groupIncidents } from "../src/alerts/incidents.ts";
import { newlyCritical } from "../src/alerts/news.ts";
import type { FeedAlert } from "../src/alerts/model.ts";

const alert = (id: string, change: Partial<FeedAlert> = {}): FeedAlert => ({
  id,
  rule: "stock_out",
  severity: "critical",
  state: "firing",
  starts_at: "2026-11-11T00:00:00Z",
  incident: id,
  mute: "",
  ...change,
});
const shape = (alerts: readonly FeedAlert[]) => groupIncidents(alerts).map(({ lead, members }) => [lead.id, ...members.map(({ id }) => id)]);

describe("incidents", () => {
  it("stand as their cause, with what it causes folded under it", () => {
    const cause = alert("cause", { state: "acknowledged" });
    const effects = [alert("e1", { incident: "cause", mute: "inhibited" }), alert("e2", { incident: "cause", severity: "warning", mute: "inhibited" })];
    expect(shape([...effects, cause, alert("other")])).toEqual([["other"], ["cause", "e1", "e2"]]);
  });

  it("hide nothing that is open under what is over", () => {
    const cause = alert("cause", { state: "resolved" });
    const open = alert("open", { incident: "cause", severity: "warning" });
    expect(shape([cause, open])).toEqual([["open", "cause"]]);
  });

  it("hide nothing critical under a warning, and nothing that pages under what was taken on", () => {
    expect(shape([alert("cause", { severity: "warning" }), alert("grave", { incident: "cause" })])).toEqual([["grave"], ["cause"]]);
    expect(shape([alert("cause", { state: "acknowledged" }), alert("new", { incident: "cause" })])).toEqual([["new"], ["cause"]]);
  });

  it("stay together where the feed holds the cause no more", () => {
    expect(shape([alert("b", { incident: "gone", severity: "warning" }), alert("a", { incident: "gone" })])).toEqual([["a", "b"]]);
  });

  it("show each alert once, whatever the mix", () => {
    const states = ["firing", "acknowledged", "resolved", "pending"] as const;
    const severities = ["critical", "warning", "info"] as const;
    // A fixed walk through the mixes: a failure can be run again.
    let seed = 7;
    const pick = <Item>(items: readonly Item[]): Item => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return items[Math.floor((seed / 2_147_483_648) * items.length)] as Item;
    };
    for (let round = 0; round < 300; round += 1) {
      const ids = ["a", "b", "c", "d", "e", "f"].slice(0, pick([1, 2, 3, 4, 5, 6]));
      const alerts = ids.map((id) =>
        alert(id, { state: pick(states), severity: pick(severities), incident: pick([...ids, "gone"]), mute: pick(["", "inhibited", "silenced"]) }),
      );
      const groups = groupIncidents(alerts);
      expect(groups.flatMap(({ lead, members }) => [lead.id, ...members.map(({ id }) => id)]).sort()).toEqual(ids);
      const firing = groups.map(({ lead }) => lead.state === "firing");
      if (firing.includes(false)) expect(firing.lastIndexOf(true)).toBeLessThan(firing.indexOf(false));
      for (const { lead, members } of groups) {
        for (const member of members.filter(({ state }) => state === "firing")) {
          expect(["firing", "acknowledged"]).toContain(lead.state);
          expect(severities.indexOf(lead.severity)).toBeLessThanOrEqual(severities.indexOf(member.severity));
        }
      }
    }
  });
});

describe("what is announced", () => {
  it("is each critical alert once, from when its receivers hear of it, and again when it fires anew", () => {
    const ids = (found: readonly FeedAlert[]) => found.map(({ id }) => id);
    let step = newlyCritical(null, [alert("old")]);
    expect(step.news).toEqual([]);
    step = newlyCritical(step.known, [alert("old"), alert("new"), alert("mild", { severity: "warning" }), alert("kept", { mute: "waiting" })]);
    expect(ids(step.news)).toEqual(["new"]);
    step = newlyCritical(step.known, [alert("old"), alert("new", { state: "acknowledged" }), alert("kept")]);
    expect(ids(step.news)).toEqual(["kept"]);
    step = newlyCritical(step.known, [alert("old", { state: "resolved" })]);
    expect(step.news).toEqual([]);
    expect(ids(newlyCritical(step.known, [alert("old")]).news)).toEqual(["old"]);
  });
});
