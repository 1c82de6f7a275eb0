import { parseDecimal, rescale, type Decimal } from "./decimal.ts";
import type { Value } from "../feed/types.ts";

/** `a + b` as a decimal string, exactly; null when either is unknown. */
export function addDecimals(a: Value | undefined, b: Value | undefined): string | null {
  return combined(a, b, (left, right) => left + right);
}

/** `a - b` as a decimal string, exactly; null when either is unknown. */
export function subtractDecimals(a: Value | undefined, b: Value | undefined): string | null {
  return combined(a, b, (left, right) => left - right);
}

function combined(a: Value | undefined, b: Value | undefined, by: (left: bigint, right: bigint) => bigint): string | null {
  const [left, right] = [parseDecimal(a), parseDecimal(b)];
  if (left === null || right === null) return null;
  const scale = Math.max(left.scale, right.scale);
  return text({ units: by(rescale(left, scale).units, rescale(right, scale).units), scale });
}

function text({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return `${units < 0n ? "-" : ""}${whole}`;
}
