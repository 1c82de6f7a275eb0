/// <reference types="node" />
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../src/style/tokens.css", import.meta.url), "utf8");

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

/** Machado, Oliveira and Fernandes 2009, at full severity; for linear RGB. */
const SIGHTS: Readonly<Record<string, Matrix>> = {
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const RGB_TO_XYZ: Matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];

/** Colours that stand side by side and mean different things. */
const PAIRS = [
  ["critical", "warning"],
  ["critical", "good"],
  ["warning", "good"],
  ["warning", "info"],
  ["gmv", "warning"],
  ["gmv", "orders"],
  ["gmv", "traffic"],
] as const;
/** CIE 1976: a difference of 2.3 is just seen; side by side on a wall it has to be some times that. */
const APART = 10;

function tokens(selector: string): Readonly<Record<string, string>> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

function linear(hex: string): Vector {
  const part = (at: number): number => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function times(matrix: Matrix, [x, y, z]: Vector): Vector {
  const row = ([a, b, c]: Vector): number => Math.min(1, Math.max(0, a * x + b * y + c * z));
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

function lab(rgb: Vector): Vector {
  const [x, y, z] = times(RGB_TO_XYZ, rgb);
  const part = (value: number): number => (value > 216 / 24_389 ? Math.cbrt(value) : (value * 24_389 / 27 + 16) / 116);
  const [fx, fy, fz] = [part(x / 0.9505), part(y), part(Math.min(1, z) / 1.089)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const dark = tokens(":root");
const themes = { dark, light: { ...dark, ...tokens(':root[data-theme="light"]') } };

describe.each(Object.entries(themes))("the %s theme", (_, theme) => {
  it.each(Object.entries(SIGHTS).flatMap(([sight, matrix]) => PAIRS.map(([a, b]) => ({ sight, matrix, a, b }))))(
    "keeps --$a and --$b apart for $sight",
    ({ matrix, a, b }) => {
      const seen = (name: string): Vector => lab(times(matrix, linear(theme[name] ?? "")));
      const [one, other] = [seen(a), seen(b)];
      expect(Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2])).toBeGreaterThanOrEqual(APART);
    },
  );
});

it("measures a difference as it is known", () => {
  const [white, grey] = [lab([1, 1, 1]), lab(linear("#777777"))];
  expect(white[0]).toBeCloseTo(100, 1);
  expect(grey[0]).toBeCloseTo(50, 0);
});
