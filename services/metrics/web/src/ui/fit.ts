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
