import { describe, expect, it } from "vitest";
import { panelTrust } from "../src/core/trust.ts";

const NOW = Date.UTC(2026, 10, 11, 0, 1);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const screen = { as_of: ago(0), watermark: ago(2), complete: false };

describe("what a panel says of itself", () => {
  it("is quiet while it is as the rest", () => {
    expect(panelTrust({ as_of: ago(4), watermark: ago(6), complete: false }, screen, null).trust).toBe("well");
  });

  it("is loud when it is older than the rest", () => {
    expect(panelTrust({ as_of: ago(45), watermark: ago(46), complete: false }, screen, null)).toMatchObject({ trust: "old", ageMs: 45_000 });
  });

  it("is loud when its events are behind and the rest's are not", () => {
    expect(panelTrust({ as_of: ago(2), watermark: ago(60), complete: false }, screen, null)).toMatchObject({ trust: "behind", lagMs: 58_000 });
    expect(panelTrust({ as_of: ago(2), watermark: null, complete: false }, screen, null).trust).toBe("behind");
  });

  it("leaves it to the header to say what is true of the whole screen", () => {
    const late = { as_of: ago(0), watermark: ago(60), complete: false };
    expect(panelTrust({ as_of: ago(2), watermark: ago(60), complete: false }, late, null).trust).toBe("well");
    expect(panelTrust(null, screen, null).trust).toBe("unknown");
  });

  it("is content with a table that is complete, and with one past the campaign's end", () => {
    expect(panelTrust({ as_of: ago(2), watermark: ago(90), complete: true }, screen, null).trust).toBe("well");
    expect(panelTrust({ as_of: ago(2), watermark: ago(90), complete: false }, screen, NOW - 95_000).trust).toBe("well");
  });
});
