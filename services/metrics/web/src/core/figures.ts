import {
  formatChange,
  formatCompact,
  formatCount,
  formatMetric,
  formatMoney,
  formatNumber,
  formatPercent,
  formatRate,
  formatTimes,
  NONE,
  type Locale,
} from "./format.ts";
import type { Value } from "../feed/types.ts";

/** What stands in the place of a figure that is hidden, as wide for all so that it tells nothing. */
export const HIDDEN = "***";

/** Writes every figure of the page: in its language, in its currency, or not at all. */
export interface Figures {
  readonly hidden: boolean;
  /** A whole number with separators. */
  count(value: Value | undefined): string;
  /** A count, shortened when it is long. */
  short(value: Value | undefined): string;
  /** An amount to the cent. */
  money(value: Value | undefined): string;
  /** An amount, shortened when it is long. */
  amount(value: Value | undefined): string;
  percent(value: Value | undefined, decimals?: number): string;
  times(value: Value | undefined): string;
  rate(value: number | null | undefined): string;
  /** A number of which nothing is known but itself, such as a rule's threshold. */
  number(value: number | null | undefined): string;
  /** A metric by the unit that the catalogue gives it. */
  metric(name: string, unit: string | undefined, value: Value | undefined): string;
  /** "+12.3%", or null where the two cannot be compared. */
  change(now: Value | undefined, before: Value | undefined): string | null;
}

/** `sign` is that of the reporting currency, possibly empty. What is unknown stays a dash even when hidden. */
export function figures(locale: Locale, sign: string, hidden: boolean): Figures {
  const veil = (text: string): string => (hidden && text !== NONE ? HIDDEN : text);
  return {
    hidden,
    count: (value) => veil(formatCount(value)),
    short: (value) => veil(formatCompact(value, locale)),
    money: (value) => veil(formatMoney(value, sign)),
    amount: (value) => veil(formatCompact(value, locale, sign)),
    percent: (value, decimals) => veil(formatPercent(value, decimals)),
    times: (value) => veil(formatTimes(value)),
    rate: (value) => veil(formatRate(value)),
    number: (value) => veil(formatNumber(value)),
    metric: (name, unit, value) => veil(formatMetric(name, unit, value, locale, sign)),
    change: (now, before) => {
      const text = formatChange(now, before);
      return text === null ? null : veil(text);
    },
  };
}
