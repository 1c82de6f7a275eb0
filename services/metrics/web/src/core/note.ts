import type { Locale } from "./format.ts";

const HAN = /\p{Script=Han}/u;
/** Between paragraphs, and between a Chinese sentence and the Latin text after it. */
const SEAM = /\n+|(?<=[。！？])\s*(?=\p{Script=Latin})/u;

/**
 * The part of a campaign's note that is written in `locale`. A note in one language, or in none that can be told
 * apart, is shown whole: better in the wrong language than not at all.
 */
export function noteFor(locale: Locale, note: string): string {
  const parts = note
    .split(SEAM)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const chosen = parts.filter((part) => HAN.test(part) === (locale === "zh"));
  return (chosen.length === 0 ? parts : chosen).join(" ");
}
