/** The wall layout shows what fits; the phone layout scrolls and shows more. */
const NARROW = "(max-width: 900px), (max-aspect-ratio: 11/10)";

export function isNarrow(): boolean {
  return window.matchMedia(NARROW).matches;
}

/** How many rows of `rowRem` fit into `body`, which must not grow with its content; `narrowRows` when it scrolls. */
export function fittingRows(body: HTMLElement, rowRem: number, narrowRows: number, headRem = 0): number {
  if (isNarrow()) return narrowRows;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Math.max(1, Math.floor((body.clientHeight - headRem * rem + 1) / (rowRem * rem)));
}

/** How many of the rows of these heights (rem), from the first on, fit into `body`; at least one. */
export function fittingHeights(body: HTMLElement, heightsRem: readonly number[], narrowRows: number): number {
  if (isNarrow()) return Math.min(heightsRem.length, narrowRows);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  let left = body.clientHeight / rem;
  let count = 0;
  for (const height of heightsRem) {
    // The last row needs no gap below it.
    if (left < height - 0.45) break;
    left -= height;
    count += 1;
  }
  return Math.max(1, count);
}
