import { clockTime } from "../core/time.ts";
import { el, setText } from "../ui/dom.ts";
import { curveOf, type Curve } from "./evidence.ts";
import { unitName } from "./naming.ts";
import type { FeedAlert } from "./model.ts";
import type { View } from "../ui/panel.ts";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 140;
/** Room above the highest point, so that its line is not cut. */
const HEADROOM = 1.06;

/** The curve that decided an alert, with what is normal as a broken line. */
export class Picture {
  readonly element = el("figure", "evidence");
  private readonly caption = el("figcaption", "evidence-caption");
  private readonly times = el("div", "evidence-times", el("span"), el("span"));
  private drawn = "";

  constructor() {
    this.element.append(this.caption, this.times);
  }

  update(view: View, alert: FeedAlert): void {
    const curve = curveOf(alert.evidence);
    this.element.hidden = curve === null;
    if (curve === null) return;
    const shape = JSON.stringify(curve);
    if (shape !== this.drawn) {
      this.element.querySelector("svg")?.remove();
      this.caption.after(draw(curve));
      this.drawn = shape;
    }
    const values = curve.points.map(([, value]) => value);
    const highest = view.fmt.number(Math.max(...values));
    const unit = curve.unit === null ? "" : unitName(view.locale, curve.unit);
    const [from, to] = [curve.points[0]?.[0] ?? 0, curve.points.at(-1)?.[0] ?? 0].map((at) => clockTime(at, view.zone));
    const parts = [unit, view.t("drawer.highest", { value: highest })];
    if (curve.reference !== null) parts.push(view.t("drawer.normal", { value: view.fmt.number(curve.reference) }));
    setText(this.caption, parts.filter((part) => part !== "").join(" · "));
    const [first, last] = [...this.times.children];
    if (first && last && from !== undefined && to !== undefined) {
      setText(first, from);
      setText(last, to);
      const picture = this.element.querySelector("svg");
      picture?.setAttribute("aria-label", view.t("drawer.curveText", { unit, from, to, highest }));
    }
  }
}

function draw(curve: Curve): SVGElement {
  const { points, reference } = curve;
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "evidence-curve" });
  const values = points.map(([, value]) => value);
  const top = Math.max(...values, reference ?? 0, 0) * HEADROOM || 1;
  const bottom = Math.min(...values, 0);
  const begin = points[0]?.[0] ?? 0;
  const span = (points.at(-1)?.[0] ?? 0) - begin || 1;
  const x = (at: number): string => (((at - begin) / span) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - ((value - bottom) / (top - bottom || 1)) * HEIGHT).toFixed(1);
  const line = points.length === 1 ? `0,${y(values[0] ?? 0)} ${WIDTH},${y(values[0] ?? 0)}` : points.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
  svg.append(node("polygon", { class: "evidence-area", points: `0,${y(Math.max(bottom, 0))} ${line} ${WIDTH},${y(Math.max(bottom, 0))}` }));
  svg.append(node("polyline", { class: "evidence-line", points: line }));
  if (reference !== null) svg.append(node("line", { class: "evidence-normal", x1: "0", x2: String(WIDTH), y1: y(reference), y2: y(reference) }));
  return svg;
}

function node(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
