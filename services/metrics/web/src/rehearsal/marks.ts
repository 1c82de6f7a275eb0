import type { Item } from "./card.ts";
import { svg } from "./svg.ts";

/** Where an item is drawn, in px: from, to and told lie on the time axis, `y` is the lane's middle. */
export interface Box {
  readonly from: number;
  readonly to: number;
  readonly told: number | null;
  readonly y: number;
  readonly unit: number;
}

const SIGNS: Readonly<Record<Item["mark"], string>> = { found: "✓", missed: "✕", false: "!", accepted: "≈", decoy: "" };

/** An item's picture: its shape and its sign tell what it is, its colour says so once more. */
export function drawMark(mark: Item["mark"], box: Box): SVGElement[] {
  const { from, y, unit } = box;
  const height = 0.95 * unit;
  const width = Math.max(0.55 * unit, box.to - from);
  const bar = { x: from, y: y - height / 2, width, height, rx: 0.2 * unit };
  if (mark === "decoy") return [svg("rect", { ...bar, class: "bar decoy", fill: "url(#hatch)" })];
  if (mark === "missed") return [svg("rect", { ...bar, class: "bar missed" }), sign(mark, from + Math.min(width / 2, unit), y, unit)];
  if (mark === "found") {
    const told = box.told ?? from;
    const waited = { x: from, y: y - 0.16 * unit, width: Math.max(0, told - from), height: 0.32 * unit };
    return [
      svg("rect", { ...bar, class: "bar found" }),
      svg("rect", { ...waited, class: "waited" }),
      svg("circle", { cx: told, cy: y, r: 0.62 * unit, class: "dot found" }),
      sign(mark, told, y, unit),
    ];
  }
  const size = 0.75 * unit;
  const shape =
    mark === "false"
      ? svg("path", { d: `M${from - size} ${y}L${from} ${y - size}L${from + size} ${y}L${from} ${y + size}Z`, class: "dot false" })
      : svg("circle", { cx: from, cy: y, r: 0.58 * unit, class: "dot accepted" });
  return [shape, sign(mark, from, y, unit)];
}

function sign(mark: Item["mark"], x: number, y: number, unit: number): SVGElement {
  return svg("text", { x, y: y + 0.33 * unit, class: `sign ${mark}`, "text-anchor": "middle", "font-size": 0.95 * unit }, SIGNS[mark]);
}

/** A hatching for what asks for no page. */
export function hatching(unit: number): SVGElement {
  const size = 0.5 * unit;
  const pattern = { id: "hatch", width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg("defs", {}, svg("pattern", pattern, svg("rect", { width: size / 2, height: size, class: "hatch" })));
}
