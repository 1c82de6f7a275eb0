import { parseDecimal, ratio, rescale, type Decimal } from "./decimal.ts";
import type { LadderRow, Value } from "../feed/types.ts";

export interface Rung {
  readonly rung: string;
  readonly amount: Value;
  readonly orders: number | null;
  /** Of what was placed; below zero where more was given back than paid. */
  readonly share: number | null;
  /** What fell away since the rung above, as a decimal string; null at the first or where it is unknown. */
  readonly less: string | null;
  /** Both as shares of the whole track, 0 to 1. */
  readonly width: number;
  readonly above: number;
}

/** The ladder as steps that shrink. What is below zero has no length: it is told in words. */
export function rungsOf(rows: readonly LadderRow[]): readonly Rung[] {
  const top = parseDecimal(rows[0]?.amount);
  const length = (amount: Decimal | null): number => Math.min(1, Math.max(0, ratio(amount, top) ?? 0));
  return rows.map((row, index) => {
    const amount = parseDecimal(row.amount);
    const above = index === 0 ? null : parseDecimal(rows[index - 1]?.amount);
    return {
      rung: row.rung,
      amount: row.amount,
      orders: row.orders ?? null,
      share: row.share ?? null,
      less: amount === null || above === null ? null : text(minus(above, amount)),
      width: length(amount),
      above: index === 0 ? length(amount) : length(above),
    };
  });
}

function minus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: rescale(a, scale).units - rescale(b, scale).units, scale };
}

function text({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${whole}` : whole;
}
