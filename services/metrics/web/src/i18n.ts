import type { Locale } from "./core/format.ts";
import type { Dimension } from "./core/lens.ts";
import { ACTING } from "./words/acting.ts";
import { ALERTS } from "./words/alerts.ts";
import { COMPARE } from "./words/compare.ts";
import { FILTERS } from "./words/filters.ts";
import { HEADER } from "./words/header.ts";
import { NAMES } from "./words/names.ts";
import { PAGE } from "./words/page.ts";
import { PANELS } from "./words/panels.ts";
import { PROVINCES } from "./words/provinces.ts";
import { TIME } from "./words/time.ts";
import { WALL } from "./words/wall.ts";

const en = {
  ...ACTING.en,
  ...ALERTS.en,
  ...COMPARE.en,
  ...FILTERS.en,
  ...HEADER.en,
  ...NAMES.en,
  ...PAGE.en,
  ...PANELS.en,
  ...TIME.en,
  ...WALL.en,
};

export type Key = keyof typeof en;

const zh: Readonly<Record<Key, string>> = {
  ...ACTING.zh,
  ...ALERTS.zh,
  ...COMPARE.zh,
  ...FILTERS.zh,
  ...HEADER.zh,
  ...NAMES.zh,
  ...PAGE.zh,
  ...PANELS.zh,
  ...TIME.zh,
  ...WALL.zh,
};

export const MESSAGES: Readonly<Record<Locale, Readonly<Record<Key, string>>>> = { en, zh };

/** A text with its values put in. */
export function translate(locale: Locale, key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return MESSAGES[locale][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of `prefix.name` where the page has one, else the name itself: names come from events. */
export function translateName(locale: Locale, prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return Object.hasOwn(MESSAGES[locale], key) ? MESSAGES[locale][key as Key] : name;
}

/** A phase's name; organisers write "warm-up" as well as "Warm up". */
export function phaseName(locale: Locale, name: string): string {
  const key = name.trim().toLowerCase().replace(/[\s-]+/g, "_");
  const translated = translateName(locale, "phase", key);
  return translated === key ? name : translated;
}

export function regionName(locale: Locale, code: string): string {
  if (code === "unknown") return translate(locale, "channel.unknown");
  const names = Object.hasOwn(PROVINCES, code) ? PROVINCES[code] : undefined;
  if (names === undefined) return code;
  return locale === "zh" ? names[1] : names[0];
}

/** A value of a dimension as people call it. */
export function valueName(locale: Locale, dimension: Dimension, value: string): string {
  if (dimension === "region") return regionName(locale, value);
  if (dimension === "phase") return phaseName(locale, value);
  if (dimension === "channel") return translateName(locale, "channel", value);
  return value === "unknown" ? translate(locale, "channel.unknown") : value;
}

/** The language to begin with: asked for in the address, chosen before, or the browser's. */
export function initialLocale(asked: string | null, stored: string | null, browser: string): Locale {
  for (const candidate of [asked, stored, browser]) {
    if (candidate?.toLowerCase().startsWith("zh")) return "zh";
    if (candidate?.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}
