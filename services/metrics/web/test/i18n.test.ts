import { describe, expect, it } from "vitest";
import { noteFor } from "../src/core/note.ts";
import { initialLocale, MESSAGES, phaseName, regionName, translate, translateName } from "../src/i18n.ts";

const sources = import.meta.glob("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("a campaign's note", () => {
  const both = "真实数据：订单。模拟数据：流量。 Real: orders. Simulated: traffic.";

  it("is shown in the language of the page", () => {
    expect(noteFor("zh", both)).toBe("真实数据：订单。模拟数据：流量。");
    expect(noteFor("en", both)).toBe("Real: orders. Simulated: traffic.");
    expect(noteFor("en", "模拟\nSimulated")).toBe("Simulated");
  });

  it("needs no space between the languages", () => {
    expect(noteFor("en", "全部为模拟。All is simulated.")).toBe("All is simulated.");
    expect(noteFor("zh", "全部为模拟。App 端也是。")).toBe("全部为模拟。 App 端也是。");
  });

  it("is shown whole where it is not in that language", () => {
    expect(noteFor("zh", "Simulated traffic.")).toBe("Simulated traffic.");
    expect(noteFor("en", "流量是模拟的。")).toBe("流量是模拟的。");
    expect(noteFor("zh", "Traffic (流量) is simulated.")).toBe("Traffic (流量) is simulated.");
  });
});

describe("the two languages", () => {
  it("say the same things with the same values", () => {
    expect(Object.keys(MESSAGES.zh).sort()).toEqual(Object.keys(MESSAGES.en).sort());
    for (const [key, text] of Object.entries(MESSAGES.en)) {
      const other = MESSAGES.zh[key as keyof typeof MESSAGES.zh];
      expect(other.trim(), key).not.toBe("");
      expect(placeholders(other), key).toEqual(placeholders(text));
    }
  });

  it("keep every Chinese word in their own folder", () => {
    for (const [path, text] of Object.entries(sources)) {
      if (path.includes("/words/") || path.endsWith("/core/format.ts")) continue;
      expect(String(text).match(/\p{Script=Han}/u), path).toBeNull();
    }
  });

  it("know every rule, severity and state of the contract", () => {
    const rules = [
      "traffic_spike", "traffic_drop", "conversion_drop", "gmv_behind_target", "stock_low", "stock_out", "refund_anomaly",
      "refund_abuse", "order_brushing", "coupon_abuse", "payment_failure", "budget_overrun", "roi_below_floor", "ingest_lag",
      "data_silence", "dead_letters",
    ];
    for (const rule of rules) expect(translateName("zh", "rule", rule)).toMatch(/\p{Script=Han}/u);
    for (const step of ["visit", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid"]) {
      expect(translateName("zh", "funnel", step)).toMatch(/\p{Script=Han}/u);
    }
  });

  it("show names from events as they are, also those that an object has by birth", () => {
    expect(translateName("en", "channel", "kiosk")).toBe("kiosk");
    expect(translateName("en", "channel", "constructor")).toBe("constructor");
    expect(regionName("zh", "CN-31")).toBe("上海");
    expect(regionName("en", "US-CA")).toBe("US-CA");
    expect(regionName("en", "toString")).toBe("toString");
    expect(phaseName("zh", "warm-up")).toBe("预热期");
    expect(phaseName("en", "Night sale")).toBe("Night sale");
  });

  it("put values in, and leave alone what they were not given", () => {
    expect(translate("en", "alerts.more", { count: 3 })).toBe("3 more");
    expect(translate("en", "alerts.more")).toBe("{count} more");
  });

  it("begin with what was asked for, then chosen, then the browser's", () => {
    expect(initialLocale("zh", "en", "en-US")).toBe("zh");
    expect(initialLocale(null, "en", "zh-CN")).toBe("en");
    expect(initialLocale(null, null, "zh-TW")).toBe("zh");
    expect(initialLocale("fr", null, "de")).toBe("en");
  });
});
