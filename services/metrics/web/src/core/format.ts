import { groupDigits, parseDecimal, rescale, toPlot, type Decimal } from "./decimal.ts";
import type { Value } from "../feed/types.ts";

export type Locale = "en" | "zh";
export type Unit = "count" | "money" | "ratio" | "money_ratio";

/** What stands where no number is known. */
export const NONE = "–";

const SYMBOLS: Readonly<Record<string, string>> = { CNY: "¥", JPY: "¥", USD: "$", EUR: "€", GBP: "£", INR: "₹", KRW: "₩" };

/** The sign put before an amount; empty while the server has not named its currency. */
export function currencySign(currency: string | null | undefined): string {
  if (currency === null || currency === undefined || currency === "") return "";
  return SYMBOLS[currency] ?? `${currency} `;
}

/** A whole number with thousands separators. */
export function formatCount(value: Value | undefined): string {
  const decimal = parseDecimal(value);
  return decimal === null ? NONE : groupDigits(decimal, 0);
}

/** An amount to the cent. */
export function formatMoney(value: Value | undefined, sign = ""): string {
  const decimal = parseDecimal(value);
  return decimal === null ? NONE : signed(decimal, sign, groupDigits(decimal, 2));
}

interface Step {
  readonly power: number;
  readonly suffix: string;
}

/** Units of long numbers, the largest first. */
export const STEPS: Readonly<Record<Locale, readonly Step[]>> = {
  en: [
    { power: 12, suffix: "T" },
    { power: 9, suffix: "B" },
    { power: 6, suffix: "M" },
    { power: 3, suffix: "K" },
  ],
  zh: [
    { power: 12, suffix: "万亿" },
    { power: 8, suffix: "亿" },
    { power: 4, suffix: "万" },
  ],
};

/** From here on a number is shortened; below it every digit fits and is shown. */
const SHORTEN_FROM = 100_000n;

/** Four significant digits with K, M, B or 万, 亿; numbers below 100,000 stay whole, small amounts keep cents. */
export function formatCompact(value: Value | undefined, locale: Locale, sign = ""): string {
  const decimal = parseDecimal(value);
  if (decimal === null) return NONE;
  const whole = rescale(decimal, 0).units;
  const magnitude = whole < 0n ? -whole : whole;
  if (magnitude < SHORTEN_FROM) {
    const cents = decimal.scale > 0 && magnitude < 1_000n;
    return signed(decimal, sign, groupDigits(decimal, cents ? 2 : 0));
  }
  // Rounded before the suffix is chosen: 999,999,999 is 1.000B, not 1,000.0M.
  const unit = 10n ** BigInt(magnitude.toString().length - 4);
  const rounded = ((magnitude + unit / 2n) / unit) * unit;
  const step = STEPS[locale].find(({ power }) => rounded >= 10n ** BigInt(power));
  const { power, suffix } = step ?? { power: 0, suffix: "" };
  const wholeDigits = (rounded / 10n ** BigInt(power)).toString().length;
  const decimals = Math.max(0, 4 - wholeDigits);
  // Shifting the point keeps the arithmetic exact; only the digits that are not shown are rounded away.
  const shifted: Decimal = { units: decimal.units, scale: decimal.scale + power };
  return signed(decimal, sign, `${groupDigits(shifted, decimals)}${suffix}`);
}

/** A ratio as a percentage; below ten percent with a second decimal. */
export function formatPercent(value: Value | undefined, decimals?: number): string {
  const number = toPlot(value);
  if (number === null) return NONE;
  const percent = number * 100;
  return `${percent.toFixed(decimals ?? (Math.abs(percent) < 10 ? 2 : 1))}%`;
}

/** A ratio that is read as "times", such as ROI. */
export function formatTimes(value: Value | undefined): string {
  const number = toPlot(value);
  if (number === null) return NONE;
  const size = Math.abs(number);
  return groupFloat(number, size < 10 ? 2 : size < 100 ? 1 : 0);
}

/** A rate per second or minute: one decimal only where it says something. */
export function formatRate(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return groupFloat(value, value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0);
}

/** A number of which nothing is known but itself: no exponent, no more digits than say something. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (Math.abs(value) >= 1e15) return value.toPrecision(4);
  if (Number.isInteger(value)) return groupFloat(value, 0);
  return Math.abs(value) >= 1 ? groupFloat(value, 2) : String(Number(value.toPrecision(4)));
}

/** Ratios that are multiples rather than shares. */
const TIMES: ReadonlySet<string> = new Set(["roi", "roas"]);

/** A metric by the unit that the catalogue gives it. */
export function formatMetric(name: string, unit: string | undefined, value: Value | undefined, locale: Locale, sign = ""): string {
  if (TIMES.has(name)) return formatTimes(value);
  switch (unit) {
    case "money":
      return formatCompact(value, locale, sign);
    case "money_ratio": {
      const number = toPlot(value);
      return number === null ? NONE : `${number < 0 ? "-" : ""}${sign}${groupFloat(Math.abs(number), 2)}`;
    }
    case "ratio":
      return formatPercent(value);
    default:
      return formatCompact(value, locale);
  }
}

/** "+12.3%" against an earlier value; null where the two cannot be compared. */
export function formatChange(now: Value | undefined, before: Value | undefined): string | null {
  const current = toPlot(now);
  const earlier = toPlot(before);
  if (current === null || earlier === null || earlier <= 0) return null;
  const change = (current / earlier - 1) * 100;
  return `${change >= 0 ? "+" : "−"}${Math.abs(change).toFixed(Math.abs(change) < 100 ? 1 : 0)}%`;
}

function signed(decimal: Decimal, sign: string, text: string): string {
  return decimal.units < 0n && text.startsWith("-") ? `-${sign}${text.slice(1)}` : `${sign}${text}`;
}

function groupFloat(value: number, decimals: number): string {
  const [whole = "", fraction] = value.toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Without the zeros at the end of its fraction: on an axis they say nothing. */
export function trimZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}
