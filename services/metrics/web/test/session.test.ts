import { describe, expect, it } from "vitest";
import { holds, loginAddress, SignedIn } from "../src/session.ts";

const LIN = { login: true, name: "lin", role: "operator", grants: [], session: true, operates: ["double-*", "a.b"] };

function answering(...answers: readonly (Response | Error)[]): { ask: typeof fetch; asked: string[] } {
  const left = [...answers];
  const asked: string[] = [];
  const ask = ((path: string) => {
    asked.push(path);
    const next = left.shift();
    return next instanceof Response ? Promise.resolve(next) : Promise.reject(next ?? new Error("nothing left"));
  }) as typeof fetch;
  return { ask, asked };
}

describe("patterns of campaigns", () => {
  it.each([
    [["*"], "x", true],
    [["double-*"], "double-11", true],
    [["double-*"], "xdouble-11", false],
    [["a.b"], "axb", false],
    [["a.b"], "a.b", true],
    [["*-cn"], "double-cn", true],
    [["*"], "*", true],
    [["double-*"], "*", false],
    [[], "x", false],
  ] as const)("%j holds %s: %s", (patterns, campaign, expected) => {
    expect(holds(patterns, campaign)).toBe(expected);
  });
});

describe("who is signed in", () => {
  it("offers everything until the server has told, and where nobody is asked", async () => {
    const { ask } = answering(Response.json({ ...LIN, login: false, name: null, operates: ["*"], session: false }));
    const signedIn = new SignedIn(() => undefined, ask, () => undefined);
    expect([signedIn.name, signedIn.operates("x")]).toEqual([null, true]);
    await signedIn.read();
    expect([signedIn.name, signedIn.operates("x"), signedIn.leaves]).toEqual([null, true, false]);
  });

  it("knows the name and what may be operated, also while the server is away", async () => {
    const { ask } = answering(Response.json(LIN), new Error("away"), new Response("", { status: 503 }));
    const signedIn = new SignedIn(() => undefined, ask, () => undefined);
    for (let time = 0; time < 3; time += 1) {
      await signedIn.read();
      expect([signedIn.name, signedIn.operates("double-11"), signedIn.operates("other")]).toEqual(["lin", true, false]);
    }
  });

  it("comes back from the login to the very same view", () => {
    expect(loginAddress({ pathname: "/", search: "?campaign=a&alert=b", hash: "#x" })).toBe(
      "login?next=%2F%3Fcampaign%3Da%26alert%3Db%23x",
    );
  });
});
