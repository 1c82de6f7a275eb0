import { describe, expect, it } from "vitest";
import { Acting } from "../src/alerts/acting.ts";
import { failureOf, type Outcome } from "../src/alerts/outcome.ts";
import { Operator, validName } from "../src/alerts/operator.ts";
import { endOf, inForce, isThere, matchersOf, matcherText, newSilence } from "../src/alerts/silence.ts";
import type { AlertsApi } from "../src/alerts/api.ts";
import type { AlertDetail, FeedAlert, NewSilence, Silence } from "../src/alerts/model.ts";

const NOW = Date.parse("2026-11-11T00:00:00Z");
const firing: FeedAlert = { id: "a", rule: "stock_out", severity: "critical", state: "firing", starts_at: "2026-11-11T00:00:00Z" };

/** A server that answers when it is told to. */
class Server implements AlertsApi {
  readonly asked: string[] = [];
  readonly kept: Silence[] = [];
  private answers: ((outcome: Outcome<never>) => void)[] = [];

  answer(outcome: Outcome<unknown> = { ok: true, answer: null }): Promise<void> {
    this.answers.shift()?.(outcome as Outcome<never>);
    return new Promise((resolve) => setTimeout(resolve));
  }

  private ask<Answer>(what: string): Promise<Outcome<Answer>> {
    this.asked.push(what);
    return new Promise((resolve) => this.answers.push(resolve));
  }

  detail(id: string): Promise<Outcome<AlertDetail>> {
    return this.ask(`detail ${id}`);
  }
  acknowledge(id: string, by: string): Promise<Outcome<AlertDetail>> {
    return this.ask(`ack ${id} ${by}`);
  }
  silences(): Promise<Outcome<readonly Silence[]>> {
    this.asked.push("silences");
    return Promise.resolve({ ok: true, answer: this.kept });
  }
  silence(body: NewSilence): Promise<Outcome<Silence>> {
    this.kept.push({ ...body, id: "s", state: "active", starts_at: body.ends_at });
    return this.ask("silence");
  }
  endSilence(id: string): Promise<Outcome<Silence>> {
    return this.ask(`end ${id}`);
  }
}

function acting(): { server: Server; acts: Acting; at: { now: number } } {
  const server = new Server();
  const at = { now: 0 };
  return { server, at, acts: new Acting(server, () => undefined, () => at.now) };
}

describe("one press", () => {
  it("is one request, however often it is repeated while that is on its way", async () => {
    const { server, acts } = acting();
    const first = acts.acknowledge("a", "mei", "");
    expect(await acts.acknowledge("a", "mei", "")).toBe(false);
    expect(acts.of("acknowledge", "a")?.phase).toBe("sending");
    await server.answer();
    expect(await first).toBe(true);
    expect(server.asked).toEqual(["ack a mei"]);
  });

  it("that fails may be repeated, and says why until then", async () => {
    const { server, acts, at } = acting();
    void acts.acknowledge("a", "mei", "");
    await server.answer({ ok: false, failure: { why: "noAnswer" } });
    at.now = 600_000;
    acts.settle([firing]);
    expect(acts.of("acknowledge", "a")?.failure?.why).toBe("noAnswer");
    void acts.acknowledge("a", "mei", "");
    await server.answer();
    expect(acts.of("acknowledge", "a")?.phase).toBe("sent");
    expect(server.asked).toHaveLength(2);
  });

  it("looks sent until the stream tells the outcome, and not for ever", async () => {
    const { server, acts, at } = acting();
    void acts.acknowledge("a", "mei", "");
    await server.answer();
    acts.settle([firing]);
    expect(acts.of("acknowledge", "a")?.phase).toBe("sent");
    at.now = 20_000;
    acts.settle([firing]);
    expect(acts.of("acknowledge", "a")).toBeNull();
    void acts.acknowledge("a", "mei", "");
    await server.answer();
    acts.settle([{ ...firing, state: "acknowledged" }]);
    expect(acts.of("acknowledge", "a")).toBeNull();
  });

  it("for a silence whose answer was lost makes no second one", async () => {
    const { server, acts } = acting();
    const body = newSilence({ rule: "stock_out" }, NOW + 3_600_000, "mei", " on purpose ");
    const first = acts.silence("a", body);
    await server.answer({ ok: false, failure: { why: "noAnswer" } });
    expect(await first).toBe(false);
    expect(await acts.silence("a", body)).toBe(true);
    expect(server.asked).toEqual(["silence", "silences"]);
  });
});

describe("a silence", () => {
  const body = newSilence({ rule: "stock_out", item_id: "sku-1" }, NOW + 60_000, "mei", "");
  const there: Silence = { ...body, id: "s", state: "active", starts_at: "2026-11-11T00:00:00Z", ends_at: "2026-11-11T00:01:00Z" };

  it("ends after its span, or with the campaign where that ends", () => {
    expect(endOf("1h", NOW, null)).toBe(NOW + 3_600_000);
    expect(endOf("campaign", NOW, NOW + 5)).toBe(NOW + 5);
    for (const end of [null, NOW, NOW - 1, NOW + 401 * 86_400_000]) expect(endOf("campaign", NOW, end)).toBeNull();
  });

  it("matches the rule and the labels of its alert", () => {
    expect(matchersOf({ ...firing, labels: { campaign_id: "c", item_id: "sku-1" } })).toEqual({ rule: "stock_out", campaign_id: "c", item_id: "sku-1" });
  });

  it("is known again by all that was asked for", () => {
    expect(isThere([there], body)).toBe(true);
    for (const change of [{ by: "li" }, { comment: "x" }, { state: "expired" as const }, { ends_at: "2026-11-11T00:02:00Z" }, { matchers: { rule: "stock_out" } }]) {
      expect(isThere([{ ...there, ...change }], body)).toBe(false);
    }
  });

  it("is in force until its end, whatever an older answer says", () => {
    const later = { ...there, id: "t", ends_at: "2026-11-11T02:00:00Z" };
    expect(inForce([later, there, { ...there, state: "expired" as const }], NOW).map(({ id }) => id)).toEqual(["s", "t"]);
    expect(inForce([later, there], NOW + 60_000).map(({ id }) => id)).toEqual(["t"]);
    expect([matcherText("a"), matcherText({ value: "a.*", isRegex: true, isEqual: false }), matcherText({ value: "a", isEqual: true })]).toEqual(["a", "≠~ a.*", "a"]);
  });
});

describe("a refusal", () => {
  it.each([
    [409, { detail: "only a firing alert" }, "notFiring"],
    [422, { detail: "by: too short", field: "by" }, "refused"],
    [404, { title: "Not Found", detail: "Not Found" }, "noService"],
    [404, { title: "Not found", detail: "no alert x" }, "unknown"],
    [404, null, "noService"],
    [503, { detail: "Store unavailable" }, "unavailable"],
    [502, null, "unavailable"],
    [500, null, "failed"],
  ] as const)("%i %j is told as %s", (status, body, why) => {
    expect(failureOf(status, body).why).toBe(why);
  });
});

describe("a name", () => {
  it("has 1 to 128 characters, as the server counts them", () => {
    expect(validName(" 李雷 ")).toBe("李雷");
    expect(validName("  ")).toBeNull();
    expect(validName("😀".repeat(128))).toHaveLength(256);
    expect(validName("a".repeat(129))).toBeNull();
  });

  it("is kept where storage can be had, and lasts as long as the page where not", () => {
    const forbidden = new Operator(() => {
      throw new Error("SecurityError");
    });
    forbidden.name = "mei";
    expect(forbidden.name).toBe("mei");
  });
});
