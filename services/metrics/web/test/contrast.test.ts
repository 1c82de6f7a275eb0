/// <reference types="node" />
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../src/style/tokens.css", import.meta.url), "utf8");

/** Colours that carry words, colours that fill shapes, and what they stand on. */
const WORDS = ["text", "muted", "gmv", "orders", "traffic", "good", "warning", "critical", "info"];
const SHAPES = ["gmv", "orders", "traffic", "good", "warning", "critical", "info"];
const GROUNDS = ["ground", "panel", "raised"];
/** Words on a coloured ground. */
const ON_ALARM = ["critical", "warning"];
/** WCAG 2.2: 1.4.3 (text, AA) and 1.4.11 (shapes that say something, and the ring of the focus). */
const TEXT_CONTRAST = 4.5;
const SHAPE_CONTRAST = 3;

/** What panels/regions.ts gives the largest tile. */
const STRONGEST_TILE = 0.52;

type Colour = readonly [red: number, green: number, blue: number];

function tokens(selector: string): Readonly<Record<string, string>> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

function channels(hex: string): Colour {
  const part = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

const luminance = ([red, green, blue]: Colour): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(channels(a)), luminance(channels(b))].sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}

/** As `color-mix(in srgb, ...)` does. */
function mix(a: string, b: string, share: number): string {
  const part = (at: number): string =>
    Math.round(parseInt(a.slice(at, at + 2), 16) * share + parseInt(b.slice(at, at + 2), 16) * (1 - share)).toString(16).padStart(2, "0");
  return `#${part(1)}${part(3)}${part(5)}`;
}

const dark = tokens(":root");
const light = { ...dark, ...tokens(':root[data-theme="light"]') };

describe.each([
  ["dark", dark],
  ["light", light],
])("the %s theme", (_, theme) => {
  const colour = (name: string): string => theme[name] ?? `no token --${name}`;

  it.each(WORDS.flatMap((word) => GROUNDS.map((ground) => [word, ground] as const)))("lets words in --%s be read on --%s", (word, ground) => {
    expect(contrast(colour(word), colour(ground))).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });

  it.each(SHAPES.flatMap((shape) => GROUNDS.map((ground) => [shape, ground] as const)))("lets shapes in --%s be seen on --%s", (shape, ground) => {
    expect(contrast(colour(shape), colour(ground))).toBeGreaterThanOrEqual(SHAPE_CONTRAST);
  });

  it("lets a region be read on its tile, however strong", () => {
    for (const strength of [0.18, 0.35, STRONGEST_TILE]) expect(contrast(colour("text"), mix(colour("gmv"), colour("panel"), strength))).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });

  it.each(ON_ALARM)("lets words be read on an alarm in --%s", (ground) => {
    expect(contrast(colour("on-alarm"), colour(ground))).toBeGreaterThanOrEqual(TEXT_CONTRAST);
  });
});

it("computes contrast as WCAG does", () => {
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21, 5);
  // The well-known grey that just passes on white.
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
});
