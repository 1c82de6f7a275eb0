/**
 * Exact decimals: money arrives as a decimal string and is never turned into a float to be shown.
 * A `Decimal` is an integer of 10^-scale units.
 */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const PATTERN = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Reads a decimal string or a plain JSON number; null for anything else, as the page then shows a dash. */
export function parseDecimal(value: string | number | null | undefined): Decimal | null {
  if (value === null || value === undefined) return null;
  const match = PATTERN.exec(String(value));
  if (match === null) return null;
  const [, sign = "", whole = "0", fraction = ""] = match;
  const magnitude = BigInt(whole + fraction);
  return { units: sign === "-" ? -magnitude : magnitude, scale: fraction.length };
}

/** The same number at another scale; digits that fall away are rounded half away from zero. */
export function rescale(decimal: Decimal, scale: number): Decimal {
  if (scale >= decimal.scale) {
    return { units: decimal.units * 10n ** BigInt(scale - decimal.scale), scale };
  }
  const divisor = 10n ** BigInt(decimal.scale - scale);
  const negative = decimal.units < 0n;
  const magnitude = negative ? -decimal.units : decimal.units;
  const rounded = (magnitude + divisor / 2n) / divisor;
  return { units: negative ? -rounded : rounded, scale };
}

/** -1, 0 or 1 as `a` is below, equal to or above `b`. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const left = rescale(a, scale).units;
  const right = rescale(b, scale).units;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** `a / b` as a float, for bar lengths and percentages only; null when there is nothing to divide by. */
export function ratio(a: Decimal | null, b: Decimal | null): number | null {
  if (a === null || b === null || b.units === 0n) return null;
  const scale = Math.max(a.scale, b.scale);
  const precision = 1_000_000n;
  const scaled = (rescale(a, scale).units * precision) / rescale(b, scale).units;
  return Number(scaled) / Number(precision);
}

/** A float for a chart's pixel; never for a number that is written on the page. */
export function toPlot(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** "1234567.80" as "1,234,567.80": grouped by thousands, with exactly `scale` decimals. */
export function groupDigits(decimal: Decimal, scale: number): string {
  const { units } = rescale(decimal, scale);
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = scale === 0 ? digits : digits.slice(0, -scale);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = scale === 0 ? "" : `.${digits.slice(-scale)}`;
  return `${units < 0n ? "-" : ""}${grouped}${fraction}`;
}
