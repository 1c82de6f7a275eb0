import { groupDigits, rescale, type Decimal } from "./decimal.ts";
import { STEPS, type Locale } from "./format.ts";

/** The wall's number in its parts, so that each can be set in its own size. */
export interface Headline {
  readonly whole: string;
  /** With its point; may be empty. */
  readonly fraction: string;
  /** "M", "B", "T" or a Chinese unit; empty while every digit is shown. */
  readonly suffix: string;
}

/** Numbers with more whole digits than this are shortened: they would be set too small for the far end of a room. */
export const FULL_DIGITS = 8;
/** From here on cents say nothing. */
const CENT_DIGITS = 5;
/** As many digits of a shortened number, so that it still moves by the second. */
const SHORT_DIGITS = 6;

/** The parts of `amount` in the form that `like` calls for: a number on its way to another keeps the other's form. */
export function headline(amount: Decimal, like: Decimal, locale: Locale): Headline {
  const digits = wholeDigits(like);
  if (digits <= FULL_DIGITS) {
    const [whole = "", cents] = groupDigits(amount, digits <= CENT_DIGITS ? 2 : 0).split(".");
    return { whole, fraction: cents === undefined ? "" : `.${cents}`, suffix: "" };
  }
  const { power, suffix } = STEPS[locale].find((step) => digits > step.power) ?? { power: 0, suffix: "" };
  const scale = Math.max(0, SHORT_DIGITS - (digits - power));
  const [whole = "", fraction] = groupDigits({ units: amount.units, scale: amount.scale + power }, scale).split(".");
  return { whole, fraction: fraction === undefined ? "" : `.${fraction}`, suffix };
}

/** Whether the headline of this amount leaves digits out. */
export function isShortened(amount: Decimal): boolean {
  return wholeDigits(amount) > FULL_DIGITS;
}

function wholeDigits(amount: Decimal): number {
  const { units } = rescale(amount, 0);
  return (units < 0n ? -units : units).toString().length;
}

const DIGIT = 0.6;
const POINT = 0.28;
/** Sizes of the small parts, in shares of the number's own; the style sheet holds the same. */
export const CENTS_SIZE = 0.5;
export const SIGN_SIZE = 0.45;

/**
 * Width of a headline in em of its digits, from the number of its characters alone: no frame has to measure, and two
 * amounts of as many digits are as wide.
 */
export function headlineEms(parts: Headline, sign: string): number {
  const fraction = parts.suffix === "" ? CENTS_SIZE : 1;
  return ems(parts.whole) + ems(parts.fraction) * fraction + [...parts.suffix].length * 0.5 + ems(sign) * SIGN_SIZE + (sign === "" ? 0 : 0.1);
}

function ems(text: string): number {
  return [...text].reduce((sum, sign) => sum + (sign === "," || sign === "." || sign === " " ? POINT : DIGIT), 0);
}
